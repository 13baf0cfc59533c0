"""Whatever happens in whatever order: the engine ends, never raises, leaves nobody in silence, and can be saved."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import events
from flows.actions import Action, CancelTimer, HangUp, Note, Play, Request, StartTimer, StopPrompts
from flows.checker import check_all
from flows.flow import Flow
from flows.loader import read
from flows.problems import errors
from flows.session import Session

HERE = Path(__file__).parent
LIBRARY = [path for path in (HERE.parents[1] / "flows" / "library").glob("*.toml") if ".test." not in path.name]
SOURCES = [*sorted(LIBRARY), HERE / "everything.toml", HERE / "sub.toml"]
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

GOOD = {"status": 200, "json": {"value": 2}, "value": 0.5, "file": "x.wav", "seconds": 2.5}
EVENT = st.one_of(
    st.builds(events.CallStarted, st.just("c"), st.just("a"), st.just("b")),
    st.builds(events.PromptFinished, st.integers(0, 12)),
    st.builds(events.PromptFailed, st.integers(0, 12), st.just("broken")),
    st.just("finish"),
    st.just("timer"),
    st.just("reply"),
    st.builds(events.SpeechStarted),
    st.builds(events.SpeechPartial, st.sampled_from(SPOKEN)),
    st.builds(events.SpeechEnded, st.sampled_from(SPOKEN) | st.text(), st.sampled_from([0.0, 0.3, 0.6, 1.0])),
    st.builds(events.SpeechTooLong, st.sampled_from(SPOKEN), st.just(1.0)),
    st.builds(events.KeyPressed, st.sampled_from("0123456789*#AD") | st.text(max_size=2)),
    st.builds(events.TimerFired, st.sampled_from(["noinput", "interdigit", "speech", "request", "wait", "nonsense"])),
    st.builds(events.RecogniserFailed, st.just("gone")),
    st.builds(events.Replied, st.integers(0, 5), st.booleans(), st.just({"status": 200, "value": 0.5})),
)


def flows() -> dict[str, Flow]:
    found = [read(path.read_text("utf-8"), path.name)[0] for path in SOURCES]
    linked, problems = check_all({flow.name: flow for flow in found if flow})
    assert not errors(problems), problems
    return linked


FLOWS = flows()


@pytest.mark.parametrize("name", FLOWS)
@settings(max_examples=100, deadline=None)
@given(story=st.lists(EVENT, max_size=40))
def test_any_story(name: str, story: list[events.Event | str]) -> None:
    flow = FLOWS[name]
    session = Session.start(flow)
    all_actions: list[Action] = []
    playing: list[int] = []
    timers: dict[str, float] = {}
    ended = False
    for number, item in enumerate([events.CallStarted("c", "a", "b"), *story, events.HungUp()]):
        event = item
        if item == "reply":
            asked = [action.request for action in all_actions if isinstance(action, Request)]
            event = events.Replied(asked[-1] if asked else 0, ok=True, result=dict(GOOD))
        elif item == "finish":
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
        all_actions += actions
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
        if isinstance(event, events.HungUp):
            assert session.ended
            assert all(isinstance(action, Note) for action in actions)
            break
        assert ended is session.ended
        assert ended or playing or timers, f"silence after {event}"
        assert not (ended and timers)
