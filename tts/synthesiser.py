"""What an engine must do to be one."""

from dataclasses import dataclass
from typing import Protocol

from telephony.audio import Pcm


@dataclass(frozen=True, slots=True)
class Speech:
    """What an engine made of a text: mono samples at the engine's own rate, level and silence as they come."""

    pcm: Pcm
    rate_hz: int


class Synthesiser(Protocol):
    """Turns text into sound, one text at a time."""

    def synthesise(self, text: str, language: str, voice: str) -> Speech:
        """Speaks plain text (already normalised) with the engine's own voice name; blocks until all of it is made.

        `language` is a BCP 47 tag. Text with nothing to say gives no samples. Not to be called from two threads at
        once. Raises VoiceMissing, EngineCrashed, EngineTooSlow.
        """
        ...

    def close(self) -> None:
        """Ends the engine; no call follows."""
        ...
