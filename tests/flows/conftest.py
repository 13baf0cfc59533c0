"""A caller for flows: says, keys and keeps silent on a virtual clock, and remembers what was heard."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from flows.actions import (
    Action,
    CancelTimer,
    HangUp,
    Listen,
    Note,
    PausePrompt,
    Play,
    Request,
    ResumePrompt,
    StartTimer,
    StopPrompts,
    Text,
)
from flows.events import (
    CallStarted,
    Event,
    KeyPressed,
    PromptFinished,
    QueueNews,
    Replied,
    SpeechEnded,
    SpeechStarted,
    TimerFired,
)
from flows.flow import Flow
from flows.loader import read
from flows.session import Session


@dataclass
class Caller:
    """Talks to a session. Prompts play until `listen_out`; timers fire only in `wait_for`."""

    session: Session
    now: float = 1_000_000.0
    actions: list[Action] = field(default_factory=list)
    playing: list[int] = field(default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    paused: bool = False

    def tell(self, event: Event) -> tuple[Action, ...]:
        actions = self.session.handle(event, self.now)
        for action in actions:
            match action:
                case Play(prompt):
                    self.playing.append(prompt)
                case StopPrompts():
                    self.playing.clear()
                    self.paused = False
                case PausePrompt():
                    self.paused = True
                case ResumePrompt():
                    self.paused = False
                case StartTimer(timer, seconds):
                    self.timers[timer] = self.now + seconds
                case CancelTimer(timer):
                    self.timers.pop(timer, None)
        self.actions += actions
        return actions

    def call(self) -> "Caller":
        self.tell(CallStarted("call-1", "+4912345", "hotline"))
        return self

    def listen_out(self) -> "Caller":
        """Hears every prompt to its end."""
        while self.playing:
            self.tell(PromptFinished(self.playing.pop(0)))
        return self

    def say(self, text: str, confidence: float = 1.0) -> "Caller":
        self.tell(SpeechStarted())
        self.tell(SpeechEnded(text, confidence))
        return self

    def key(self, keys: str) -> "Caller":
        for key in keys:
            self.tell(KeyPressed(key))
        return self

    def silence(self) -> "Caller":
        """Hears everything and waits until the next timer runs out."""
        self.listen_out()
        timer = min(self.timers, key=lambda name: self.timers[name])
        self.now = self.timers.pop(timer)
        self.tell(TimerFired(timer))
        return self

    def later(self, seconds: float, timer: str) -> tuple[Action, ...]:
        """Time goes by and this timer runs out."""
        self.now += seconds
        self.timers.pop(timer, None)
        return self.tell(TimerFired(timer))

    def asked(self, kind: str = "queue") -> Request:
        """The last request of this kind."""
        return next(one for one in reversed(self.actions) if isinstance(one, Request) and one.kind == kind)

    def news(self, what: str, kind: str = "queue", **data: Any) -> tuple[Action, ...]:
        """Something happens to the caller who waits."""
        return self.tell(QueueNews(self.asked(kind).request, what, data))

    def over(self, outcome: str, kind: str = "queue", **data: Any) -> tuple[Action, ...]:
        """The last request of this kind ends so."""
        ok = outcome in ("answered", "transferred", "ended")
        return self.tell(Replied(self.asked(kind).request, ok=ok, result={"outcome": outcome, **data}))

    @property
    def plays(self) -> list[tuple[Any, ...]]:
        """The pieces of every prompt."""
        return [action.pieces for action in self.actions if isinstance(action, Play)]

    @property
    def heard(self) -> list[str]:
        """Every text that was played."""
        texts = [action for action in self.actions if isinstance(action, Play)]
        return ["".join(piece.text for piece in play.pieces if isinstance(piece, Text)) for play in texts]

    @property
    def notes(self) -> list[tuple[str, dict[str, Any]]]:
        return [(action.kind, action.data) for action in self.actions if isinstance(action, Note)]

    def noted(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.notes if name == kind]

    @property
    def hung_up(self) -> str | None:
        return next((action.reason for action in self.actions if isinstance(action, HangUp)), None)

    @property
    def listens(self) -> list[Listen]:
        return [action for action in self.actions if isinstance(action, Listen)]


@pytest.fixture
def flow_of() -> Callable[[str], Flow]:
    """Reads a flow from the text of its steps; a header is put before it where it has none."""

    def build(text: str) -> Flow:
        if not text.lstrip().startswith("flow ="):
            text = f'flow = "test"\nversion = 1\nstart = "start"\n{text}'
        flow, problems = read(text, "test.toml")
        assert flow is not None, "\n".join(map(str, problems))
        return flow

    return build


@pytest.fixture
def calling(flow_of: Callable[[str], Flow]) -> Callable[..., Caller]:
    """A caller whose call to this flow has just begun."""

    def begin(text: str, **variables: Any) -> Caller:
        return Caller(Session.start(flow_of(text), variables)).call()

    return begin


@pytest.fixture
def caller_of() -> type[Caller]:
    """The caller's class, for calls at a given time."""
    return Caller
