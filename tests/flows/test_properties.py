"""Whatever happens in whatever order: the engine ends, never raises, leaves nobody in silence, and can be saved."""

import json
from pathlib import Path
from typing import Any

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

NEWS = [*events.News, "nonsense"]
TOLD = [
    {},
    {"position": 3, "expected_wait_s": 200, "announce": {"position": "yes", "holdtime": "once"}},
    {"position": 12, "expected_wait_s": None, "announce": {"position": "more"}},
    {"position": "x", "expected_wait_s": float("nan"), "announce": 5, "agent": ["a"]},
    {"agent": "anna", "display": "Anna"},
]
OUTCOMES = ["answered", "no_agents", "full", "unavailable", "left", "transferred", "ended", "busy", "failed", 5, None]
GOOD = {
    "status": 200,
    "json": {"value": 2},
    "value": 0.5,
    "file": "x.wav",
    "seconds": 2.5,
    "logged_in": 1,
    "position": 2,
}
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
    st.builds(events.TimerFired, st.sampled_from(["max_wait", "comfort", "position", "music"])),
    st.tuples(st.just("news"), st.sampled_from(NEWS), st.sampled_from(TOLD)),
    st.builds(events.QueueNews, st.integers(0, 5), st.sampled_from(NEWS), st.sampled_from(TOLD)),
    st.tuples(st.just("over"), st.booleans(), st.sampled_from(OUTCOMES)),
    st.builds(events.RecogniserFailed, st.just("gone")),
    st.builds(events.Replied, st.integers(0, 5), st.booleans(), st.just({"status": 200, "value": 0.5})),
)


PEOPLE = ("queue", "transfer")


def _event(item: Any, asked: list[Request], playing: list[int], timers: dict[str, float]) -> events.Event:
    """What an item of a story means now: news and answers are of the last request, prompts end in their order."""
    last = asked[-1].request if asked else 0
    person = next((one.request for one in reversed(asked) if one.kind in PEOPLE), 0)
    match item:
        case "reply":
            return events.Replied(last, ok=True, result=dict(GOOD))
        case "finish":
            return events.PromptFinished(playing[0] if playing else 0)
        case "timer":
            return events.TimerFired(min(timers, default="none"))
        case "news", news, data:
            return events.QueueNews(person, news, data)
        case "over", ok, outcome:
            return events.Replied(person, ok=ok, result={"outcome": outcome})
    assert not isinstance(item, str | tuple)
    return item


def flows() -> dict[str, Flow]:
    found = [read(path.read_text("utf-8"), path.name)[0] for path in SOURCES]
    people = (HERE / "everything.toml").read_text("utf-8").replace('flow = "everything"', 'flow = "people"')
    found.append(read(people.replace('start = "hello"', 'start = "queue"'), "people.toml")[0])
    linked, problems = check_all({flow.name: flow for flow in found if flow})
    assert not errors(problems), problems
    return linked


FLOWS = flows()
LONGEST_SILENCE_S = 20.0  # max_speech, and the time that the recogniser has behind it


def _is_the_callers_turn(flow: Flow, session: Session) -> bool:
    """Whether the author asked for the silence: somebody records a message, or a wait step waits."""
    kinds = {step.type for one in (flow, *flow.callees.values()) if (step := one.steps.get(session.step))}
    return bool(kinds & {"record", "voicemail", "wait"})


@pytest.mark.parametrize("name", FLOWS)
@settings(max_examples=100, deadline=None)
@given(story=st.lists(EVENT, max_size=40))
def test_any_story(name: str, story: list[Any]) -> None:
    flow = FLOWS[name]
    session = Session.start(flow)
    all_actions: list[Action] = []
    playing: list[int] = []
    timers: dict[str, float] = {}
    ended = False
    for number, item in enumerate([events.CallStarted("c", "a", "b"), *story, events.HungUp()]):
        event = _event(item, [one for one in all_actions if isinstance(one, Request)], playing, timers)
        if isinstance(event, events.PromptFinished | events.PromptFailed) and event.prompt in playing:
            playing = playing[playing.index(event.prompt) + 1 :]
        if isinstance(event, events.TimerFired):
            timers.pop(event.timer, None)
        saved = json.loads(json.dumps(session.snapshot()))
        assert len(json.dumps(saved)) < 20_000
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
        assert ended or playing or timers or session.is_talking, f"silence after {event}"
        if timers and not playing and not ended and not session.is_talking and not _is_the_callers_turn(flow, session):
            assert min(timers.values()) <= LONGEST_SILENCE_S, f"silence too long after {event}"
        assert not (session.is_talking and playing), "music in a talk"
        assert not (ended and timers)
