"""Keeps Kamailio informed of the workers: what they say on the door's socket, mirrored into its tables.

Kamailio picks the workers itself; this only says which are idle and which are gone. What it has been told is
remembered, so that only changes are sent.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from telephony.edge.events import Event, WorkerGone, WorkerSaid
from telephony.edge.message import encode
from telephony.edge.roster import Duty, Roster
from telephony.kamailio.errors import RpcError
from telephony.kamailio.rpc import Rpc

log = logging.getLogger(__name__)
NO_SUCH = 500  # what htable.get and htable.delete say of an entry that is not there
LOST = 'Reason: SIP;cause=500;text="worker lost"\r\n'
LOST_S = 0.1  # what a worker sent before its end is let through first


class Crew:
    """The workers as Kamailio shall see them. `answer` sends it a SIP response. Event loop only."""

    def __init__(self, rpc: Rpc, answer: Callable[[bytes], None]) -> None:
        self._rpc, self._answer = rpc, answer
        self._roster = Roster()
        self._wanted: dict[tuple[str, str], str | int | None] = {}
        self._told: dict[tuple[str, str], str | int] = {}
        self._since: dict[int, int] = {}
        self._serial = 0
        self._lost: deque[int] = deque()
        self._news = asyncio.Event()

    def feed(self, event: Event) -> None:
        """Takes what a worker says."""
        match event:
            case WorkerSaid(pid, slot, hop, idle):
                worker = self._roster.say(pid, slot, hop, idle)
                where = f"{hop.host}:{hop.port}"
                self._want("hops", where, pid)
                if worker.duty is not Duty.IDLE:
                    self._since.pop(pid, None)
                    self._want("workers", str(pid), None)
                elif pid not in self._since:
                    self._since[pid] = self._serial = self._serial + 1
                    self._want("claims", str(pid), None)
                    self._want("workers", str(pid), f"{self._serial} {where}")
            case WorkerGone(pid):
                worker_gone = self._roster.remove(pid)
                if worker_gone is None:
                    return
                self._since.pop(pid, None)
                self._want("workers", str(pid), None)
                self._want("hops", f"{worker_gone.hop.host}:{worker_gone.hop.port}", None)
                self._lost.append(pid)
        self._want("door", "adopted", self._roster.adopted())
        self._news.set()

    @property
    def idle(self) -> set[str]:
        """Process ids of the workers that Kamailio knows as idle."""
        return {key for table, key in self._told if table == "workers"}

    def duties(self) -> dict[str, int]:
        """How many workers say that they are busy, and how many of them were so when they came."""
        return {"busy": sum(w.duty is Duty.BUSY for w in self._roster), "adopted": self._roster.adopted()}

    async def run(self) -> None:
        """Tells Kamailio all news. Raises RpcError when it does not answer."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._wanted:
                    await self._tell(*_first(self._wanted))
                while self._lost:
                    group.create_task(self._end_call_of(self._lost.popleft()), name="end a lost worker's call")

    def _want(self, table: str, key: str, value: str | int | None) -> None:
        place = (table, key)
        self._wanted.pop(place, None)
        if table == "claims" or self._told.get(place) != value:
            self._wanted[place] = value

    async def _tell(self, place: tuple[str, str], value: str | int | None) -> None:
        """Sets or deletes one entry."""
        table, key = place
        if value is None:
            self._told.pop(place, None)
            await self._delete(table, key)
        else:
            await self._rpc.call("htable.seti" if isinstance(value, int) else "htable.sets", table, key, value)
            self._told[place] = value

    async def _delete(self, table: str, key: str) -> None:
        try:
            await self._rpc.call("htable.delete", table, key)
        except RpcError as error:
            if not error.status:
                raise

    async def _end_call_of(self, pid: int) -> None:
        """Says BYE to the caller of a worker that is gone; before the answer, has the next worker take the call."""
        await asyncio.sleep(LOST_S)
        try:
            found = await self._rpc.call("htable.get", "calls", str(pid))
        except RpcError as error:
            if not error.status:
                raise
            return
        await self._delete("calls", str(pid))
        state, _, rest = str(found["item"]["value"]).partition(" ")
        if state == "ringing":
            self._answer(refusal(rest))
        else:
            try:
                await self._rpc.call("dlg.end_dlg", *map(int, rest.split()), LOST)
            except RpcError as error:
                if not error.status:
                    raise


def _first(items: dict[tuple[str, str], str | int | None]) -> tuple[tuple[str, str], str | int | None]:
    place = next(iter(items))
    return place, items.pop(place)


def refusal(told: str) -> bytes:
    """A 503 in the name of a worker that ended before it answered, so that the next one gets the call at once.

    `told` is what Kamailio noted of the worker's 1xx: CSeq, Call-ID, From tag, Via.
    """
    cseq, call_id, tag, via = told.split(" ", 3)
    headers = [
        ("Via", via), ("From", f"<sip:caller@door.invalid>;tag={tag}"), ("To", "<sip:worker@door.invalid>;tag=gone"),
        ("Call-ID", call_id), ("CSeq", f"{cseq} INVITE"),
    ]  # fmt: skip
    return encode("SIP/2.0 503 Worker Lost", headers)
