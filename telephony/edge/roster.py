"""The workers that the front door knows, and which of them is next."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from telephony.edge.events import Hop

if TYPE_CHECKING:
    from telephony.edge.transactions import Call, Client, Relay


class Duty(StrEnum):
    """IDLE: may be given a call. CLAIMED: was given one and has not said busy. BUSY: says it has a call."""

    IDLE = "idle"
    CLAIMED = "claimed"
    BUSY = "busy"


@dataclass(slots=True, eq=False)
class Worker:
    """One worker process. `adopted`: it was busy when it registered, so its call is older than this door.

    `relays` are the calls that it makes itself: to agents, to trunks.
    """

    pid: int
    slot: int
    hop: Hop
    duty: Duty
    adopted: bool = False
    gone: bool = False
    call: "Call | None" = None
    last: "Client | None" = None
    relays: "list[Relay]" = field(default_factory=list)


class Roster:
    """Workers in the order in which they registered; only a worker's own word makes it idle."""

    def __init__(self) -> None:
        self._workers: dict[int, Worker] = {}
        self._idle: dict[int, Worker] = {}
        self._places: dict[Hop, Worker] = {}

    def __len__(self) -> int:
        return len(self._workers)

    def say(self, pid: int, slot: int, hop: Hop, idle: bool) -> Worker:
        """Takes what a worker says. A worker that has a call here stays with it whatever it says."""
        worker = self._workers.get(pid)
        if worker is None or worker.hop != hop:
            self.remove(pid)
            worker = Worker(pid, slot, hop, Duty.IDLE if idle else Duty.BUSY, adopted=not idle)
            self._workers[pid] = self._places[hop] = worker
        elif not idle:
            worker.duty = Duty.BUSY
        elif worker.call is None:
            worker.duty, worker.adopted = Duty.IDLE, False
        if worker.duty is Duty.IDLE:
            self._idle.setdefault(pid, worker)
        else:
            self._idle.pop(pid, None)
        return worker

    def take(self, tried: list[int]) -> Worker | None:
        """Claims the idle worker that registered first, none of those tried already."""
        worker = next((worker for pid, worker in self._idle.items() if pid not in tried), None)
        if worker is not None:
            del self._idle[worker.pid]
            worker.duty = Duty.CLAIMED
        return worker

    def remove(self, pid: int) -> Worker | None:
        """Forgets a worker that is gone."""
        self._idle.pop(pid, None)
        worker = self._workers.pop(pid, None)
        if worker is not None:
            worker.gone = True
            if self._places.get(worker.hop) is worker:
                del self._places[worker.hop]
        return worker

    def at(self, hop: Hop) -> Worker | None:
        """The worker that sends from this address."""
        return self._places.get(hop)

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers.values())

    def any_idle(self) -> bool:
        """Whether a worker waits for a call."""
        return bool(self._idle)

    def adopted(self) -> int:
        """How many workers have a call that is older than this door."""
        return sum(worker.adopted for worker in self._workers.values())
