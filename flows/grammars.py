"""Words and keys to answers: what a grammar is, and those for choices, yes and no, and digits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flows.functions import Value
from flows.nlu import digits, yesno
from flows.nlu.choices import choose
from flows.nlu.words import normal
from flows.steps.base import Phrases
from flows.wording import wording


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller answered. `text` says it back; `target` is the step it leads to, "" where the step decides."""

    value: Value
    text: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """The keys so far may become an answer with more keys, or when the caller stops."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the recogniser may expect."""

    phrases: tuple[str, ...] = ()
    digits: tuple[int, int] | None = None
    words: tuple[str, ...] = ()


class Grammar(Protocol):
    """Turns words and keys into an answer."""

    def expected(self) -> Expected:
        """What may be said."""

    def hear(self, text: str) -> Answer | None:
        """The answer in recognised text, None where there is none."""

    def press(self, keys: str, finished: bool) -> Answer | Wait | None:
        """The answer in the keys so far; `finished` when the caller ended the entry or stopped. None: no answer."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose, by words or keys."""

    answer: Answer
    phrases: tuple[str, ...]
    key: str


class Choices:
    """One of several options. Where no phrase fits, a spoken digit chooses like its key ("press or say one")."""

    def __init__(self, options: Sequence[Option], language: str) -> None:
        self.options = options
        self.language = language

    def expected(self) -> Expected:
        phrases = tuple(normal(phrase) for option in self.options for phrase in option.phrases)
        speaks_keys = any(option.key.isdigit() for option in self.options)
        return Expected(phrases, words=digits.words(self.language) if speaks_keys else ())

    def hear(self, text: str) -> Answer | None:
        place = choose(text, [option.phrases for option in self.options])
        if place is not None:
            return self.options[place].answer
        said = digits.digits(text)
        return next((option.answer for option in self.options if said and option.key == said), None)

    def press(self, keys: str, finished: bool) -> Answer | Wait | None:
        exact = next((option for option in self.options if option.key == keys), None)
        longer = any(option.key.startswith(keys) and option.key != keys for option in self.options)
        if longer and not finished:
            return Wait()
        return exact.answer if exact else None


class YesNo:
    """Yes or no."""

    def __init__(self, language: str, yes_key: str = "1", no_key: str = "2") -> None:
        self.language = language
        self.keys = {yes_key: True, no_key: False}

    def expected(self) -> Expected:
        return Expected(yesno.phrases(self.language), words=yesno.more_words(self.language))

    def hear(self, text: str) -> Answer | None:
        return self._answer(yesno.yes_or_no(text))

    def press(self, keys: str, finished: bool) -> Answer | Wait | None:  # noqa: ARG002 - one key is a whole answer
        return self._answer(self.keys.get(keys))

    def _answer(self, value: bool | None) -> Answer | None:
        return None if value is None else Answer(value, wording(self.language)["yes" if value else "no"])


class Digits:
    """A string of digits."""

    def __init__(self, fewest: int, most: int, language: str) -> None:
        self.fewest = fewest
        self.most = most
        self.language = language

    def expected(self) -> Expected:
        return Expected(digits=(self.fewest, self.most), words=digits.words(self.language))

    def hear(self, text: str) -> Answer | None:
        return self._answer(digits.digits(text) or "")

    def press(self, keys: str, finished: bool) -> Answer | Wait | None:
        if not keys.isdigit():
            return None
        if finished or len(keys) >= self.most:
            return self._answer(keys)
        return Wait()

    def _answer(self, found: str) -> Answer | None:
        return Answer(found, " ".join(found)) if self.fewest <= len(found) <= self.most and found else None


def said_for(say: Phrases | None, language: str) -> tuple[str, ...]:
    """What may be said in this language."""
    return say.within(language) if say else ()


def name_of(say: Phrases | None, key: str | None, language: str) -> str:
    """How a choice is called when it is said back: its first phrase, else its key."""
    return next(iter(said_for(say, language)), key or "")
