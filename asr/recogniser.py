"""What hearing asks of a recogniser, and what it gets back.

Owns the protocol and its values; each engine's adapter is a file of its own. Audio is mono 16-bit little-endian PCM at
8 kHz throughout.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller may say now.

    `phrases` are whole answers, `digits` is (fewest, most) where digits are expected, `words` are further single words.
    All empty: free speech.
    """

    language: str
    phrases: tuple[str, ...] = ()
    digits: tuple[int, int] | None = None
    words: tuple[str, ...] = ()

    @property
    def is_free(self) -> bool:
        """True where nothing limits what may be said."""
        return not (self.phrases or self.digits or self.words)


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word. Times are seconds, from the first sample of whatever holds the word; confidence is 0..1."""

    word: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance as text. Empty text: noise, or nothing the recogniser knows; its confidence is then 0."""

    text: str
    confidence: float
    words: tuple[Word, ...] = ()


NOTHING = Heard("", 0.0)


class Turn(Protocol):
    """One utterance under recognition. One thread at a time; every method may raise RecogniserError."""

    def accept(self, pcm8k: bytes) -> str | None:
        """Takes the next piece of sound, of any length; returns the guess so far where it changed, else None."""

    def finish(self) -> Heard:
        """Ends the turn. Word times count from the first sample accepted."""

    def close(self) -> None:
        """Frees what the turn holds, finished or not; may be called twice."""


class Recogniser(Protocol):
    """One language of one engine, loaded once for many turns at a time."""

    language: str

    def open(self, expect: Expected) -> Turn:
        """Begins a turn. Raises RecogniserError."""

    def unknown_words(self, words: Iterable[str]) -> list[str]:
        """Those of the words that this model can never recognise, in their order, each once."""
