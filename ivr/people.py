"""Brings people into a call: does what the flow asks for agents, queues and transfers, and what control commands.

Event loop only. Each request of the flow is answered with one `Replied`, never from within `ask`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from flows.actions import Request
from flows.events import Event, News, QueueNews, Replied
from ivr.acdline import AcdLine, Line
from ivr.audiotap import AudioTaps
from ivr.bus import BusError, CommandRefusedError
from ivr.callparts import CallParts
from ivr.outleg import OutLeg, headers_of
from ivr.queueing import RENEW_S, End, QueueWait
from ivr.room import Room
from ivr.supervision import Supervision
from ivr.talk import Talk
from ivr.transfers import Transfer
from telephony.leg import Leg
from telephony.legevents import Referred

log = logging.getLogger(__name__)
GOODBYE_S = 1.0
_PLACE = ("queue", "skills", "priority", "language", "joined", "context")


class People:
    """The people of one call. `tell` gives the flow an event, `hang_up` ends the call."""

    def __init__(
        self,
        parts: CallParts,
        caller: Leg,
        line: Line,
        tell: Callable[[Event], None],
        hang_up: Callable[[str], None],
    ) -> None:
        self._parts = parts
        self._caller = caller
        self._acd = AcdLine(line, parts.call_id)
        self._tell = tell
        self._hang_up = hang_up
        self._wait: QueueWait | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._room = Room(parts, caller)
        self._supervision = Supervision(parts, self._room, self._acd)
        self._taps = AudioTaps(parts, self._room, self._supervision, parts.run_folder)
        self.take_supervisor = self._supervision.take
        self.on_supervisor = self._supervision.on_leg_event
        self._legs: list[OutLeg] = []
        self._consulted = 0
        self._priority: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_referred: Callable[[Referred], None] = lambda _news: None
        self._acd.serve(self._on_command)

    def ask(self, request: Request) -> bool:
        """Begins to carry a request out; False where it is not one for people."""
        arguments = request.arguments
        match request.kind:
            case "queue":
                self._waiting = self._start(self._queue(request), "queue")
            case "queue_leave":
                self._leave_queue(str(arguments.get("reason", "hangup")))
            case "queue_priority":
                self._set_priority(int(arguments["priority"]))
            case "staffing" | "callback":
                self._start(self._ask_control(request), request.kind)
            case "transfer":
                self._start(self._transfer(request), "transfer")
            case _:
                return False
        return True

    def on_played(self, token: int) -> None:
        """A file was played out to the caller."""
        self._room.played(token)

    def hung_up(self) -> None:
        """The caller has gone, or the hotline has hung up: everybody else is told goodbye."""
        if self._wait is not None and not self._wait.has_agent:
            self._wait.leave("abandoned")
        self._supervision.close()
        self._taps.close()
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """The call is over: sees to it that everybody knows."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                for leg in self._legs:
                    await leg.gone()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE_S)
        await self._acd.close()

    # Requests.

    async def _queue(self, request: Request) -> None:
        place = {name: request.arguments[name] for name in _PLACE if name in request.arguments}
        if self._priority is not None:
            place["priority"] = self._priority

        def news(kind: str, data: dict[str, Any]) -> None:
            self._tell(QueueNews(request.request, kind, data))

        wait = QueueWait(self._parts, self._acd, place, self._dial, news)
        self._wait = wait
        try:
            end = await wait.join() or await self._served(request, wait)
        finally:
            wait.over()
            self._wait = None if self._wait is wait else self._wait
        ok = end.outcome == "answered"
        agent = {"agent": end.offer.agent, "by": "agent"} if end.offer else {}
        self._tell(Replied(request.request, ok, {"outcome": end.outcome, "reason": end.reason, **agent}))

    async def _served(self, request: Request, wait: QueueWait) -> End:
        """Waits until an agent has talked with the caller, or none will."""
        while True:
            end = await wait.end()
            if end.offer is None or end.leg is None:
                return end
            if await self._talk(request, wait, end):
                return end
            wait.wait_on()

    async def _talk(self, request: Request, wait: QueueWait, end: End) -> bool:
        """Tells the agent the whisper and bridges; False when the agent was gone before the bridge."""
        offer, leg = end.offer, end.leg
        assert offer is not None
        assert leg is not None
        parts = self._parts
        talk = Talk(
            parts,
            self._room,
            leg,
            self._dial_consulted,
            lambda state: self._on_talk(wait, offer.agent, state),
        )
        try:
            arguments = request.arguments
            await leg.tell(
                tuple(arguments.get("whisper") or ()),
                str(arguments.get("language", "")),
                str(arguments.get("voice", "")),
            )
            if leg.ended:
                return False
            parts.note("queue.answered", queue=wait.place["queue"], agent=offer.agent, waited_s=wait.waited_s)
            wait.bridged = True
            self._tell(QueueNews(request.request, News.ANSWERED, {"agent": offer.agent, "display": offer.display}))
            await talk.run()
            self._tell(QueueNews(request.request, News.ENDED, {"by": "agent"}))
            return True
        finally:
            talk.close()

    async def converse(self, agent: OutLeg, name: str, place: dict[str, Any]) -> None:
        """Bridges the caller with an agent who is on the line already; `place` is what control keeps of the call."""
        renewing = self._start(self._renew(name, place), "renewals")

        def on_state(state: str) -> None:
            if state == "over":
                renewing.cancel()
            self._tell_talk(name, state)

        talk = Talk(self._parts, self._room, agent, self._dial_consulted, on_state)
        try:
            await talk.run()
        finally:
            talk.close()

    async def _renew(self, agent: str, place: dict[str, Any]) -> None:
        while True:
            with suppress(BusError):
                await self._acd.ask("renew", worker=self._acd.worker, offer=[], agent=agent, **place)
            await asyncio.sleep(RENEW_S)

    def _on_talk(self, wait: QueueWait, agent: str, state: str) -> None:
        if state == "over" and wait.bridged:
            wait.over()
        self._tell_talk(agent, state)

    def _tell_talk(self, agent: str, state: str) -> None:
        self._parts.note("agent.talk", "agent", agent=agent, state=state)
        self._acd.tell("talk", agent=agent, state=state)

    def _dial(self, target: str, headers: Mapping[str, str], track: str) -> OutLeg:
        leg = OutLeg(self._parts, target, headers, track)
        self._legs.append(leg)
        return leg

    def _dial_consulted(self, number: str) -> OutLeg:
        self._consulted += 1
        return self._dial(number, headers_of(self._parts, {}), f"consulted-{self._consulted}")

    def _leave_queue(self, reason: str) -> None:
        """The engine goes on at once and waits for no answer."""
        if self._wait is not None:
            self._wait.leave(reason)
            if self._wait.has_agent and self._waiting is not None:
                self._waiting.cancel()  # an agent who has answered is being told something

    def _set_priority(self, priority: int) -> None:
        self._priority = priority
        if self._wait is not None:
            self._wait.place["priority"] = priority
            self._acd.tell("priority", priority=priority)

    async def _ask_control(self, request: Request) -> None:
        arguments = request.arguments
        about = {"caller": self._parts.caller, "called": self._parts.called} if request.kind == "callback" else {}
        try:
            answer = await self._acd.ask(request.kind, **{**about, **arguments})
        except BusError as error:
            self._tell(Replied(request.request, ok=False, result={"error": error.code}))
            return
        self._tell(Replied(request.request, ok=True, result=answer))

    async def _transfer(self, request: Request) -> None:
        transfer = Transfer(self._parts, self._caller, self._room, self._dial, self._is_agent, request.arguments)
        self.on_referred = transfer.referred

        def bridged() -> None:
            self._tell(QueueNews(request.request, News.ANSWERED, {}))

        outcome = await transfer.run(bridged)
        if outcome == "ended":
            self._tell(QueueNews(request.request, News.ENDED, {"by": "agent"}))
        ok = outcome in ("transferred", "ended")
        self._tell(Replied(request.request, ok, {"outcome": outcome}))
        if outcome == "transferred":
            self._hang_up("transferred")

    async def _is_agent(self, name: str) -> bool:
        """Whether an agent is called so, as far as control can be asked."""
        try:
            await self._acd.ask("agent_call", agent=name)
        except BusError as error:
            return error.code == "agent.no_call"
        return True

    # Commands.

    async def _on_command(self, data: dict[str, Any]) -> dict[str, Any]:
        match data.get("command"):
            case "offer":
                self._present_wait().take_offer(data)
                return {"accepted": True}
            case "withdraw":
                if self._wait is not None:
                    self._wait.withdraw(str(data.get("offer")))
            case "no_agents":
                self._present_wait().no_agents()
            case "position":
                self._present_wait().where(data)
            case "move":
                self._move(str(data["queue"]))
            case "hang_up":
                self._hang_up("control")
            case "supervise":
                token = self._supervision.admit(data)
                return {"sip": self._supervision.sip_address, "token": token}
            case "tap":
                return await self._taps.open(data)
            case unknown:
                raise CommandRefusedError("command.unknown", f"a call knows no command {unknown!r}")
        return {}

    def _move(self, queue: str) -> None:
        place = self._present_wait().place
        if place["queue"] != queue:  # told again where a renewal crossed the first time
            place["queue"] = queue
            self._parts.note("queue.moved", queue=queue)

    def _present_wait(self) -> QueueWait:
        if self._wait is None:
            raise CommandRefusedError("call.not_waiting", "the caller waits in no queue")
        return self._wait

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
