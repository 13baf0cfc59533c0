"""End-pointing: tables of events, and that every turn ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.endpointer import Began, Clock, Ended, Partial, Phase, State, Timeouts, is_complete, step
from asr.recogniser import Expected
from asr.vad import VoiceEnd, VoiceStart

MENU = Expected("en", phrases=("balance", "balance transfer", "my balance", "lost card", "agent"))
ACCOUNT = Expected("en", digits=(4, 4))
AMOUNT = Expected("en", digits=(1, 6))


def run(expected: Expected, *script: object, timeouts: Timeouts | None = None) -> list[tuple[str, ...]]:
    """Plays a script on a 60 ms clock. Numbers are milliseconds to wait; "voice" and "silence" are edges that the
    detector reports 60 ms after they happen; other texts are partials. Decisions with times in milliseconds.
    """
    state, at, found = State(expected, timeouts or Timeouts()), 0, []

    def play(event: object) -> None:
        nonlocal state
        state, decisions = step(state, event)
        for decision in decisions:
            match decision:
                case Began(sample):
                    found.append(("began", sample // 8))
                case Ended(start, end, decided, too_long):
                    found.append(("too long" if too_long else "ended", start // 8, end // 8, decided // 8))

    for item in script:
        if isinstance(item, int):
            until = at + item * 8
            while at < until:
                at = min(at + 480, until)
                play(Clock(at))
        elif item == "voice":
            play(VoiceStart(max(0, at - 480), at))
        elif item == "silence":
            play(VoiceEnd(at - 480, at))
        else:
            play(Partial(item))
    return found


@pytest.mark.parametrize(
    ("name", "expected", "script", "decisions"),
    [
        ("silence", MENU, [5000], []),
        (
            "a whole phrase ends after the complete timeout",
            MENU,
            [600, "voice", 300, "agent", 180, "silence", 2000],
            [("began", 540), ("ended", 540, 1020, 1440)],
        ),
        (
            "a phrase that begins a longer one waits longer",
            MENU,
            [600, "voice", 480, "balance", "silence", 2000],
            [("began", 540), ("ended", 540, 1020, 2040)],
        ),
        (
            "a partial that comes late decides at once",
            MENU,
            [600, "voice", 480, "silence", 600, "agent", 600],
            [("began", 540), ("ended", 540, 1020, 1680)],
        ),
        (
            "no partial at all: noise ends after the incomplete timeout",
            MENU,
            [600, "voice", 120, "silence", 2000],
            [("began", 540), ("ended", 540, 660, 1680)],
        ),
        (
            "a pause inside a digit string is no end",
            ACCOUNT,
            [600, "voice", 600, "one two", "silence", 840, "voice", 600, "one two three four", "silence", 1000],
            [("began", 540), ("ended", 540, 2580, 3000)],
        ),
        (
            "fewer digits than the most wait longer",
            AMOUNT,
            [600, "voice", 600, "five", "silence", 2000],
            [("began", 540), ("ended", 540, 1140, 2160)],
        ),
        (
            "two utterances in a row",
            MENU,
            [600, "voice", 300, "agent", "silence", 900, "voice", 300, "lost card", "silence", 900],
            [("began", 540), ("ended", 540, 840, 1260), ("began", 1740), ("ended", 1740, 2040, 2460)],
        ),
        (
            "a caller who never stops talking",
            MENU,
            [600, "voice", 20000],
            [("began", 540), ("too long", 540, 15540, 15540)],
        ),
        (
            "a caller who stops and goes on for ever",
            MENU,
            [600, "voice", 6500, "silence", 500, "voice", 7000, "silence", 500, "voice", 3000],
            [("began", 540), ("too long", 540, 15580, 15580)],
        ),
        (
            "a whole answer in steady noise",
            MENU,
            [600, "voice", 1000, "agent", 20000],
            [("began", 540), ("ended", 540, 1600, 3040)],
        ),
        (
            "noise goes on after an answer: nothing new until the next voice",
            MENU,
            [600, "voice", 1000, "agent", 3000, "silence", 300, "voice", 300, "silence", 2000],
            [("began", 540), ("ended", 540, 1600, 3040), ("began", 4840), ("ended", 4840, 5140, 6160)],
        ),
        (
            "a gap in the sound ends the turn",
            MENU,
            [600, "voice", 300, "silence", 60000],
            [("began", 540), ("ended", 540, 840, 1860)],
        ),
    ],
)
def test_turns(name: str, expected: Expected, script: list, decisions: list) -> None:
    assert run(expected, *script) == decisions, name


def test_timeouts_are_the_callers() -> None:
    waits = Timeouts(complete_s=0.18, incomplete_s=2.0, max_speech_s=3.0)
    assert run(MENU, 600, "voice", 300, "agent", "silence", 900, timeouts=waits)[-1] == ("ended", 540, 840, 1020)
    assert run(MENU, 600, "voice", 300, "card", "silence", 2500, timeouts=waits)[-1] == ("ended", 540, 840, 2880)
    assert run(MENU, 600, "voice", 5000, timeouts=waits)[-1] == ("too long", 540, 3540, 3540)


def test_a_partial_of_the_turn_before_does_not_count() -> None:
    found = run(MENU, 600, "voice", 300, "silence", 1080, "agent", 600, "voice", 300, "silence", 2000)
    assert found[-1] == ("ended", 2520, 2820, 3840)


def test_a_resumption_that_began_before_the_wait_was_over_is_no_end() -> None:
    state, _ = step(State(MENU, Timeouts()), VoiceStart(8000, 8480))
    state, _ = step(state, VoiceEnd(16000, 16480))
    assert step(state, VoiceStart(23900, 24380))[1] == ()
    assert step(state, VoiceStart(24000, 24480))[1] == (Ended(8000, 16000, 24000), Began(24000))


@pytest.mark.parametrize(
    ("text", "expected", "complete"),
    [
        ("", MENU, False),
        ("agent", MENU, True),
        ("Agent", MENU, True),
        ("an agent", MENU, True),
        ("reagent", MENU, False),
        ("balance", MENU, False),
        ("my balance", MENU, True),
        ("balance transfer", MENU, True),
        ("lost", MENU, False),
        ("agent lost", MENU, False),
        ("one two three", ACCOUNT, False),
        ("one two three four", ACCOUNT, True),
        ("double one two three four", ACCOUNT, True),
        ("one two three double", ACCOUNT, False),
        ("one two three four", AMOUNT, False),
        ("one two three four five six", AMOUNT, True),
        ("anything", Expected("en"), False),
        ("yes", Expected("en", phrases=("yes", "no")), True),
        ("january", Expected("en", words=("january",)), False),
        ("查询 余额", Expected("zh-CN", phrases=("查询余额", "人工")), True),
        ("查询", Expected("zh-CN", phrases=("查询余额", "查询")), False),
        ("一 二 三 四", Expected("zh-CN", digits=(4, 4)), True),
        ("", Expected("en", phrases=("",)), False),
    ],
)
def test_what_is_a_whole_answer(text: str, expected: Expected, complete: bool) -> None:
    assert is_complete(text, expected) is complete


EVENTS = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from(["clock", "voice", "silence", "", "agent", "balance", "lost"])),
    max_size=300,
)


@given(EVENTS)
def test_every_turn_ends_once_and_in_time(script: list[tuple[int, str]]) -> None:
    waits = Timeouts(max_speech_s=3.0)
    state, now, open_since = State(MENU, waits), 0, None
    for frames, kind in script:
        for event in _events(kind, now, now + frames * 160):
            state, decisions = step(state, event)
            for decision in decisions:
                if isinstance(decision, Began):
                    assert open_since is None
                    open_since = decision.sample
                else:
                    assert decision.start_sample == open_since
                    assert decision.start_sample <= decision.end_sample <= decision.decided_sample
                    open_since = None
            if isinstance(event, Clock):
                assert open_since is None or event.sample - open_since < 3 * 8000
        now += frames * 160
    assert (state.phase is Phase.WAITING) == (open_since is None)


def _events(kind: str, now: int, then: int) -> list:
    clocks = [Clock(at) for at in range(now + 480, then, 480)] + [Clock(then)]
    match kind:
        case "clock":
            return clocks
        case "voice":
            return [VoiceStart(max(0, now - 480), now), *clocks]
        case "silence":
            return [VoiceEnd(max(0, now - 480), now), *clocks]
        case _:
            return [Partial(kind), *clocks]
