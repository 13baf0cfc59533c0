"""The calls that are up, as far as the bus told: what of them is not in the store yet. Pure."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.store.rows import CallRows, rows_of
from recordings.event import Event
from recordings.layout import CALL_ENDED

_MOST_CALLS = 10_000
_MOST_OVER = 1000  # what still comes of a call comes within seconds of its end


@dataclass(slots=True)
class LiveCall:
    """What is known of a call; `unsaved` are the numbers of the events that no save has covered."""

    call_id: str
    about: dict[str, Any] = field(default_factory=dict)
    events: dict[int, Event] = field(default_factory=dict)
    unsaved: set[int] = field(default_factory=set)

    @property
    def ended(self) -> bool:
        """Whether its last event has come."""
        return any(event.kind == CALL_ENDED for event in self.events.values())

    def rows(self, only: frozenset[int]) -> CallRows:
        """The rows that these events change."""
        events = sorted(self.events.values(), key=lambda event: event.seq)
        return rows_of(self.call_id, self.about, events, archived=False, only=only)


class LiveCalls:
    """At most 10,000 calls, the oldest forgotten first: their bundles bring them to the store in any case."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, LiveCall] = OrderedDict()
        self._over: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._calls)

    def take(self, call_id: str, events: Iterable[Event], about: Mapping[str, Any] | None = None) -> None:
        """Adds events, in any order and however often; those of a call that is over are ignored."""
        if call_id in self._over:
            return
        call = self._calls.setdefault(call_id, LiveCall(call_id))
        call.about.update(about or {})
        for event in events:
            if event.seq not in call.events:
                call.events[event.seq] = event
                call.unsaved.add(event.seq)
        while len(self._calls) > _MOST_CALLS:
            self._calls.popitem(last=False)

    def unsaved(self, most_events: int = 500) -> list[tuple[LiveCall, frozenset[int]]]:
        """The next calls to save, each with the events to save now; some `most_events` in all."""
        batch: list[tuple[LiveCall, frozenset[int]]] = []
        count = 0
        for call in self._calls.values():
            if call.unsaved and count < most_events:
                batch.append((call, frozenset(call.unsaved)))
                count += len(call.unsaved)
        return batch

    def saved(self, call: LiveCall, numbers: frozenset[int]) -> None:
        """These events are in the store; a call that ended and has nothing left to save is forgotten."""
        call.unsaved -= numbers
        if call.ended and not call.unsaved:
            self.forget(call.call_id)

    def forget(self, call_id: str) -> None:
        """The call needs no more saving: what still comes of it is ignored."""
        self._calls.pop(call_id, None)
        self._over[call_id] = None
        while len(self._over) > _MOST_OVER:
            self._over.popitem(last=False)
