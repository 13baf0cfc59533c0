"""Recognition by vosk. The only file that imports it.

Load a model before forking: children share its memory. A turn is a new vosk recogniser each time, because a long-lived
one grows; it costs 0.3 ms with the starter model.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from vosk import KaldiRecognizer, Model, SetLogLevel

from asr.digits import digit_words, sounds_like_a_digit
from asr.errors import ModelError, RecogniserError
from asr.recogniser import NOTHING, Expected, Heard, Word

RATE_HZ = 8000
UNKNOWN = "[unk]"


def load(folder: Path, language: str) -> "VoskRecogniser":
    """Reads the model of a folder, once for the whole process. Raises ModelError, saying what is wrong."""
    if not (folder / "am" / "final.mdl").is_file() and not (folder / "final.mdl").is_file():
        what = "is not a vosk model (no am/final.mdl in it)" if folder.is_dir() else "does not exist"
        raise ModelError(f"{folder} {what}")
    SetLogLevel(-1)
    try:
        model = Model(str(folder))
    except Exception as exc:
        raise ModelError(f"{folder}: vosk cannot load this model") from exc
    return VoskRecogniser(model, language)


class VoskRecogniser:
    """One loaded model. Safe for many turns in many threads at a time."""

    def __init__(self, model: Model, language: str) -> None:
        self.language = language
        self._model = model

    def open(self, expect: Expected) -> "VoskTurn":
        """Begins a turn limited to what is expected; free speech uses the model's own language model."""
        grammar = None
        if not expect.is_free:
            grammar = grammar_of(expect, self._knows)
        try:
            return VoskTurn(self._model, grammar)
        except Exception as exc:
            raise RecogniserError(f"vosk cannot begin a turn: {exc}") from exc

    def unknown_words(self, words: Iterable[str]) -> list[str]:
        """Those of the words (phrases are split into words) that are not in the model's word list."""
        single = (word for phrase in words for word in phrase.lower().split())
        return list(dict.fromkeys(word for word in single if split_words(word, self._knows) is None))

    def _knows(self, word: str) -> bool:
        return int(self._model.vosk_model_find_word(word)) >= 0


def grammar_of(expect: Expected, knows: Callable[[str], bool]) -> list[str]:
    """The phrases of a vosk grammar, in words the model knows.

    vosk drops a word it does not know and keeps the rest of the phrase, which would then be heard for the whole; so a
    phrase with such a word is left out. vosk also mixes the words of all phrases, so beside digits a phrase with "to"
    would turn every second "two" into it: left out as well. `[unk]` takes the sounds that fit nothing (and must always
    be there).
    """
    single = (*expect.words, *(digit_words(expect.language) if expect.digits else ()))
    safe = (one for one in expect.phrases if not (expect.digits and sounds_like_a_digit(one, expect.language)))
    known = (split_words(phrase, knows) for phrase in (*safe, *single))
    return [*dict.fromkeys(" ".join(words) for words in known if words), UNKNOWN]


def split_words(phrase: str, knows: Callable[[str], bool]) -> list[str] | None:
    """The model's words that make up a phrase, or None where it lacks one.

    A piece between spaces that is no word of the model is cut into the fewest words that are, which is how Mandarin,
    written without spaces, gets its words.
    """
    found: list[str] = []
    for piece in phrase.lower().split():
        words = [piece] if knows(piece) else _fewest_words(piece, knows)
        if words is None:
            return None
        found += words
    return found


def _fewest_words(piece: str, knows: Callable[[str], bool]) -> list[str] | None:
    if piece.isascii():
        return None
    best: list[list[str] | None] = [[]] + [None] * len(piece)
    for end in range(1, len(piece) + 1):
        for start in range(end):
            before = best[start]
            here = best[end]
            if before is None or (here is not None and len(here) <= len(before) + 1):
                continue
            if knows(piece[start:end]):
                best[end] = [*before, piece[start:end]]
    return best[-1]


class VoskTurn:
    """One utterance. vosk ends a result by itself at a longer pause: the results are joined, so that a pause inside a
    digit string loses nothing. Its word times go on counting through those.
    """

    def __init__(self, model: Model, grammar: Sequence[str] | None) -> None:
        arguments = [] if grammar is None else [json.dumps(grammar, ensure_ascii=False)]
        self._vosk: Any = KaldiRecognizer(model, float(RATE_HZ), *arguments)
        self._vosk.SetWords(True)
        self._words: list[Word] = []
        self._text = ""

    def accept(self, pcm8k: bytes) -> str | None:
        """Takes sound; returns the whole utterance's text so far where it changed. Releases the GIL meanwhile."""
        try:
            if self._vosk.AcceptWaveform(pcm8k):
                self._words += _words(self._vosk.Result())
                partial = ""
            else:
                partial = json.loads(self._vosk.PartialResult())["partial"]
        except Exception as exc:
            raise RecogniserError(f"vosk failed on sound: {exc}") from exc
        text = " ".join([word.word for word in self._words] + [w for w in partial.split() if w != UNKNOWN])
        if text == self._text:
            return None
        self._text = text
        return text

    def finish(self) -> Heard:
        """Ends the turn. Its confidence is that of the least certain word (see docs/models.md for the measurement)."""
        try:
            self._words += _words(self._vosk.FinalResult())
        except Exception as exc:
            raise RecogniserError(f"vosk failed to end a turn: {exc}") from exc
        if not self._words:
            return NOTHING
        text = " ".join(word.word for word in self._words)
        return Heard(text, min(word.confidence for word in self._words), tuple(self._words))

    def close(self) -> None:
        """Frees vosk's memory of this turn."""
        self._vosk = None


def _words(result: str) -> list[Word]:
    found = json.loads(result).get("result", [])
    return [
        Word(item["word"], item["start"], item["end"], min(1.0, item["conf"]))
        for item in found
        if item["word"] != UNKNOWN
    ]
