"""Who hears whom: the whole table."""

import pytest

from ivr.whohears import Mode, Stage, Supervising, hearing, music_for_caller


def pairs(text: str) -> set[tuple[str, str]]:
    """`c>a a>c` as pairs: caller, agent, x the one who was consulted, s the supervisor."""
    names = {"c": "caller", "a": "agent", "x": "consulted", "s": "boss"}
    return {(names[pair[0]], names[pair[2]]) for pair in text.split()}


@pytest.mark.parametrize(
    ("stage", "expected", "music"),
    [
        (Stage.ALONE, "", False),
        (Stage.TALK, "c>a a>c", False),
        (Stage.HOLD, "", True),
        (Stage.CONSULT, "a>x x>a", True),
        (Stage.CONFERENCE, "c>a a>c c>x x>c a>x x>a", False),
        (Stage.HANDED_OVER, "c>x x>c", False),
    ],
)
def test_who_hears_whom_and_when_the_caller_hears_music(stage: Stage, expected: str, music: bool) -> None:
    assert hearing(stage) == pairs(expected)
    assert music_for_caller(stage) is music


@pytest.mark.parametrize(
    ("stage", "mode", "more"),
    [
        (Stage.TALK, Mode.LISTEN, "c>s a>s"),
        (Stage.TALK, Mode.WHISPER, "c>s a>s s>a"),
        (Stage.TALK, Mode.INTRUDE, "c>s a>s s>a s>c"),
        (Stage.HOLD, Mode.LISTEN, "a>s"),
        (Stage.HOLD, Mode.INTRUDE, "a>s s>a"),
        (Stage.CONSULT, Mode.LISTEN, "a>s x>s"),
        (Stage.CONSULT, Mode.WHISPER, "a>s x>s s>a"),
        (Stage.CONFERENCE, Mode.INTRUDE, "a>s x>s c>s s>a s>x s>c"),
        (Stage.HANDED_OVER, Mode.WHISPER, "c>s x>s"),
        (Stage.ALONE, Mode.INTRUDE, ""),
    ],
)
def test_what_a_supervisor_hears_and_who_hears_the_supervisor(stage: Stage, mode: Mode, more: str) -> None:
    assert hearing(stage, [Supervising("boss", mode)]) - hearing(stage) == pairs(more)


def test_supervisors_do_not_hear_each_other() -> None:
    both = [Supervising("boss", Mode.INTRUDE), Supervising("trainer", Mode.INTRUDE)]
    assert not {("boss", "trainer"), ("trainer", "boss")} & hearing(Stage.CONFERENCE, both)
