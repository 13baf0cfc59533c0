"""What a supervisor can see and do, for the command line and for REST alike: looks into the store, asks by the bus.

What is done to callers and calls is put on record before it is done: without control and store nothing is.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ivr.bus import Bus, BusError
from ivr.liveboard import (
    AgentLine,
    CallLine,
    QueueLine,
    WaitingLine,
    agent_lines,
    call_lines,
    queue_lines,
    waiting_lines,
)
from ivr.queuesettings import QueueTable, settings_of
from ivr.store.database import Database
from ivr.store.errors import StoreError
from ivr.store.live import Live

ANSWER_S = 3.0


@dataclass(frozen=True, slots=True)
class Present:
    """Everything at one moment, `now` in Unix seconds."""

    now: float
    queues: list[QueueLine]
    agents: list[AgentLine]
    waiting: list[WaitingLine]
    calls: list[CallLine]


class Desk:
    """Raises StoreError and BusError: "bus.away", "bus.timeout", "call.unknown", "call.over", "call.away", a refusal.

    `who` is on record for what is done. Make it inside the event loop.
    """

    def __init__(self, queues: Mapping[str, QueueTable], database: Database, bus: Bus) -> None:
        self._live = Live(database, settings_of(queues))
        self._bus = bus
        self._one_look = asyncio.Lock()  # control's own work goes on beside it, whoever asks how often

    async def present(self) -> Present:
        """Looks at everything."""
        async with self._one_look:
            now = time.time()
            board = await self._live.board()
            served = await self._live.served(_midnight(now))
            calls = await self._live.calls(now)
            queues = await asyncio.to_thread(queue_lines, board, served, now)
            waiting = await asyncio.to_thread(waiting_lines, board, now)
            return Present(now, queues, agent_lines(board), waiting, call_lines(board, calls))

    async def queues(self) -> list[QueueLine]:
        """Every queue."""
        async with self._one_look:
            now = time.time()
            board, served = await self._live.board(), await self._live.served(_midnight(now))
            return await asyncio.to_thread(queue_lines, board, served, now)

    async def agents(self) -> list[AgentLine]:
        """Every agent."""
        async with self._one_look:
            return agent_lines(await self._live.board())

    async def waiting(self) -> list[WaitingLine]:
        """Everybody who waits."""
        async with self._one_look:
            return await asyncio.to_thread(waiting_lines, await self._live.board(), time.time())

    async def calls(self) -> list[CallLine]:
        """Every call that is up."""
        async with self._one_look:
            return call_lines(await self._live.board(), await self._live.calls(time.time()))

    async def health(self) -> dict[str, str]:
        """What is wrong with "store" and "bus"; empty when all is well."""
        wrong = {}
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._live.state_of("")
        except (StoreError, TimeoutError) as error:
            wrong["store"] = str(error) or f"no answer within {ANSWER_S:g} s"
        if not self._bus.connected.is_set():
            wrong["bus"] = "the broker cannot be reached"
        return wrong

    async def why(self, call_id: str) -> list[dict[str, Any]]:
        """The decisions for a call, first to last."""
        found = await self._live.decisions(call_id)
        if not found and not await self._live.state_of(call_id):
            raise BusError("call.unknown", f"there is no call {call_id}")
        return found

    async def agent(self, name: str, do: str, who: str, reason: str = "", disposition: str = "") -> dict[str, Any]:
        """{state, reason, call_id} of the agent after what was asked for."""
        return await self._acd("agent", agent=name, do=do, reason=reason, disposition=disposition, by=who)

    async def move(self, call_id: str, queue: str, who: str) -> dict[str, Any]:
        """{position, expected_wait_s} of the caller in the other queue."""
        await self._record(who, "move", call_id, queue=queue)
        return await self._acd("move", call_id=call_id, queue=queue)

    async def priority(self, call_id: str, priority: int, who: str) -> dict[str, Any]:
        """{position, expected_wait_s} of the caller with the new priority."""
        await self._record(who, "priority", call_id, priority=priority)
        answer = await self._acd("priority", call_id=call_id, priority=priority)
        if answer.get("position") is None:
            raise BusError("call.not_waiting", f"call {call_id} waits in no queue")
        return answer

    async def hang_up(self, call_id: str, who: str) -> None:
        """Has the call end."""
        await self._must_be_up(call_id)
        await self._record(who, "hang_up", call_id)
        await self._call(call_id, command="hang_up")

    async def tap(self, call_id: str, mode: str, who: str) -> dict[str, Any]:
        """{socket, token} where the call can be heard; the token opens the socket once."""
        await self._must_be_up(call_id)
        agent = next((line.agent for line in await self.calls() if line.call_id == call_id), None) or ""
        await self._record(who, "tap", call_id, agent=agent, mode=mode)
        return await self._call(call_id, command="tap", mode=mode, who=who, agent=agent)

    async def _must_be_up(self, call_id: str) -> None:
        match await self._live.state_of(call_id):
            case "":
                raise BusError("call.unknown", f"there is no call {call_id}")
            case "over":
                raise BusError("call.over", f"call {call_id} is over")

    async def _record(self, who: str, what: str, call_id: str, agent: str = "", **detail: object) -> None:
        await self._acd("audit", who=who, what=what, call_id=call_id, agent=agent, detail=detail)

    async def _acd(self, command: str, **data: object) -> dict[str, Any]:
        return await self._ask("acd", {"command": command, **data})

    async def _call(self, call_id: str, **data: object) -> dict[str, Any]:
        try:
            return await self._ask(f"call/{call_id}", data)
        except BusError as error:
            if error.code == "bus.timeout":
                raise BusError("call.away", f"the process of call {call_id} does not answer") from error
            raise

    async def _ask(self, target: str, data: dict[str, Any]) -> dict[str, Any]:
        if not self._bus.connected.is_set():
            raise BusError("bus.away", "the broker cannot be reached")
        return await self._bus.request(target, data, ANSWER_S)


def _midnight(now: float) -> float:
    return datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
