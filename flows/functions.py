"""The functions that expressions may call: each with its types, one sentence for the reference, and its code.

All are total over plain values: an argument that makes no sense gives none. What is spoken depends on the language.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flows.spoken import money, spoken_date, spoken_time

MAX_TEXT = 10_000
LIMIT = 1e15

Value = Any
"""A plain value: None, bool, int, float, str, list or dict with text keys."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a function may know beside its arguments."""

    language: str = "en"
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Function:
    """One function; types are names of `flows.inference`, `any` takes everything."""

    name: str
    parameters: tuple[str, ...]
    result: str
    does: str
    call: Callable[..., Value]


def is_number(value: Value) -> bool:
    """True for int and float within reason, not for bool, infinity and what is not a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -LIMIT <= value <= LIMIT


def show(value: Value) -> str:
    """A value as text: as it appears in prompts and when joined to text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = f"{value:.10f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    if isinstance(value, list):
        return ", ".join(map(show, value))[:MAX_TEXT]
    if isinstance(value, dict):
        return ", ".join(f"{key}: {show(item)}" for key, item in value.items())[:MAX_TEXT]
    return str(value)


def _digits(_: Context, value: Value) -> Value:
    return " ".join(character for character in show(value) if not character.isspace())


def _money(context: Context, value: Value) -> Value:
    return money(value, context.language) if is_number(value) else None


def _date(context: Context, value: Value) -> Value:
    return spoken_date(show(value), context.now, context.language)


def _time(context: Context, value: Value) -> Value:
    return spoken_time(show(value), context.language)


def _weekday(_: Context, value: Value) -> Value:
    try:
        return date.fromisoformat(show(value)).isoweekday()
    except ValueError:
        return None


def _length(_: Context, value: Value) -> Value:
    return len(value) if isinstance(value, str | list | dict) else None


def _round(_: Context, value: Value, places: Value) -> Value:
    if not is_number(value) or not isinstance(places, int) or isinstance(places, bool) or not 0 <= places <= 9:
        return None
    rounded = round(value, places)
    return int(rounded) if places == 0 else rounded


def _number(_: Context, value: Value) -> Value:
    text = show(value).strip()
    if len(text) > 20:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None


def _part(_: Context, value: Value, first: Value, count: Value) -> Value:
    whole = all(isinstance(number, int) and not isinstance(number, bool) for number in (first, count))
    if not isinstance(value, str) or not whole:
        return None
    start = first - 1 if first > 0 else max(len(value) + first, 0)
    return value[start : start + max(count, 0)]


def _least(_: Context, one: Value, other: Value) -> Value:
    return min(one, other) if is_number(one) and is_number(other) else None


def _most(_: Context, one: Value, other: Value) -> Value:
    return max(one, other) if is_number(one) and is_number(other) else None


def _now(context: Context) -> Value:
    return context.now


_TABLE = [
    Function("text", ("any",), "text", "the value as text", lambda _, value: show(value)),
    Function("number", ("any",), "number", "the number that the text shows, else none", _number),
    Function("digits", ("any",), "text", "spoken one by one: 4711 as 4 7 1 1", _digits),
    Function("money", ("number",), "text", "an amount as it is spoken in the present language", _money),
    Function("date", ("text",), "text", 'a date like "2026-12-24" as it is spoken', _date),
    Function("time", ("text",), "text", 'a time of day like "15:30" as it is spoken', _time),
    Function("weekday", ("text",), "number", 'the day of the week of a date, 1 for Monday to 7', _weekday),
    Function("length", ("any",), "number", "how many characters or items it has", _length),
    Function("part", ("text", "number", "number"), "text", "from the n-th character (-4: fourth last) so many", _part),
    Function("lower", ("text",), "text", "in small letters", lambda _, value: show(value).lower()),
    Function("trim", ("text",), "text", "without spaces around it", lambda _, value: show(value).strip()),
    Function("round", ("number", "number"), "number", "to so many places after the point", _round),
    Function("least", ("number", "number"), "number", "the smaller of two", _least),
    Function("most", ("number", "number"), "number", "the larger of two", _most),
    Function("known", ("any",), "yes_no", "whether there is a value at all", lambda _, value: value is not None),
    Function("default", ("any", "any"), "any", "the first value, or the second where there is none",
             lambda _, value, other: other if value is None else value),
    Function("choose", ("yes_no", "any", "any"), "any", "the second value where the first is true, else the third",
             lambda _, test, yes, no: yes if test is True else no),
    Function("now", (), "number", "the present time in seconds since 1970", _now),
]  # fmt: skip

FUNCTIONS = {function.name: function for function in _TABLE}
