"""What the dialogue engine is told: everything that can happen in a call, as values.

Owns the event types only; `flows.actions` has what the engine answers. Times are Unix seconds and travel as the `now`
argument of `step`, never inside an event.
"""

from dataclasses import dataclass, field
from enum import StrEnum
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


class News(StrEnum):
    """What happens between a `Request` for a person and the `Replied` that ends it, and what its data holds."""

    JOINED = "joined"
    """The caller waits in the queue: `position` (from 1), `expected_wait_s` (None where nobody can tell) and, where the
    queue has settings of its own, `announce`: {position, holdtime} as in the request."""
    POSITION = "position"
    """The caller's place or the expected wait has changed: `position`, `expected_wait_s`."""
    OFFERED = "offered"
    """An agent's phone rings: `agent`. May come again, when another agent is tried."""
    ANSWERED = "answered"
    """The caller is about to hear the agent: `agent`, `display`. The engine stops its prompts in the same moment and
    leaves keys and speech to the bridge, until `Replied`."""
    ENDED = "ended"
    """The talk is over: `by` ("agent" or "hotline"). `Replied` follows at once."""


@dataclass(frozen=True, slots=True)
class QueueNews:
    """Something has happened to a caller who waits for a person, by the number of the `Request` that began it.

    For requests of the kinds "queue" (all of `News`) and "transfer" (only ANSWERED and ENDED, and only where the
    hotline stays in the call as a bridge). News of a request that is over, or of a kind nobody knows, changes nothing.
    """

    request: int
    news: News | str
    data: dict[str, Any] = field(default_factory=dict)


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
    | QueueNews
    | Replied
)
