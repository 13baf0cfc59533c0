"""Codes that agents and supervisors dial."""

import pytest

from ivr.featurecodes import AgentFeature, Feature, SuperviseFeature, feature_of
from ivr.whohears import Mode


@pytest.mark.parametrize(
    ("called", "feature"),
    [
        ("*40", AgentFeature("logout")),
        ("*41", AgentFeature("login")),
        ("*42", AgentFeature("ready")),
        ("*43", AgentFeature("pause")),
        ("*432", AgentFeature("pause", "lunch")),
        ("*439", AgentFeature("pause", "9")),
        ("*44", AgentFeature("wrapped_up")),
        ("*441", AgentFeature("wrapped_up", "resolved")),
        ("*1anna", SuperviseFeature("anna", Mode.LISTEN)),
        ("*21001", SuperviseFeature("1001", Mode.WHISPER)),
        ("*3anna", SuperviseFeature("anna", Mode.INTRUDE)),
        ("*1", None),
        ("*", None),
        ("*411", None),
        ("*9", None),
        ("*99", None),
        ("41", None),
        ("", None),
    ],
)
def test_a_called_number_and_what_it_means(called: str, feature: Feature | None) -> None:
    assert feature_of(called, {"2": "lunch"}, {"1": "resolved"}) == feature
