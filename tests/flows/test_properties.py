"""Whatever happens in whatever order: the engine ends, never raises, leaves nobody in silence, and can be saved."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import events
from flows.actions import CancelTimer, HangUp, Play, StartTimer, StopPrompts
from flows.loader import read
from flows.session import Session

LIBRARY = sorted((Path(__file__).parents[2] / "flows" / "library").glob("*[a-z].toml"))
SPOKEN = [
    "",
    "[unk]",
    "balance",
    "lost card",
    "yes",
    "no",
    "one two three four",
    "help",
    "repeat",
    "go back",
    "mm",
    "fish",
    "1",
]

EVENT = st.one_of(
    st.builds(events.CallStarted, st.just("c"), st.just("a"), st.just("b")),
    st.builds(events.PromptFinished, st.integers(0, 12)),
    st.builds(events.PromptFailed, st.integers(0, 12), st.just("broken")),
    st.just("finish"),
    st.just("timer"),
    st.builds(events.SpeechStarted),
    st.builds(events.SpeechPartial, st.sampled_from(SPOKEN)),
    st.builds(events.SpeechEnded, st.sampled_from(SPOKEN) | st.text(), st.sampled_from([0.0, 0.3, 0.6, 1.0])),
    st.builds(events.SpeechTooLong, st.sampled_from(SPOKEN), st.just(1.0)),
    st.builds(events.KeyPressed, st.sampled_from("0123456789*#AD") | st.text(max_size=2)),
    st.builds(events.TimerFired, st.sampled_from(["noinput", "interdigit", "speech", "request", "wait", "nonsense"])),
    st.builds(events.RecogniserFailed, st.just("gone")),
    st.builds(events.Replied, st.integers(0, 5), st.booleans(), st.just({"status": 200, "value": 0.5})),
)


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
@settings(max_examples=60, deadline=None)
@given(story=st.lists(EVENT, max_size=40))
def test_any_story(path: Path, story: list[events.Event | str]) -> None:
    flow, problems = read(path.read_text("utf-8"), path.name)
    assert flow is not None, problems
    session = Session.start(flow)
    playing: list[int] = []
    timers: dict[str, float] = {}
    ended = False
    for number, item in enumerate([events.CallStarted("c", "a", "b"), *story]):
        event = item
        if item == "finish":
            event = events.PromptFinished(playing[0] if playing else 0)
        elif item == "timer":
            event = events.TimerFired(min(timers, default="none"))
        if isinstance(event, events.PromptFinished | events.PromptFailed) and event.prompt in playing:
            playing = playing[playing.index(event.prompt) + 1 :]
        if isinstance(event, events.TimerFired):
            timers.pop(event.timer, None)
        saved = json.loads(json.dumps(session.snapshot()))
        again = Session.resume(flow, saved)
        actions = session.handle(event, float(number))
        assert actions == again.handle(event, float(number))
        assert session.snapshot() == again.snapshot()
        for action in actions:
            match action:
                case Play(prompt):
                    assert prompt not in playing
                    playing.append(prompt)
                case StopPrompts():
                    playing.clear()
                case StartTimer(timer, seconds):
                    timers[timer] = seconds
                case CancelTimer(timer):
                    del timers[timer]
                case HangUp():
                    assert not ended
                    ended = True
        assert ended is session.ended
        assert ended or playing or timers, f"silence after {event}"
        assert not (ended and timers)
