"""A call on a virtual clock: the same engine as on the phone, prompts that take their time, timers that run out.

The terminal simulator, golden conversations and their coverage are made of it. Pure: what is outside (a web service, a
random number) is asked of `outside`, which answers at once or with None for never.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flows.actions import (
    Action,
    AudioFile,
    CancelTimer,
    HangUp,
    Note,
    PausePrompt,
    Play,
    Request,
    ResumePrompt,
    Silence,
    StartTimer,
    StopPrompts,
    Text,
)
from flows.events import (
    CallStarted,
    Event,
    HungUp,
    KeyPressed,
    News,
    PromptFinished,
    QueueNews,
    RecogniserFailed,
    Replied,
    SpeechEnded,
    SpeechStarted,
    TimerFired,
)
from flows.flow import Flow
from flows.nlu.words import is_han
from flows.session import Session

SECONDS_PER_CHARACTER = 0.065
SECONDS_PER_HAN = 0.22
KEY_GAP_S = 0.3
RECORDED_S = 2.0
MUSIC_S = 24.0
MAX_EVENTS = 2_000
ENDS = ("no_agents", "full", "unavailable")
PEOPLE = ("queue", "transfer")

Outside = Callable[[Request], Replied | None]


class Who(StrEnum):
    """Whose line it is in the transcript."""

    HOTLINE = "hotline"
    CALLER = "caller"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript; `at` is seconds since the call began."""

    at: float
    who: Who
    text: str
    step: str


@dataclass(slots=True)
class _Playing:
    prompt: int
    left_s: float
    music: bool


@dataclass
class Simulation:
    """One simulated call. `now` is the virtual clock in Unix seconds; a `deaf` hotline takes keys only."""

    flow: Flow
    outside: Outside
    now: float = 1_800_000_000.0
    variables: dict[str, Any] = field(default_factory=dict)
    caller: str = "+15550100"
    call_id: str = "simulated"
    deaf: bool = False
    lines: list[Line] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    reason: str = ""

    def __post_init__(self) -> None:
        self.session = Session.start(self.flow, self.variables)
        self._began = self.now
        self._queue: list[_Playing] = []
        self._paused = False
        self._replies: list[Replied] = []
        self._timers: dict[str, float] = {}

    @property
    def over(self) -> bool:
        """Whether the call has ended and its last words were said."""
        return self.session.ended and not self._queue

    @property
    def last_at(self) -> float:
        """When the last line was said, in seconds since the call began."""
        return self.lines[-1].at if self.lines else 0.0

    def begin(self) -> None:
        """The hotline answers."""
        if self.deaf:
            self._tell(RecogniserFailed("there is no recogniser"))
        self._tell(CallStarted(self.call_id, self.caller, self.flow.name))

    def listen(self) -> None:
        """The caller hears every prompt to its end but music; what is asked of the outside is answered meanwhile."""
        self._until(lambda: self._hears_music if self.session.is_holding else self._heard_all)

    def news(self, what: str, data: dict[str, Any] | None = None) -> bool:
        """Something happens to a caller who waits for a person: one of `News`, or of ENDS. False if nobody waits."""
        asked = next((one for one in reversed(self.requests) if one.kind in PEOPLE), None)
        if asked is None or not (self.session.is_holding or self.session.is_talking):
            return False
        data = data or {}
        self._line(Who.ENGINE, " ".join([what, *(f"{name}={value}" for name, value in data.items())]))
        if what not in ENDS:
            self._tell(QueueNews(asked.request, what, data))
        if what in ENDS or what == News.ENDED:
            ended = what == News.ENDED
            outcome = what if not ended else "answered" if asked.kind == "queue" else "ended"
            self._tell(Replied(asked.request, ok=ended, result={**data, "outcome": outcome}))
        return True

    def say(self, text: str, confidence: float = 1.0) -> None:
        """The caller speaks, now: over a prompt if one is playing."""
        self._line(Who.CALLER, text)
        self._tell(SpeechStarted())
        self._pass(duration(text))
        self._tell(SpeechEnded(text, confidence))

    def key(self, keys: str) -> None:
        """The caller presses keys, now."""
        self._line(Who.CALLER, f"#{keys}")
        for key in keys:
            self._tell(KeyPressed(key))
            self._pass(KEY_GAP_S)

    def keep_silent(self) -> None:
        """The caller hears everything and waits until something happens."""
        self.listen()
        self._line(Who.CALLER, "~")
        heard, events = len(self.lines), len(self.notes)
        self._until(lambda: len(self.lines) > heard or len(self.notes) > events or not self._timers)

    def wait(self, seconds: float) -> None:
        """The caller waits so long."""
        self._line(Who.CALLER, f"~ {seconds:g} s")
        self._pass(seconds)

    def pause(self) -> None:
        """The caller stops entering keys: an entry that waits for more is over."""
        self.listen()
        if "interdigit" in self._timers:
            self._until(lambda: "interdigit" not in self._timers)

    def hang_up(self) -> None:
        """The caller hangs up."""
        self._queue.clear()
        self._tell(HungUp())

    @property
    def _heard_all(self) -> bool:
        return not self._queue and "request" not in self._timers and "wait" not in self._timers

    @property
    def _hears_music(self) -> bool:
        return not self._queue or self._queue[0].music

    def _until(self, done: Callable[[], bool]) -> None:
        for _ in range(MAX_EVENTS):
            if done() or self.over:
                return
            due = self._next()
            if due is None:
                return
            self._pass(due)

    def _next(self) -> float | None:
        """Seconds until the next thing happens by itself."""
        times = [at - self.now for at in self._timers.values()]
        if self._queue and not self._paused:
            times.append(self._queue[0].left_s)
        return max(min(times), 0.0) if times else None

    def _pass(self, seconds: float) -> None:
        """Lets time go by, with all that happens in it."""
        end = self.now + seconds
        for _ in range(MAX_EVENTS):
            due = self._next()
            if due is None or self.now + due > end + 1e-9:
                break
            self._tick(due)
            if self._queue and not self._paused and self._queue[0].left_s <= 1e-9:
                self._tell(PromptFinished(self._queue.pop(0).prompt))
                continue
            ripe = [name for name, at in self._timers.items() if at <= self.now + 1e-9]
            if ripe:
                del self._timers[ripe[0]]
                self._tell(TimerFired(ripe[0]))
        self._tick(max(end - self.now, 0.0))

    def _tick(self, seconds: float) -> None:
        self.now += seconds
        if self._queue and not self._paused:
            self._queue[0].left_s -= seconds

    def _tell(self, event: Event) -> None:
        todo: list[Event] = [event]
        while todo:
            for action in self.session.handle(todo.pop(0), self.now):
                self._do(action)
            todo += self._replies
            self._replies.clear()

    def _do(self, action: Action) -> None:
        match action:
            case Play():
                music = self.session.is_holding and all(isinstance(piece, AudioFile) for piece in action.pieces)
                if not music or self._last_heard != said(action):
                    self._line(Who.HOTLINE, said(action))
                seconds = MUSIC_S if music else sum(map(_seconds, action.pieces))
                self._queue.append(_Playing(action.prompt, seconds, music))
            case StopPrompts():
                self._queue.clear()
                self._paused = False
            case PausePrompt():
                self._paused = True
            case ResumePrompt():
                self._paused = False
            case StartTimer(timer, seconds):
                self._timers[timer] = self.now + seconds
            case CancelTimer(timer):
                self._timers.pop(timer, None)
            case Note():
                self.notes.append(action)
            case HangUp(reason):
                self.reason = reason
            case Request():
                self.requests.append(action)
                reply = self.outside(action) if len(self.requests) <= MAX_EVENTS else None  # a flow that asks for ever
                if reply is not None:
                    self._replies.append(reply)

    @property
    def _last_heard(self) -> str:
        """The hotline's last line: music is told of once, however often it is repeated."""
        return next((line.text for line in reversed(self.lines) if line.who is Who.HOTLINE), "")

    def _line(self, who: Who, text: str) -> None:
        self.lines.append(Line(self.now - self._began, who, text, self.session.step))


def said(play: Play) -> str:
    """A prompt as text."""
    return " ".join(_text(piece) for piece in play.pieces).strip()


def _text(piece: Text | AudioFile | Silence) -> str:
    match piece:
        case Text(text):
            return text
        case AudioFile(path):
            return f"[{path}]"
    return "..."


def _seconds(piece: Text | AudioFile | Silence) -> float:
    match piece:
        case Text(text):
            return duration(text)
        case Silence(seconds):
            return seconds
    return RECORDED_S


def duration(text: str) -> float:
    """About how long it takes to say this, in seconds."""
    return 0.2 + len(text) * (SECONDS_PER_HAN if is_han(text) else SECONDS_PER_CHARACTER)
