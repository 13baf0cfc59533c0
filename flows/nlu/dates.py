"""Dates: "november twenty first", "tomorrow", "next monday", "十一月二十一号", "下周一" to "2026-11-21".

A date without a year is the next one from today on; so is a weekday.
"""

import re
from datetime import date, timedelta

from flows.nlu.numbers import number, words
from flows.nlu.words import is_han, normal

_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
    "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30}
_RELATIVE = {"today": 0, "tomorrow": 1, "the day after tomorrow": 2, "day after tomorrow": 2}
_HAN_RELATIVE = {"今天": 0, "明天": 1, "后天": 2, "大后天": 3}
_HAN_DATE = re.compile(
    r"(?:(?P<year>[零〇一二三四五六七八九\d]{4})年)?(?:(?P<month>[一二三四五六七八九十\d]{1,2})月)?"
    r"(?P<day>[一二三四五六七八九十\d]{1,3})[号日]"
)
_HAN_WEEKDAY = re.compile(r"(?P<next>(?:下个?){0,2})(?:[这本]个?)?(?:周|星期|礼拜)(?P<day>[一二三四五六日天])")
_HAN_PAST = re.compile(r"上个?(?:月|周|星期|礼拜)|去年|前年|昨天|前天")
_HAN_YEARS = {"今年": 0, "明年": 1, "后年": 2}
_HAN_MONTH = re.compile(r"(?P<next>下)个?月|[这本]个?月")


def day(text: str, today: date) -> str | None:
    """The date as "YYYY-MM-DD", None where there is none."""
    said = normal(text)
    found = _han(said.replace(" ", ""), today) if is_han(said) else _english(said, today)
    return found.isoformat() if found else None


def by_keys(keys: str, form: str, today: date) -> str | None:
    """The date in digits, in the form that the step asks for: YYYYMMDD, DDMMYYYY, MMDDYYYY, DDMM or MMDD."""
    if len(keys) != len(form) or not keys.isdigit():
        return None
    parts = {
        letter: int("".join(key for key, mark in zip(keys, form, strict=True) if mark == letter))
        for letter in set(form)
    }
    found = _build(parts.get("Y"), parts["M"], parts["D"], today)
    return found.isoformat() if found else None


def _build(year: int | None, month: int | None, number_of_day: int, today: date) -> date | None:
    """The date, or the next one that fits where year or month are left open."""
    years = [year] if year is not None else range(today.year, today.year + 9)
    months = [month] if month is not None else range(1, 13)
    for one_year in years:
        for one_month in months:
            try:
                found = date(one_year, one_month, number_of_day)
            except ValueError:
                continue
            if year is not None or found >= today:
                return found
    return None


def _weekday(wanted: int, today: date, weeks: int) -> date:
    if weeks:
        return today + timedelta(days=7 * weeks + wanted - today.weekday())
    return today + timedelta(days=(wanted - today.weekday()) % 7)


def _english(said: str, today: date) -> date | None:
    said = " ".join(word for word in said.split() if word not in {"on", "um", "uh", "please", "it's", "of"})
    if said in _RELATIVE:
        return today + timedelta(days=_RELATIVE[said])
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", said)
    if iso:
        return _build(int(iso[1]), int(iso[2]), int(iso[3]), today)
    spoken = [word for word in said.replace("-", " ").split() if word != "the"]
    months = [place for place, word in enumerate(spoken) if word in _MONTHS]
    if not months:
        weekdays = [word for word in spoken if word in _DAYS]
        if len(weekdays) == 1 and set(spoken) <= {weekdays[0], "next", "this", "coming"}:
            return _weekday(_DAYS.index(weekdays[0]), today, int("next" in spoken))
        if spoken[-2:] == ["next", "month"]:
            only = _ordinal(spoken[:-2])
            return _next_month(only[0], today) if only and not only[1] else None
        only = _ordinal(spoken)
        return _build(None, None, only[0], today) if only and not only[1] else None
    before, after = spoken[: months[0]], spoken[months[0] + 1 :]
    before = before[1:] if before[:1] and before[0] in _DAYS else before
    found = _ordinal(before) if before else _ordinal(after)
    if found is None or (before and found[1]):
        return None
    year = _year(after if before else found[1])
    return None if year is False else _build(year or None, _MONTHS.index(spoken[months[0]]) + 1, found[0], today)


def _next_month(number_of_day: int, today: date) -> date | None:
    return _build(today.year + today.month // 12, today.month % 12 + 1, number_of_day, today)


def _ordinal(spoken: list[str]) -> tuple[int, list[str]] | None:
    """A day of the month at the start of the words, and the words after it."""
    if not spoken:
        return None
    first = spoken[0]
    if len(spoken) > 1 and first in _TENS and _ORDINALS.get(spoken[1], 99) < 10:
        return _TENS[first] + _ORDINALS[spoken[1]], spoken[2:]
    if first in _ORDINALS:
        return _ORDINALS[first], spoken[1:]
    if match := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", first):
        return int(match[1]), spoken[1:]
    for length in (2, 1):
        value = number(" ".join(spoken[:length])) if len(spoken) >= length else None
        if isinstance(value, int) and 1 <= value <= 31:
            return value, spoken[length:]
    return None


def _year(spoken: list[str]) -> int | bool | None:
    """The year that the words say; None for no words, False where they are something else."""
    if not spoken:
        return None
    value = number(" ".join(spoken))
    if value is None and len(spoken) >= 2:  # twenty twenty six
        century, rest = number(spoken[0]), number(" ".join(spoken[1:]))
        if isinstance(century, int) and isinstance(rest, int) and 19 <= century <= 21 and rest < 100:
            value = century * 100 + rest
    return value if isinstance(value, int) and 1900 <= value <= 2200 else False


def _han(said: str, today: date) -> date | None:
    if _HAN_PAST.search(said):
        return None
    for word in sorted(_HAN_RELATIVE, key=len, reverse=True):
        if word in said:
            return today + timedelta(days=_HAN_RELATIVE[word])
    if match := _HAN_DATE.search(said):
        return _han_date(said, match, today)
    if match := _HAN_WEEKDAY.search(said):
        place = "一二三四五六日".index(match["day"].replace("天", "日"))
        return _weekday(place, today, match["next"].count("下"))
    return None


def _han_date(said: str, match: re.Match[str], today: date) -> date | None:
    year = number(match["year"]) if match["year"] else None
    month = number(match["month"]) if match["month"] else None
    found = number(match["day"])
    if not isinstance(found, int):
        return None
    if (named := _HAN_MONTH.search(said)) and month is None:
        return _next_month(found, today) if named["next"] else _build(today.year, today.month, found, today)
    for word, years in _HAN_YEARS.items():
        if year is None and word in said:
            year = today.year + years
    return _build(int(year) if year else None, int(month) if month else None, found, today)


def grammar_words(language: str) -> tuple[str, ...]:
    """The words that dates are spoken with."""
    if language.startswith("zh"):
        return (*words(language), *_HAN_RELATIVE, "年", "月", "号", "日", "周", "星期", "下")
    return (*words(language), *_MONTHS, *_DAYS, *_ORDINALS, "today", "tomorrow", "the", "next", "of")
