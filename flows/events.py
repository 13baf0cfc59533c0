"""What the dialogue engine is told: everything that can happen in a call, as values.

Owns the event types only; `flows.actions` has what the engine answers. Times are Unix seconds and travel as the `now`
argument of `step`, never inside an event.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The caller's leg is answered and media flows. `caller` and `called` are the user parts of From and To."""

    call_id: str
    caller: str
    called: str


@dataclass(frozen=True, slots=True)
class PromptFinished:
    """The prompt with this number was played to its end."""

    prompt: int


@dataclass(frozen=True, slots=True)
class PromptFailed:
    """The prompt with this number cannot be played (the synthesiser failed, a file is missing)."""

    prompt: int
    reason: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Voice activity began on the caller's leg."""


@dataclass(frozen=True, slots=True)
class SpeechPartial:
    """The recogniser's present guess of the utterance under way."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The utterance is over. `text` is empty when it was noise or nothing known; `confidence` is 0..1."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class SpeechTooLong:
    """The caller spoke for `max_speech` without a pause; `text` is what was understood until then."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """One DTMF key, `0`-`9`, `*`, `#`, `A`-`D` (RFC 4733 section 3.2)."""

    key: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The timer that a `StartTimer` action named has run out."""

    timer: str


@dataclass(frozen=True, slots=True)
class RecogniserFailed:
    """There is no recogniser for the rest of this call: steps go on by touch-tones."""

    reason: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """The call is over; no action is carried out after this."""

    by: str = "caller"


@dataclass(frozen=True, slots=True)
class Replied:
    """The answer to a `Request` action (http, random number, ...), matched by its number."""

    request: int
    ok: bool
    result: dict[str, Any] = field(default_factory=dict)


Event = (
    CallStarted
    | PromptFinished
    | PromptFailed
    | SpeechStarted
    | SpeechPartial
    | SpeechEnded
    | SpeechTooLong
    | KeyPressed
    | TimerFired
    | RecogniserFailed
    | HungUp
    | Replied
)
