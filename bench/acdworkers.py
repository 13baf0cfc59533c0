"""Workers without a telephone: callers who wait in a queue, as the ACD's service sees them on a real bus.

One `Workers` stands for any number of calls. It rings agents, who answer after a while, talk and hang up, and notes
whatever must never happen: two phones of one agent ringing at once, or an agent with two callers.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

from ivr.bus import Bus, BusError
from ivr.busaddress import Address
from ivr.messages import Envelope, command_topic
from recordings.callid import new_call_id

RENEW_S = 5.0
_PATIENCE_S = 30.0


@dataclass(slots=True)
class Call:
    """One caller. `offers` are those taken so far, with the time each came."""

    call_id: str
    queue: str
    joined: float
    priority: int = 0
    skills: dict[str, int] = field(default_factory=dict)
    offers: dict[str, float] = field(default_factory=dict)
    ringing: dict[str, str] = field(default_factory=dict)
    agent: str | None = None
    position: int | None = None
    state: str = "waiting"
    news: list[str] = field(default_factory=list)


class Workers:
    """`async with Workers(find)`: agents answer after `ring_s` and talk for `talk_s()` (None: until `hang_up`); where
    `answers(agent)` is false the phone rings on. `over` hears of each call that was served. `waits`: from the moment
    when an agent's call was over to the next offer for the agent, in seconds.
    """

    def __init__(
        self,
        find: Callable[[], Address | None],
        *,
        ring_s: float = 0.05,
        talk_s: Callable[[], float] | None = None,
        answers: Callable[[str], bool] = lambda _agent: True,
    ) -> None:
        self.bus = Bus(find, "simulated")
        self.ring_s, self.talk_s, self.answers = ring_s, talk_s, answers
        self.calls: dict[str, Call] = {}
        self.wrong: list[str] = []
        self.over: Callable[[Call], None] = lambda _call: None
        self.waits: list[float] = []
        self._free: dict[str, float] = {}
        self.assigned = 0
        self.changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._controls: set[str] = set()
        self._random = Random(7)
        self._rings: dict[str, str] = {}
        self._talks: dict[str, str] = {}
        self.bus.listen("hotline/control/+/state", self._control)

    async def __aenter__(self) -> Self:
        await self.bus.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self.bus.__aexit__(*error)

    async def join(self, queue: str, **more: Any) -> Call:  # noqa: ANN401 - fields of the command
        """A caller joins; raises BusError with control's refusal."""
        now = time.time()
        call = Call(new_call_id(now, self._random), queue, more.pop("joined", now), **more)
        self.bus.serve(f"call/{call.call_id}", lambda data: self._command(call, data))
        try:
            answer = await self.ask("join", call)
        except BusError:
            self.forget(call)
            raise
        call.position = answer["position"]
        self.calls[call.call_id] = call
        self._spawn(self._renew(call))
        return call

    async def leave(self, call: Call, reason: str = "abandoned") -> None:
        """The caller hangs up or gives up."""
        self._quiet(call)
        self.forget(call)
        await self.tell("leave", call_id=call.call_id, reason=reason)

    async def hang_up(self, call: Call) -> None:
        """The talk is over."""
        agent = call.agent or ""
        self._quiet(call)
        self.forget(call)
        self._free[agent] = time.time()
        await self.tell("talk", call_id=call.call_id, agent=agent, state="over")
        self.over(call)

    def forget(self, call: Call) -> None:
        """The worker has ended: nobody serves the call any more."""
        call.state = "over"
        self.calls.pop(call.call_id, None)
        self.bus._servers.pop(command_topic(f"call/{call.call_id}"), None)  # noqa: SLF001 - as if its process were gone

    async def ask(self, command: str, call: Call, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the command
        """Sends a command with all that is known of the call."""
        data = {
            "call_id": call.call_id, "worker": self.bus.name, "queue": call.queue, "caller": "1001", "language": "en",
            "called": "hotline", "skills": call.skills, "priority": call.priority, "joined": call.joined, "context": {},
        }  # fmt: skip
        return await self.tell(command, **data, **more)

    async def tell(self, command: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the command
        """Sends a command to the ACD."""
        return await self.bus.request("acd", {"command": command, **data}, _PATIENCE_S)

    async def agent(self, name: str, do: str, **more: str) -> str:
        """What an agent wants; returns the state."""
        return str((await self.tell("agent", agent=name, do=do, by=name, **more))["state"])

    async def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Waits until it holds. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self.changed.wait()

    # What happens -----------------------------------------------------------------------------------------------------

    def _control(self, topic: str, envelope: Envelope) -> None:
        """A control process has come: it is told at once who waits."""
        if envelope.data.get("state") != "up":
            self._controls.discard(topic)
        elif topic not in self._controls:
            self._controls.add(topic)
            for call in list(self.calls.values()):
                self._spawn(self._renew_once(call))

    async def _renew(self, call: Call) -> None:
        await asyncio.sleep(self._random.uniform(0, RENEW_S))
        while call.state != "over":
            await self._renew_once(call)
            await asyncio.sleep(RENEW_S)

    async def _renew_once(self, call: Call) -> None:
        with suppress(BusError):
            answer = await self.ask("renew", call, offer=list(call.ringing) or None, agent=call.agent)
            call.position = answer["position"]

    async def _command(self, call: Call, data: dict[str, Any]) -> dict[str, Any]:
        call.news.append(data["command"])
        match data["command"]:
            case "offer":
                if call.state == "over" or call.agent is not None:
                    return {"accepted": False}
                if data["offer"] not in call.offers:
                    self._ring(call, data["offer"], data["agent"])
            case "withdraw":
                self._stop_ringing(call, data["offer"])
            case "position":
                call.position = data["position"]
            case "move":
                call.queue = data["queue"]
            case "no_agents" | "hang_up":
                self.forget(call)
        self.changed.set()
        return {"accepted": True}

    def _ring(self, call: Call, offer: str, agent: str) -> None:
        now = time.time()
        call.offers[offer] = now
        if (free := self._free.pop(agent, None)) is not None:
            self.waits.append(now - free)
        other = self._rings.get(agent) or self._talks.get(agent)
        if other is not None:
            self.wrong.append(f"{agent} is rung for {call.call_id} while busy with {other}")
        call.ringing[offer] = agent
        self._rings[agent] = call.call_id
        self._spawn(self._phone(call, offer, agent))

    async def _phone(self, call: Call, offer: str, agent: str) -> None:
        self._spawn(self._say("offer", offer=offer, call_id=call.call_id, agent=agent, outcome="ringing"))
        await asyncio.sleep(self.ring_s)
        if offer not in call.ringing or not self.answers(agent):
            return
        for each in list(call.ringing):
            self._stop_ringing(call, each)
        call.agent, call.state = agent, "talking"
        self._talks[agent] = call.call_id
        self.assigned += 1
        self.changed.set()
        await self._say("offer", offer=offer, call_id=call.call_id, agent=agent, outcome="answered")
        if self.talk_s is not None:
            await asyncio.sleep(self.talk_s())
            if call.state == "talking":
                await self.hang_up(call)

    def _stop_ringing(self, call: Call, offer: str) -> None:
        agent = call.ringing.pop(offer, None)
        if agent is not None and self._rings.get(agent) == call.call_id:
            del self._rings[agent]

    def _quiet(self, call: Call) -> None:
        for offer in list(call.ringing):
            self._stop_ringing(call, offer)
        if call.agent is not None and self._talks.get(call.agent) == call.call_id:
            del self._talks[call.agent]

    async def _say(self, command: str, **data: str) -> None:
        with suppress(BusError):
            await self.tell(command, **data)

    def _spawn(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
