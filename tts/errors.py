"""What can go wrong when text is turned into speech.

SynthesiserFailed            tts              anything below
├── VoiceMissing             tts.voice        the engine has no such voice, or it needs packages that are not there
├── EngineCrashed            tts.engine       the engine died or answered nonsense, and did so again after a restart
├── EngineTooSlow            tts.deadline     no speech within the deadline
├── NothingAudible           tts.silent       the engine made only silence of this text
├── SpeechBusy               tts.busy         too many texts are waiting
├── BadRequest               tts.request      the request is not one
├── PromptNotKept            tts.disk         no room for the prompt, neither on disk nor in memory
└── SpeechUnreachable        tts.unreachable  the speech process does not answer
"""


class SynthesiserFailed(Exception):  # noqa: N818 - the event's word
    """A text cannot be spoken now. `code` is for programs, the text for people."""

    code = "tts"


class VoiceMissing(SynthesiserFailed):
    """The engine has no such voice, or lacks the files or packages that it needs."""

    code = "tts.voice"


class EngineCrashed(SynthesiserFailed):
    """The engine died or answered nonsense, and did so again after a restart."""

    code = "tts.engine"


class EngineTooSlow(SynthesiserFailed):
    """No speech within the deadline."""

    code = "tts.deadline"


class NothingAudible(SynthesiserFailed):
    """The engine made only silence of this text."""

    code = "tts.silent"


class SpeechBusy(SynthesiserFailed):
    """Too many texts are waiting."""

    code = "tts.busy"


class BadRequest(SynthesiserFailed):
    """The request is not one."""

    code = "tts.request"


class PromptNotKept(SynthesiserFailed):
    """No room for the prompt, neither on disk nor in memory."""

    code = "tts.disk"


class SpeechUnreachable(SynthesiserFailed):
    """The speech process does not answer."""

    code = "tts.unreachable"


_KINDS: list[type[SynthesiserFailed]] = [SynthesiserFailed, *SynthesiserFailed.__subclasses__()]
_BY_CODE = {kind.code: kind for kind in _KINDS}


def from_code(code: str, detail: str) -> SynthesiserFailed:
    """The error that another process reported by its code; an unknown code gives the root."""
    return _BY_CODE.get(code, SynthesiserFailed)(detail)
