"""A recogniser that costs what a big one costs: the stand-in for capacity benchmarks where no big model can be had.

It burns CPU time with the GIL released, as vosk does, and passes on what another recogniser heard.
"""

import hashlib
import time
from collections.abc import Iterable

from asr.recogniser import Expected, Heard, Recogniser, Turn

# The official small English model: 0.12 s of CPU for each second of sound.
RTF = 0.12

_BYTES_A_SECOND = 16000
# About 0.3 ms of work at a time; hashlib releases the GIL in it.
_ROUNDS = 500


class BurnRecogniser:
    """Wraps a recogniser; every turn costs `rtf` seconds of CPU a second of sound more."""

    def __init__(self, inner: Recogniser, rtf: float = RTF) -> None:
        self.language = inner.language
        self._inner = inner
        self._rtf = rtf

    def open(self, expect: Expected) -> "BurnTurn":
        """Begins a turn of the wrapped recogniser."""
        return BurnTurn(self._inner.open(expect), self._rtf)

    def unknown_words(self, words: Iterable[str]) -> list[str]:
        """The wrapped recogniser's answer."""
        return self._inner.unknown_words(words)


class BurnTurn:
    """One turn that burns on each sound."""

    def __init__(self, inner: Turn, rtf: float) -> None:
        self._inner = inner
        self._rtf = rtf

    def accept(self, pcm8k: bytes) -> str | None:
        """Burns, then passes the sound on."""
        burn(self._rtf * len(pcm8k) / _BYTES_A_SECOND)
        return self._inner.accept(pcm8k)

    def finish(self) -> Heard:
        """The wrapped turn's result."""
        return self._inner.finish()

    def close(self) -> None:
        """Closes the wrapped turn."""
        self._inner.close()


def burn(cpu_s: float) -> None:
    """Uses this many seconds of the calling thread's CPU time, however long that takes on a busy machine."""
    end = time.thread_time() + cpu_s
    while time.thread_time() < end:
        hashlib.pbkdf2_hmac("sha256", b"burn", b"salt", _ROUNDS)
