"""A call in one line: what lists show, from its manifest and events. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recordings import waterfall
from recordings.event import Event
from recordings.layout import CALL_ENDED

_RATE_HZ = 8000


@dataclass(frozen=True, slots=True)
class Summary:
    """`turns` counts utterances with words and key turns; latencies are None where no turn was measured."""

    call_id: str
    started: float
    ended: float | None
    caller: str
    called: str
    flow: str
    version: str
    language: str
    codec: str
    sip_call_id: str
    termination: str
    ended_by: str
    length_s: float
    turns: int
    latency_median_ms: float | None
    latency_max_ms: float | None


def summarise(call_id: str, about: Mapping[str, Any], events: Iterable[Event]) -> Summary:
    """Sums a call up as far as it has come; while it is up `ended` is None and `termination` is empty."""
    events = list(events)
    facts: dict[str, Any] = dict(about)
    ended: Event | None = None
    for event in events:
        if event.kind in {"call.started", "media.started"}:
            facts.update(event.data)
        elif event.kind == CALL_ENDED:
            ended = event
    turns = waterfall.turns_of(events)
    totals = [turn.total_ms for turn in turns if turn.total_ms is not None]
    last_sample = max((event.sample for event in events if event.sample is not None), default=0)
    created = facts.get("created")
    started = created if isinstance(created, int | float) else events[0].wall if events else 0.0

    def fact(name: str) -> str:
        value = facts.get(name)
        return "" if value is None else str(value)

    return Summary(
        call_id=call_id,
        started=float(started),
        ended=ended.wall if ended else None,
        caller=fact("caller"),
        called=fact("called"),
        flow=fact("flow"),
        version=fact("version"),
        language=fact("language"),
        codec=fact("codec"),
        sip_call_id=fact("sip_call_id"),
        termination=str(ended.data.get("termination", "")) if ended else "",
        ended_by=str(ended.data.get("by", "")) if ended else "",
        length_s=((ended.sample if ended else None) or last_sample) / _RATE_HZ,
        turns=len(turns),
        latency_median_ms=waterfall.median_ms(turns),
        latency_max_ms=max(totals, default=None),
    )
