"""From a call's events to rows. Pure."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recordings.event import Event, sample_of
from recordings.summary import summarise
from recordings.transcript import lines_of

Row = dict[str, Any]
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class CallRows:
    """All rows of one call, or of the part of it that is new."""

    call: Row
    legs: list[Row]
    utterances: list[Row]
    events: list[Row]

    @property
    def call_id(self) -> str:
        """The call they belong to."""
        return str(self.call["call_id"])


def rows_of(
    call_id: str, about: Mapping[str, Any], events: Iterable[Event], archived: bool, only: Collection[int] | None = None
) -> CallRows:
    """Makes the rows of a call from everything known of it; `only` those that the events with these `seq` change.

    `archived` says that `events` are all there will ever be.
    """
    events = list(events)
    call = {name: clean(value) for name, value in asdict(summarise(call_id, about, events)).items()}
    return CallRows(
        call={**call, "archived": archived},
        legs=[_leg(call_id, name, leg) for name, leg in _mapping(about.get("legs")).items()],
        utterances=[
            {
                "call_id": call_id,
                "seq": line.seq,
                "who": line.who,
                "kind": line.kind,
                "start_s": line.start_s,
                "end_s": line.end_s,
                "text": clean(line.text),
                "step": clean(line.step),
                "confidence": _number(line.confidence),
            }
            for line in lines_of(events)
            if only is None or line.last_seq in only
        ],
        events=[
            {"call_id": call_id, **{name: clean(value) for name, value in event.to_json().items()}}
            for event in events
            if only is None or event.seq in only
        ],
    )


def _leg(call_id: str, name: str, leg: object) -> Row:
    facts = _mapping(leg)
    return {
        "call_id": call_id,
        "name": name,
        **{column: sample_of(facts.get(column)) or 0 for column in ("rate_hz", "samples", "lost_samples")},
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def clean(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON value
    """The value without what PostgreSQL refuses (NUL, half surrogates, NaN, infinities) and without absurd depth."""
    if depth > _DEEPEST:
        return None
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {clean(name): clean(item, depth + 1) for name, item in value.items()}
        case list() | tuple():
            return [clean(item, depth + 1) for item in value]
    return value
