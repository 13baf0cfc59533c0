"""Opening hours: [calendar.NAME] tables and whether they are open at a moment. Pure; the moment comes in."""

import re
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from flows.steps.base import Table

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)")
_DATE = re.compile(r"(?:\d{4}-)?\d{2}-\d{2}")
_SPANS_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

Span = tuple[int, int]
"""Minutes since midnight, [first, last)."""


class Moment(StrEnum):
    """What a calendar says of a moment."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f'{value!r} is no time zone; write one like "Europe/Berlin"') from error
    return value


def _spans(value: object) -> tuple[Span, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise ValueError('hours are written "09:00-17:00", or a list of them')
    return tuple(map(_span, listed))


def _span(value: object) -> Span:
    match = _SPAN.fullmatch(value.replace(" ", "")) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{value!r} are no hours; write "09:00-17:00"')
    first = int(match[1]) * 60 + int(match[2])
    last = 24 * 60 if match[3] == "24:00" else int(match[4]) * 60 + int(match[5])
    if first >= last:
        raise ValueError(f"{value!r} ends before it begins; split hours at midnight")
    return first, last


def _date(value: object) -> str:
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise ValueError(f'{value!r} is no date; write "2026-12-25", or "12-25" for every year')
    date.fromisoformat(text if len(text) == 10 else f"2024-{text}")
    return text


Zone = Annotated[str, AfterValidator(_zone)]
Spans = Annotated[tuple[Span, ...], PlainValidator(_spans), WithJsonSchema(_SPANS_SCHEMA)]
Day = Annotated[str, BeforeValidator(_date), WithJsonSchema({"type": "string"})]


class Calendar(Table):
    """[calendar.NAME]: opening hours of the week, and the days that are different."""

    zone: Zone = Field(description='the time zone, "Europe/Berlin"')
    mon: Spans = Field((), description='"09:00-17:00", or a list of such; left out: closed')
    tue: Spans = Field((), description="as mon")
    wed: Spans = Field((), description="as mon")
    thu: Spans = Field((), description="as mon")
    fri: Spans = Field((), description="as mon")
    sat: Spans = Field((), description="as mon")
    sun: Spans = Field((), description="as mon")
    holidays: tuple[Day, ...] = Field((), description='closed on "2026-12-25", or every year on "12-25"')
    special: dict[Day, Spans] = Field(default_factory=dict, description='date = its hours: "12-24" = "09:00-12:00"')

    def at(self, now: float) -> Moment:
        """Whether it is open at this moment (Unix seconds)."""
        local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(self.zone))
        names = (local.date().isoformat(), local.strftime("%m-%d"))
        spans: tuple[Span, ...] = getattr(self, DAYS[local.weekday()])
        for name in names:
            if name in self.special:
                spans = self.special[name]
                break
            if name in self.holidays:
                return Moment.HOLIDAY
        return Moment.OPEN if _within(local.time(), spans) else Moment.CLOSED


def _within(moment: time, spans: tuple[Span, ...]) -> bool:
    minute = moment.hour * 60 + moment.minute
    return any(first <= minute < last for first, last in spans)


def today(now: float, zone: str) -> date:
    """The date at this moment (Unix seconds) in the zone."""
    return datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).date()
