"""A recogniser that hears what it is told, at the sample it is told. For tests and benchmarks."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asr.digits import digit_words
from asr.errors import RecogniserError
from asr.recogniser import NOTHING, Expected, Heard, Word

RATE_HZ = 8000


@dataclass(frozen=True, slots=True)
class Script:
    """One turn: partial texts by the seconds of sound after which they come, the final result, and mishaps.

    `breaks_at_s` raises at that point of the sound, `hangs_at_s` blocks there until `FakeRecogniser.release`.
    """

    partials: tuple[tuple[float, str], ...] = ()
    final: Heard = NOTHING
    breaks_at_s: float | None = None
    hangs_at_s: float | None = None


def says(text: str, *, after_s: float = 0.3, word_s: float = 0.3, confidence: float = 1.0) -> Script:
    """A turn in which these words are heard, one after the other."""
    words = text.split()
    times = [after_s + index * word_s for index in range(len(words))]
    partials = tuple((time + word_s, " ".join(words[: index + 1])) for index, time in enumerate(times))
    heard = tuple(Word(word, time, time + word_s, confidence) for word, time in zip(words, times, strict=True))
    return Script(partials, Heard(text, confidence if words else 0.0, heard))


class FakeRecogniser:
    """Plays one script a turn, in order; after the last, or with none, each turn hears the first thing expected.

    `hanging` is set once a turn hangs.
    """

    def __init__(self, scripts: Sequence[Script] = (), language: str = "en", unknown: Iterable[str] = ()) -> None:
        self.language = language
        self.opened: list[Expected] = []
        self.turns: list[FakeTurn] = []
        self._scripts = list(scripts)
        self._unknown = set(unknown)
        self.hanging = threading.Event()
        self._released = threading.Event()

    def open(self, expect: Expected) -> "FakeTurn":
        """Begins the next turn of the script."""
        self.opened.append(expect)
        script = self._scripts.pop(0) if self._scripts else says(_first_expected(expect))
        turn = FakeTurn(script, self.hanging, self._released)
        self.turns.append(turn)
        return turn

    def unknown_words(self, words: Iterable[str]) -> list[str]:
        """Those of the words that the test declared unknown."""
        return list(dict.fromkeys(word for word in words if word in self._unknown))

    def release(self) -> None:
        """Lets every hanging turn go on."""
        self._released.set()


class FakeTurn:
    """One scripted turn; `samples` counts what it was given."""

    def __init__(self, script: Script, hanging: threading.Event, released: threading.Event) -> None:
        self.samples = 0
        self.closed = False
        self._script = script
        self._hanging = hanging
        self._released = released
        self._text = ""

    def accept(self, pcm8k: bytes) -> str | None:
        """Counts the sound; gives the newest partial text whose time has come."""
        self.samples += len(pcm8k) // 2
        heard_s = self.samples / RATE_HZ
        script = self._script
        if script.breaks_at_s is not None and heard_s >= script.breaks_at_s:
            raise RecogniserError("the script breaks here")
        if script.hangs_at_s is not None and heard_s >= script.hangs_at_s:
            self._hanging.set()
            self._released.wait()
        due = [text for time_s, text in script.partials if time_s <= heard_s]
        if not due or due[-1] == self._text:
            return None
        self._text = due[-1]
        return self._text

    def finish(self) -> Heard:
        """The script's result, whatever sound there was."""
        return self._script.final

    def close(self) -> None:
        """Remembers that it was closed."""
        self.closed = True


def _first_expected(expect: Expected) -> str:
    if expect.phrases:
        return expect.phrases[0]
    if expect.digits:
        digits = [word for word in digit_words(expect.language) if word not in ("zero", "零", "oh", "double", "triple")]
        return " ".join((digits * expect.digits[0])[: max(1, expect.digits[0])])
    return expect.words[0] if expect.words else "hello"
