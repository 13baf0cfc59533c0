"""What the dialogue engine asks for, as values. The conversation carries them out in the order given."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class BargeIn(StrEnum):
    """Whether the caller may speak over a prompt. HOTWORD: only a match with what is expected stops it."""

    YES = "true"
    NO = "false"
    HOTWORD = "hotword"


@dataclass(frozen=True, slots=True)
class Text:
    """Words to be spoken, plain text in the language of the `Play` that holds it."""

    text: str


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A recorded prompt, a path as the flow's author wrote it (relative to the flow file's folder)."""

    path: str


@dataclass(frozen=True, slots=True)
class Silence:
    """A pause inside a prompt."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Play:
    """Play a prompt. Prompts are numbered within the call; a new one queues behind those still playing.

    `secret` says that the text holds what the caller entered in confidence: it is spoken, but not written down.
    """

    prompt: int
    pieces: tuple[Text | AudioFile | Silence, ...]
    language: str
    voice: str
    barge_in: BargeIn
    step: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class PausePrompt:
    """Fall silent within one 20 ms frame and remember the place."""


@dataclass(frozen=True, slots=True)
class ResumePrompt:
    """Go on where `PausePrompt` stopped."""


@dataclass(frozen=True, slots=True)
class StopPrompts:
    """Fall silent within one 20 ms frame and forget every prompt; none of them reports that it finished."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What the caller may say now, for the recogniser and the end-pointer.

    `phrases` are whole answers (a menu's words, yes/no words, list items). `digits` is (fewest, most) where digits are
    expected, else None; `words` are further single words a recogniser's grammar must hold. All empty: free speech.
    Durations are seconds: FLOWS.md's complete_timeout, incomplete_timeout and max_speech.
    """

    language: str
    phrases: tuple[str, ...] = ()
    digits: tuple[int, int] | None = None
    words: tuple[str, ...] = ()
    complete_timeout_s: float = 0.4
    incomplete_timeout_s: float = 1.0
    max_speech_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Listen:
    """From now on recognise what the caller says (prompts may still be playing), until `StopListening`.

    Another `Listen` replaces the one before it and drops an utterance under way.
    """

    expect: Expect


@dataclass(frozen=True, slots=True)
class StopListening:
    """Recognise nothing until the next `Listen`; an utterance under way is dropped."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Send `TimerFired(timer)` after this many seconds. The same name again restarts it."""

    timer: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer; cancelling one that does not run is no error."""

    timer: str


@dataclass(frozen=True, slots=True)
class Request:
    """Do something outside and answer with `Replied(request=...)`; a kind nobody can do is answered with ok=False.

    Kinds: "http", "random", "record", "recording", "send_dtmf", "staffing", "callback"; the engine runs a timer of its
    own beside each. And those with a person at the other end. Arguments -> result (times are Unix seconds):

    "queue" {queue, skills {name: lowest level}, priority, language, joined, announce {position, holdtime}, whisper,
    voice, context} begins to wait; `QueueNews` tells how it goes. -> {outcome: answered | no_agents | full |
    unavailable | left, agent, by, reason}; ok only for "answered": the talk with the agent is over, the flow goes on.
    `joined` is when the caller first came to this queue in this call: one who comes back has kept the place. `announce`
    holds what the author set ("yes", "no", "limit", "more"; "yes", "no", "once"); the queue's own settings count for
    what is missing. `whisper` (a tuple of Text, AudioFile, Silence, spoken in `language` and `voice`) is for the agent
    alone, before the bridge. `context` are texts for the agent, name: text. The engine owns music, announcements,
    the longest wait and the key to leave.
    "queue_leave" {reason: exit_key | timeout} ends the wait. The engine goes on at once: it waits for no answer, nor
    for that of the "queue" request, and another "queue" request may be right behind.
    "queue_priority" {priority} for this call, now and in queues to come; the engine waits for no answer.
    "staffing" {queue} -> {logged_in, ready, waiting, expected_wait_s}.
    "callback" {number, queue, joined, at, skills, priority, language, context} -> {position, ticket}; `at` is None for
    the place in the queue that the caller has had since `joined` (None for one who has not waited there).
    "transfer" {to, mode: blind | attended | bridge, dtmf, whisper, language, voice, timeout_s} -> {outcome: transferred
    (the call has left us) | ended (the bridge is over) | busy | no_answer | refused | failed}, ok for the first two.
    Music plays until ANSWERED or the reply. `dtmf` are keys for the other side once it has answered; each "," in it is
    a pause of one second.
    """

    request: int
    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call once the prompts before it have been played. `reason` goes into the archive."""

    reason: str = "completed"


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the call's archive: a step entered, a variable set, an utterance matched. `data` is plain JSON."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


Action = (
    Play
    | PausePrompt
    | ResumePrompt
    | StopPrompts
    | Listen
    | StopListening
    | StartTimer
    | CancelTimer
    | Request
    | HangUp
    | Note
)
