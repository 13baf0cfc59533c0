"""PINs of star codes: how often one may guess."""

import asyncio
from dataclasses import replace

import pytest

from ivr import pins
from ivr.accounts import Account, Role, new_account
from ivr.pins import PinGuard

BOSS = replace(new_account("boss", Role.SUPERVISOR, "long enough"), pin_hash="4711")


class Kept:
    """A store with one account."""

    async def get(self, user: str) -> Account | None:
        await asyncio.sleep(0)
        return BOSS if user == "boss" else None


class Clock:
    """Unix seconds that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The PINs that were compared."""
    seen: list[str] = []

    def fits(pin: str, kept: str) -> bool:
        seen.append(pin)
        return pin == kept

    monkeypatch.setattr(pins, "pin_fits", fits)
    return seen


async def test_a_pin_is_right_or_wrong(looked_at: list[str]) -> None:
    guard = PinGuard(Kept(), Clock())  # type: ignore[arg-type]
    assert await guard.check("boss", "0000") == {"ok": False, "role": ""}
    assert await guard.check("boss", "4711") == {"ok": True, "role": "supervisor"}
    assert await guard.check("nobody", "4711") == {"ok": False, "role": ""}
    assert looked_at == ["0000", "4711"]


async def test_many_guesses_at_once_are_still_five(looked_at: list[str]) -> None:
    clock = Clock()
    guard = PinGuard(Kept(), clock)  # type: ignore[arg-type]
    answers = await asyncio.gather(*(guard.check("boss", f"{guess:04}") for guess in range(50)))
    assert not any(answer["ok"] for answer in answers)
    assert len(looked_at) == 5
    assert not (await guard.check("boss", "4711"))["ok"]
    clock.now += 301
    assert (await guard.check("boss", "4711"))["ok"]
