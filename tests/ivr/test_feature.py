"""What an agent's phone is told of what came of a number that it called."""

from types import SimpleNamespace

import pytest

from ivr.feature import FeatureCall


@pytest.mark.parametrize(
    ("do", "state", "told"),
    [
        ("login", "ready", "You are logged in."),
        ("login", "paused", "You are logged in, and still on pause."),
        ("ready", "ready", "You are ready."),
        ("pause", "answered", "You are on pause."),
    ],
)
async def test_who_logs_in_on_pause_is_told_so(do: str, state: str, told: str) -> None:
    async def ask(*_target: str, **_data: object) -> dict[str, str]:
        return {"state": state}

    assert await FeatureCall._do(SimpleNamespace(_user="anna", _ask=ask), do, "") == told
