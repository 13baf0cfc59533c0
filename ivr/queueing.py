"""A caller's wait in one queue, as the worker sees it: the place is kept with control, offered agents are rung.

Control decides who is offered; the worker alone knows whether the caller is still there and which phone was first.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ivr.acdline import AcdLine
from ivr.bus import BusError, CommandRefusedError
from ivr.callparts import CallParts
from ivr.messages import GONE, Envelope
from ivr.outleg import Dial, Outcome, OutLeg, headers_of

log = logging.getLogger(__name__)
RENEW_S = 5.0
RENEW_AGAIN_S = 1.0  # after a renewal that nobody answered
CONTROL_AWAY_S = 60.0  # for so long a caller waits on without any control; then the flow has its ladder
MOST_RINGING = 3  # pjsua2 holds four legs a process, and one is the caller's
_REFUSALS = {"queue.full": "full", "queue.no_agents": "no_agents"}


@dataclass(frozen=True, slots=True)
class Offer:
    """An agent to ring, by control's word."""

    offer: str
    agent: str
    display: str
    ring_timeout_s: float
    headers: dict[str, str]

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Offer":
        """Reads the command. Raises CommandRefusedError."""
        try:
            return cls(
                str(data["offer"]),
                str(data["agent"]),
                str(data.get("display") or data["agent"]),
                float(data.get("ring_timeout_s", 20.0)),
                {str(name): str(value) for name, value in dict(data.get("headers") or {}).items()},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CommandRefusedError("offer.bad", f"not an offer: {error!r}") from error


@dataclass(frozen=True, slots=True)
class End:
    """How a wait ended: `outcome` is answered (with `offer` and `leg`), full, no_agents, unavailable or left."""

    outcome: str
    reason: str = ""
    offer: Offer | None = None
    leg: OutLeg | None = None


class QueueWait:
    """One wait. `place` are the fields that control keeps (queue, skills, priority ...); `news(kind, data)` hears
    joined, position and offered; `bridged` says that the caller has heard the agent.
    """

    def __init__(
        self,
        parts: CallParts,
        acd: AcdLine,
        place: dict[str, Any],
        dial: Dial,
        news: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self.bridged = False
        self._parts = parts
        self._dial = dial
        self._acd = acd
        self.place = place
        self._news = news
        self._ringing: dict[str, OutLeg] = {}
        self._rang: dict[str, Outcome] = {}
        self._places = asyncio.Semaphore(MOST_RINGING)
        self._offer: Offer | None = None
        self._renew_now = asyncio.Event()
        self._controls: set[str] = set()
        self._position: tuple[Any, Any] = (None, None)
        self._end: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewing: asyncio.Task[None] | None = None
        self._joined = time.monotonic()
        self._agents = 0

    async def join(self) -> End | None:
        """Takes a place; None when the caller has one, else why there is none."""
        try:
            answer = await self._acd.ask("join", **self._fields())
        except BusError as error:
            self._parts.note("queue.left", queue=self.place["queue"], reason=error.code)
            return End(_REFUSALS.get(error.code, "unavailable"), error.code)
        self._parts.note("queue.joined", queue=self.place["queue"], **_where(answer))
        self._position = (answer.get("position"), answer.get("expected_wait_s"))
        self._news("joined", {**_where(answer), **({"announce": answer["announce"]} if "announce" in answer else {})})
        self._acd.watch(self._on_control)
        self._renewing = self._start(self._keep_renewing(), "renewals")
        return None

    async def end(self) -> End:
        """Waits for an agent's answer, or for the end of the wait without one."""
        end = await asyncio.shield(self._end)
        self._end = asyncio.get_running_loop().create_future()
        return end

    def leave(self, reason: str) -> None:
        """The caller does not wait any more, and control is told so: exit_key, timeout, abandoned, hangup."""
        self._parts.note("queue.left", queue=self.place["queue"], reason=reason, waited_s=self.waited_s)
        self._acd.tell("leave", reason=reason, queue=self.place["queue"])
        self._finish(End("left", reason))

    def over(self) -> None:
        """The agent has gone, or the caller: nothing more is kept with control."""
        for leg in self._ringing.values():
            leg.cancel()
        if self._renewing is not None:
            self._renewing.cancel()

    @property
    def has_agent(self) -> bool:
        """Whether an agent has answered: renewals say so."""
        return self._offer is not None

    def wait_on(self) -> None:
        """The agent was gone again before the caller heard anything: control is asked for the place once more."""
        self._offer = None
        self._renew_now.set()

    @property
    def waited_s(self) -> float:
        """How long ago the caller joined."""
        return round(time.monotonic() - self._joined, 3)

    # What control says.

    def take_offer(self, data: dict[str, Any]) -> None:
        """Begins to ring an agent. Raises CommandRefusedError."""
        offer = Offer.of(data)
        if offer.offer in self._ringing:
            return
        if outcome := self._rang.get(offer.offer):
            self._acd.tell("offer", offer=offer.offer, agent=offer.agent, outcome=str(outcome))
            return
        self._agents += 1
        headers = headers_of(
            self._parts,
            {
                "Queue": self.place["queue"],
                "Waited": round(self.waited_s),
                **{_header(name): value for name, value in self.place.get("context", {}).items()},
            },
        )
        leg = self._dial(offer.agent, {**headers, **offer.headers}, f"agent-{self._agents}")
        self._ringing[offer.offer] = leg
        self._start(self._ring(offer, leg), f"offer {offer.offer}")

    def withdraw(self, offer: str) -> None:
        """Control has taken the offer back."""
        if (leg := self._ringing.get(offer)) is not None:
            leg.cancel()

    def no_agents(self) -> None:
        """The queue is empty of agents, and its settings say that nobody waits then."""
        self._parts.note("queue.left", queue=self.place["queue"], reason="no_agents", waited_s=self.waited_s)
        self._finish(End("no_agents", "leavewhenempty"))

    def where(self, answer: dict[str, Any]) -> None:
        """The place in the queue, told by control or with a renewal."""
        position = (answer.get("position"), answer.get("expected_wait_s"))
        if position != self._position and self._offer is None:
            self._position = position
            self._news("position", _where(answer))

    # Inside.

    async def _ring(self, offer: Offer, leg: OutLeg) -> None:
        self._parts.note("queue.offered", queue=self.place["queue"], agent=offer.agent, offer=offer.offer)
        outcome = await self._ring_in_turn(offer, leg)
        del self._ringing[offer.offer]
        if outcome is Outcome.ANSWERED and (self._end.done() or self._offer is not None):
            leg.hang_up()
            outcome = Outcome.CANCELLED
        self._rang[offer.offer] = outcome
        self._acd.tell("offer", offer=offer.offer, agent=offer.agent, outcome=str(outcome))
        self._parts.note("queue.rang", agent=offer.agent, offer=offer.offer, outcome=str(outcome), status=leg.status)
        if outcome is Outcome.ANSWERED:
            self._offer = offer
            for other in self._ringing.values():
                other.cancel()
            self._finish(End("answered", "", offer, leg))

    async def _ring_in_turn(self, offer: Offer, leg: OutLeg) -> Outcome:
        """Rings as soon as one of the places for a ringing phone is free."""
        try:
            async with asyncio.timeout(offer.ring_timeout_s):
                await self._places.acquire()
        except TimeoutError:
            return Outcome.CANCELLED
        try:
            if self._end.done() or self._offer is not None:
                return Outcome.CANCELLED
            self._acd.tell("offer", offer=offer.offer, agent=offer.agent, outcome="ringing")
            self._news("offered", {"agent": offer.agent})
            return await leg.ring(offer.ring_timeout_s)
        finally:
            self._places.release()

    def _finish(self, end: End) -> None:
        if not self._end.done():
            self._end.set_result(end)
        elif end.leg is not None:
            end.leg.hang_up()

    async def _keep_renewing(self) -> None:
        heard = time.monotonic()
        wait_s = RENEW_S
        while True:
            self._renew_now.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._renew_now.wait()
            except TimeoutError:
                pass
            about = {"offer": list(self._ringing), "agent": self._offer.agent if self._offer else None}
            try:
                self.where(await self._acd.ask("renew", **self._fields(), **about))
                heard, wait_s = time.monotonic(), RENEW_S
            except BusError as error:
                wait_s = RENEW_AGAIN_S
                away = time.monotonic() - heard > CONTROL_AWAY_S
                if self._offer is None and (away or error.code == "queue.unknown"):
                    log.error("the caller cannot wait on: %s", error)
                    self._finish(End("unavailable", error.code))

    def _on_control(self, topic: str, envelope: Envelope) -> None:
        """A control that comes or goes: the caller's row may have to be restored at once."""
        alive = envelope.data.get("state") != GONE
        if alive != (topic in self._controls):
            (self._controls.add if alive else self._controls.discard)(topic)
            self._renew_now.set()

    def _fields(self) -> dict[str, Any]:
        return {"worker": self._acd.worker, "caller": self._parts.caller, "called": self._parts.called, **self.place}

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _where(answer: dict[str, Any]) -> dict[str, Any]:
    return {"position": answer.get("position"), "expected_wait_s": answer.get("expected_wait_s")}


def _header(name: str) -> str:
    """A context's name as part of a header's: `card_number` is X-Hotline-Card-Number."""
    return "-".join(part.capitalize() for part in name.replace("_", "-").split("-"))
