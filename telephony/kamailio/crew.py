"""Keeps Kamailio informed of the workers: what they say on the door's socket, mirrored into its tables.

Kamailio picks the workers itself; this only says which are idle and which are gone.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from telephony.edge.events import WorkerGone, WorkerSaid
from telephony.edge.message import encode
from telephony.edge.roster import Duty, Roster
from telephony.kamailio.errors import RpcError
from telephony.kamailio.mirror import Mirror
from telephony.kamailio.rpc import Rpc

log = logging.getLogger(__name__)
LOST = 'Reason: SIP;cause=500;text="worker lost"\r\n'
LOST_S = 0.1  # what a worker sent before its end is let through first


class Crew:
    """The workers as Kamailio shall see them. `answer` sends it a SIP response. Event loop only."""

    def __init__(self, rpc: Rpc, mirror: Mirror, answer: Callable[[bytes], None]) -> None:
        self._rpc, self._mirror, self._answer = rpc, mirror, answer
        self._roster = Roster()
        self._since: dict[int, int] = {}
        self._serial = 0
        self._lost: asyncio.Queue[int] = asyncio.Queue()

    def said(self, said: WorkerSaid) -> None:
        """Takes a worker's word. One that becomes idle goes to the end of the line."""
        known = any(worker.pid == said.pid for worker in self._roster)
        worker = self._roster.say(said.pid, said.slot, said.hop, said.idle)
        key, where = str(said.pid), f"{said.hop.host}:{said.hop.port}"
        self._mirror.want("hops", where, said.pid)
        if worker.duty is not Duty.IDLE:
            self._since.pop(said.pid, None)
            self._mirror.want("workers", key, None)
        elif said.pid not in self._since:
            self._serial += 1
            self._since[said.pid] = self._serial
            if known:
                self._mirror.forget("claims", key)
            self._mirror.want("workers", key, f"{self._serial} {where}")
        self._mirror.want("door", "adopted", self._roster.adopted())

    def gone(self, gone: WorkerGone) -> None:
        """A worker's process has ended."""
        worker = self._roster.remove(gone.pid)
        if worker is None:
            return
        self._since.pop(gone.pid, None)
        self._mirror.want("workers", str(gone.pid), None)
        self._mirror.want("hops", f"{worker.hop.host}:{worker.hop.port}", None)
        self._mirror.want("door", "adopted", self._roster.adopted())
        self._lost.put_nowait(gone.pid)

    def duties(self, claimed: set[str]) -> dict[str, int]:
        """How many workers do what; `claimed` were given a call just now."""
        idle = self._mirror.keys("workers")
        busy = sum(worker.duty is Duty.BUSY for worker in self._roster)
        return {"idle": len(idle - claimed), "claimed": len(idle & claimed), "busy": busy}

    async def run(self) -> None:
        """Clears up after lost workers. Raises RpcError when Kamailio does not answer."""
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._clear_up(await self._lost.get()), name="clear up after a worker")

    async def _clear_up(self, pid: int) -> None:
        """Before its answer the next worker takes the call; after it the other end of each of its dialogs gets BYE."""
        await asyncio.sleep(LOST_S)
        noted = await self._ask("htable.get", "calls", str(pid))
        if noted is not None:
            await self._mirror.delete("calls", str(pid))
            state, _, rest = str(noted["item"]["value"]).partition(" ")
            if state == "ringing":
                self._answer(refusal(rest))
            else:
                await self._ask("dlg.end_dlg", *map(int, rest.split()), LOST)
        for dialog in await self._ask("dlg.profile_list", "legs", str(pid)) or []:
            await self._end_leg(dialog)

    async def _end_leg(self, dialog: dict[str, Any]) -> None:
        """Ends a call that the worker had made; a phone that still rings is cancelled."""
        if dialog["state"] < 3:
            await self._ask("tm.cancel", dialog["call-id"], "1")
        else:
            await self._ask("dlg.end_dlg", dialog["h_entry"], dialog["h_id"], LOST)

    async def _ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 - what the command gives
        """A command whose object may be gone meanwhile: None then."""
        try:
            return await self._rpc.call(method, *params)
        except RpcError as error:
            if not error.status:
                raise
            return None


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
