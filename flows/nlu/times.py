"""Times of day: "half past three", "three thirty pm", "下午三点半" to "15:30".

Without morning or afternoon, one to six o'clock is the afternoon: hotlines make appointments in the daytime.
"""

import re

from flows.nlu.numbers import number, words
from flows.nlu.words import is_han, normal, without_fillers

_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})")
_HALF = re.compile(r"(?<=[\d\s])(\s*)([ap])\.?m\b\.?")
_HAN_FIXED = {"中午": (12, 0), "正午": (12, 0), "半夜": (0, 0), "午夜": (0, 0)}
_HAN_TIME = re.compile(
    r"(?P<part>凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|半夜|深夜)?(?P<hour>[零一二两三四五六七八九十\d]{1,3})(?:点钟|点整|点|时)过?"
    r"(?:(?P<half>半)|(?P<quarter>[一三])刻|零?(?P<minute>[零一二两三四五六七八九十\d]{1,3})分?)?"
)
_HAN_BEFORE = re.compile(r"差(?P<less>一刻|[一二两三四五六七八九十\d]{1,3})分?钟?")
_AFTERNOON = {"pm", "p m", "afternoon", "evening"}
_NIGHT = {"night", "tonight"}
_MORNING = {"am", "a m", "morning"}
_FIXED = {"noon": (12, 0), "midday": (12, 0), "midnight": (0, 0)}


def time_of_day(text: str) -> str | None:
    """The time as "HH:MM", None where there is none."""
    text = _HALF.sub(r"\1 \2m", text.casefold())
    said = normal(_CLOCK.sub(r"\1 oclock \2", text))
    return _han(said.replace(" ", "")) if is_han(said) else _english(said)


def by_keys(keys: str) -> str | None:
    """The time in four digits, HHMM."""
    return _clock(int(keys[:2]), int(keys[2:])) if len(keys) == 4 and keys.isdigit() else None


def _clock(hour: int, minute: int) -> str | None:
    return f"{hour:02}:{minute:02}" if 0 <= hour < 24 and 0 <= minute < 60 else None


def _english(said: str) -> str | None:
    half: str | None = None
    rest = f" {said} ".replace(" a m ", " am ").replace(" p m ", " pm ")
    for word in (*_AFTERNOON, *_MORNING, *_NIGHT):
        if f" {word} " in rest:
            half = "pm" if word in _AFTERNOON else "am" if word in _MORNING else "night"
            rest = rest.replace(f" {word} ", " ")
    rest = re.sub(r"\b(?:in|at|around|about|o'clock|oclock|the)\b", " ", rest)
    said = without_fillers(" ".join(rest.split()))
    if said in _FIXED:
        return _clock(*_FIXED[said])
    found = _past_or_to(said) or _hour_and_minute(said.split())
    return None if found is None else _clock(_hour(found[0], half), found[1])


def _past_or_to(said: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"(half|quarter|[a-z0-9 -]+?)(?: minutes?)? (past|after|to|before) ([a-z0-9 -]+)", said)
    if match is None:
        return None
    minutes = {"half": 30, "quarter": 15}.get(match[1]) or number(match[1])
    hour = number(match[3])
    if not isinstance(minutes, int) or not isinstance(hour, int) or not 0 < minutes < 60:
        return None
    return (hour, minutes) if match[2] in ("past", "after") else ((hour - 1) % 24 if hour != 1 else 12, 60 - minutes)


def _hour_and_minute(spoken: list[str]) -> tuple[int, int] | None:
    for place in range(len(spoken), 0, -1):
        rest = spoken[place:]
        hour = number(" ".join(spoken[:place]))
        minute = number(" ".join(rest).removeprefix("oh ").removeprefix("zero ")) if rest else 0
        if isinstance(hour, int) and isinstance(minute, int) and hour < 25 and minute < 60:
            return hour % 24, minute
    return None


def _hour(hour: int, half: str | None) -> int:
    if half == "pm":
        return hour + 12 if hour < 12 else hour
    if half == "am":
        return 0 if hour == 12 else hour
    if half == "night":
        return hour + 12 if 5 <= hour < 12 else 0 if hour == 12 else hour
    return hour + 12 if 1 <= hour <= 6 else hour


def _han(said: str) -> str | None:
    before = _HAN_BEFORE.search(said)
    match = _HAN_TIME.search(_HAN_BEFORE.sub("", said))
    if match is None:
        return _clock(*_HAN_FIXED[said]) if said in _HAN_FIXED else None
    hour = number(match["hour"])
    minute = number(match["minute"]) if match["minute"] else 0
    if match["half"]:
        minute = 30
    elif match["quarter"]:
        minute = 15 if match["quarter"] == "一" else 45
    if not isinstance(hour, int) or not isinstance(minute, int):
        return None
    found = _clock(_han_hour(hour, match["part"] or ""), minute)
    less = 15 if before and before["less"] == "一刻" else number(before["less"]) if before else 0
    return _earlier(found, less) if found and isinstance(less, int) else None


def _han_hour(hour: int, part: str) -> int:
    if part == "中午":
        return hour + 12 if hour < 10 else hour
    if part in ("晚上", "夜里", "半夜", "深夜"):
        return _hour(hour, "night")
    if part in ("下午", "傍晚"):
        return _hour(hour, "pm")
    return _hour(hour, "am" if part else None)


def _earlier(clock: str, minutes: int) -> str | None:
    hour, minute = map(int, clock.split(":"))
    hour, minute = divmod((hour * 60 + minute - minutes) % 1440, 60)
    return _clock(hour, minute)


def grammar_words(language: str) -> tuple[str, ...]:
    """The words that times are spoken with."""
    if language.startswith("zh"):
        return (*words(language), "点", "半", "刻", "分", "上午", "下午", "早上", "晚上", "中午")
    more = ("o'clock", "half", "quarter", "past", "to", "morning", "afternoon", "evening", "noon", "am", "pm", "oh")
    return (*words(language), *more)
