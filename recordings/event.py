"""One line of events.jsonl as a value. `recordings.bundle` writes them; store, screen and transcript read them."""

import json
from dataclasses import dataclass, field
from typing import Any

_LARGEST_SEQ = 2**31 - 1
_LARGEST_SAMPLE = 2**53


@dataclass(frozen=True, slots=True)
class Event:
    """`sample` counts 8 kHz samples since the call's media began (None before); `wall` is Unix seconds."""

    seq: int
    kind: str
    sample: int | None
    wall: float
    leg: str | None = None
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: object) -> "Event":
        """Reads what `to_json` or the bundle wrote. Raises ValueError naming the field that is wrong."""
        if not isinstance(value, dict):
            raise ValueError("an event is a JSON object")
        seq, kind, sample = value.get("seq"), value.get("kind"), value.get("sample")
        wall, leg, data = value.get("wall"), value.get("leg"), value.get("data", {})
        if type(seq) is not int or not 1 <= seq <= _LARGEST_SEQ:
            raise ValueError(f"seq: {seq!r} is not a number from 1")
        if not isinstance(kind, str) or not kind:
            raise ValueError(f"kind: {kind!r} is not a word")
        if sample is not None and sample_of(sample) is None:
            raise ValueError(f"sample: {sample!r} is not a number")
        if type(wall) not in {int, float}:
            raise ValueError(f"wall: {wall!r} is not a time")
        if leg is not None and not isinstance(leg, str):
            raise ValueError(f"leg: {leg!r} is not a name")
        if not isinstance(data, dict):
            raise ValueError(f"data: {data!r} is not an object")
        return cls(seq, kind, sample, float(wall), leg, data)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        """As it stands in the archive."""
        return {
            "seq": self.seq,
            "kind": self.kind,
            "sample": self.sample,
            "wall": self.wall,
            "leg": self.leg,
            "data": self.data,
        }


def sample_of(value: object) -> int | None:
    """A sample number from JSON, or None for what is none."""
    return value if type(value) is int and abs(value) <= _LARGEST_SAMPLE else None


def parse_lines(text: bytes) -> tuple[list[Event], list[bytes]]:
    """Reads events.jsonl; returns the events, oldest first, and the lines that are none (half a line at the end)."""
    events: list[Event] = []
    torn: list[bytes] = []
    *whole, tail = text.split(b"\n")
    for line in whole:
        try:
            events.append(Event.from_json(json.loads(line)))
        except (ValueError, RecursionError):
            torn.append(line)
    if tail:
        torn.append(tail)
    return sorted(events, key=lambda event: event.seq), torn
