"""The typed slots of `gather`: how each kind is heard, keyed in, and said back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from flows.functions import Value, is_number, show
from flows.grammars import Answer, Choices, Digits, Expected, Grammar, Option, Wait, YesNo, name_of, said_for
from flows.nlu import dates, digits, letters, numbers, times
from flows.nlu.words import normal
from flows.spoken import money, spoken_date, spoken_time
from flows.steps.speech import Asking, Confirm, Gather, Menu, Survey

LONGEST_NUMBER = 15
LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Slot:
    """One typed value. `longest` keys end an entry by themselves; "*" is the point of a number."""

    hears: Callable[[str], Value]
    keyed: Callable[[str], Value]
    shows: Callable[[Value], str]
    words: tuple[str, ...]
    longest: int

    def expected(self) -> Expected:
        return Expected(words=self.words)

    def hear(self, text: str) -> Answer | None:
        return self._answer(self.hears(text))

    def press(self, keys: str, finished: bool) -> Answer | Wait | None:
        if not set(keys) <= set("0123456789*"):
            return None
        if finished or len(keys) >= self.longest:
            return self._answer(self.keyed(keys))
        return Wait()

    def _answer(self, value: Value) -> Answer | None:
        return None if value is None else Answer(value, self.shows(value))


def grammar(step: Asking, language: str, today: date) -> Grammar:
    """What this step understands in this language on this day."""
    match step:
        case Menu():
            menu = [Option(Answer(one.next, name_of(one.say, one.key, language), one.next),
                           said_for(one.say, language), one.key or "") for one in step.choices]  # fmt: skip
            return Choices(menu, language)
        case Confirm():
            return YesNo(language, step.yes_key, step.no_key)
        case Survey():
            return _number(1, step.scale, language, numbers.number, len(str(step.scale)), whole=True)
        case Gather():
            return _gather(step, language, today)
    raise TypeError(f"{type(step).__name__} asks nothing")


def free_text() -> Grammar:
    """Any words at all, kept as they were recognised; there are no keys for it."""
    return Slot(lambda text: normal(text)[:LONGEST_TEXT] or None, lambda _: None, show, (), 1)


def _gather(step: Gather, language: str, today: date) -> Grammar:
    match step.kind:
        case "list":
            options = [Option(Answer(item.value, name_of(item.say, item.key, language)),
                              said_for(item.say, language), item.key or "") for item in step.items]  # fmt: skip
            return Choices(options, language)
        case "yes_no":
            return YesNo(language, step.yes_key, step.no_key)
        case "number":
            return _number(step.min, step.max, language, numbers.number, LONGEST_NUMBER)
        case "amount":
            return _number(step.min, step.max, language, numbers.amount, LONGEST_NUMBER, is_money=True)
        case "date":
            return Slot(
                lambda text: dates.day(text, today),
                lambda keys: dates.by_keys(keys, step.key_format, today),
                lambda value: spoken_date(value, _noon(today), language) or value,
                dates.grammar_words(language),
                len(step.key_format),
            )
        case "time":
            shows: Callable[[Value], str] = lambda value: spoken_time(value, language) or value  # noqa: E731
            return Slot(times.time_of_day, times.by_keys, shows, times.grammar_words(language), 4)
        case "phone":
            return Slot(_phone, _phone_keys, " ".join, (*digits.words(language), "plus"), 16)
        case "pattern":
            return _pattern(step.pattern, language)
        case "text":
            return free_text()
    return Digits(step.fewest_digits, step.most_digits, language)


def _noon(day: date) -> float:
    return (day - date(1970, 1, 1)).days * 86_400.0 + 43_200.0


def _number(
    low: float | None,
    high: float | None,
    language: str,
    hears: Callable[[str], Value],
    longest: int,
    is_money: bool = False,
    whole: bool = False,
) -> Slot:
    def bounded(value: Value) -> Value:
        if not is_number(value) or (low is not None and value < low) or (high is not None and value > high):
            return None
        return None if whole and value % 1 else value

    def keyed(keys: str) -> Value:
        return bounded(numbers.number(keys.replace("*", "."))) if keys.count("*") <= 1 else None

    words = numbers.money_words(language) if is_money else numbers.words(language)
    shows: Callable[[Value], str] = (lambda value: money(value, language)) if is_money else show
    return Slot(lambda text: bounded(hears(text)), keyed, shows, words, longest)


def _phone(text: str) -> str | None:
    said = normal(text.replace("+", " plus "))
    plus = "+" if said.startswith(("plus ", "加")) else ""
    found = digits.digits(said.removeprefix("plus ").removeprefix("加").replace("-", " "))
    return plus + found if found and 3 <= len(found) <= 15 else None


def _phone_keys(keys: str) -> str | None:
    return keys if keys.isdigit() and 3 <= len(keys) <= 15 else None


def _pattern(mask: str, language: str) -> Slot:
    words = (*digits.words(language), *(letters.grammar_words() if "A" in mask else ()))
    keyed: Callable[[str], Value] = lambda keys: letters.fitted(keys, mask)  # noqa: E731
    return Slot(lambda text: letters.spelled(text, mask), keyed, " ".join, words, sum(mark in "A9" for mark in mask))
