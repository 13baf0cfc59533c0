"""A callback: rings the agent first, then the number, and brings the two together. A worker's one call, too."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.actions import Text
from ivr import callsounds
from ivr.acdline import AcdLine
from ivr.bus import CommandRefusedError
from ivr.callparts import CallParts
from ivr.callsession import CallBus, open_bundle
from ivr.clock import SampleClock
from ivr.config import Config
from ivr.outleg import Outcome, OutLeg, headers_of
from ivr.people import People
from ivr.preload import Preloaded
from ivr.prompts import PromptFiles
from ivr.queueing import Offer
from ivr.tracks import Tracks
from recordings.termination import Termination
from telephony.leg import Leg
from telephony.legevents import Frame, LegEvent
from telephony.stack import Stack

log = logging.getLogger(__name__)
NUMBER_RINGS_S = 40.0
GOODBYE_S = 2.0
_TICKET = {
    Outcome.ANSWERED: "answered",
    Outcome.BUSY: "busy",
    Outcome.NO_ANSWER: "no_answer",
    Outcome.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Origination:
    """What control asks for: an offer to an agent, and the number to be called once that agent has answered."""

    offer: Offer
    call_id: str
    ticket: str
    number: str
    queue: str
    language: str
    place: dict[str, Any]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Origination":
        """Reads the command. Raises CommandRefusedError."""
        offer = Offer.of(dict(data))
        try:
            kept = ("queue", "joined", "language", "priority", "skills", "context")
            place = {name: data[name] for name in kept if name in data}
            call_id, ticket, number = str(data["call_id"]), str(data["ticket"]), str(data["number"])
            queue = str(data["queue"])
        except KeyError as error:
            raise CommandRefusedError("originate.bad", f"a callback needs {error}") from error
        return cls(offer, call_id, ticket, number, queue, str(data.get("language") or "en"), place)


class OriginatedCall:
    """One callback. Event loop only; `done` is called when it is over."""

    def __init__(
        self,
        config: Config,
        preloaded: Preloaded,
        stack: Stack,
        bus: CallBus,
        asked: Origination,
        done: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._asked = asked
        self._done = done
        self._acd = AcdLine(bus, asked.call_id)
        self._clock = SampleClock()
        self._people: People | None = None
        self._agent: OutLeg | None = None
        self._customer: OutLeg | None = None
        self._task: asyncio.Task[None] | None = None
        self._archived = False
        self._ended = (Termination.COMPLETED, "hotline", "")
        self._bundle = open_bundle(config, asked.number, asked.queue, asked.call_id)
        self._parts = CallParts(
            asked.call_id,
            asked.number,
            asked.queue,
            f"127.0.0.1:{config.telephony.port}",
            stack,
            preloaded.speech,
            PromptFiles(Path(), preloaded.silence, preloaded.beep),
            lambda: callsounds.music(config.flows_folder),
            preloaded.tone,
            Tracks(self._bundle),
            self._clock,
            self._record,
            config.run_folder,
            config.telephony.rtp_timeout,
        )

    def begin(self) -> None:
        """Rings the agent."""
        asked = self._asked
        about = {"caller": asked.number, "called": asked.queue, "ticket": asked.ticket, "language": asked.language}
        self._record("call.started", None, None, {**about, "worker_pid": os.getpid()})
        self._task = asyncio.get_running_loop().create_task(self._run(), name="callback")
        self._task.add_done_callback(self._over)

    def take_leg(self, leg: Leg, headers: dict[str, str]) -> bool:
        """An INVITE to this worker: a supervisor's, or nobody's."""
        return self._people is not None and self._people.take_supervisor(leg, headers)

    def on_leg_event(self, leg: Leg, event: LegEvent) -> None:
        """What a supervisor's leg reports."""
        if self._people is not None:
            self._people.on_supervisor(leg, event)

    def fail(self, reason: str) -> None:
        """Something of ours broke."""
        self._record("error", None, None, {"code": "internal", "detail": reason})
        self._end(Termination.FLOW_ERROR, "hotline", reason)

    def shut_down(self) -> None:
        """The hotline stops."""
        self._end(Termination.SHUTDOWN, "hotline", "")

    async def finish(self) -> None:
        """Everybody is told goodbye, and the bundle is closed."""
        for leg in (self._agent, self._customer):
            if leg is not None:
                leg.cancel()
        if self._people is not None:
            self._people.hung_up()
            await self._people.close()
        for leg in (self._agent, self._customer):
            if leg is not None and not leg.ended:
                await asyncio.wait([asyncio.ensure_future(leg.gone())], timeout=GOODBYE_S)
        await self._acd.close()
        self._archived = True
        termination, by, reason = self._ended
        rtp = self._customer.leg.rtp if self._customer and self._customer.leg else {}
        event = await asyncio.to_thread(self._bundle.close, termination, by, {"reason": reason, "rtp": rtp})
        self._bus.publish_event(self._bundle.call_id, event)

    async def _run(self) -> None:
        asked, parts = self._asked, self._parts
        more = {"Queue": asked.queue, "Callback": asked.ticket}
        self._agent = agent = OutLeg(
            parts, asked.offer.agent, {**headers_of(parts, more), **asked.offer.headers}, "agent-1"
        )
        parts.note("queue.offered", queue=asked.queue, agent=asked.offer.agent, offer=asked.offer.offer)
        self._acd.tell("offer", offer=asked.offer.offer, agent=asked.offer.agent, outcome="ringing")
        outcome = await agent.ring(asked.offer.ring_timeout_s)
        parts.note("queue.rang", agent=asked.offer.agent, offer=asked.offer.offer, outcome=str(outcome))
        self._acd.tell("offer", offer=asked.offer.offer, agent=asked.offer.agent, outcome=str(outcome))
        if outcome is not Outcome.ANSWERED:
            self._ended = (Termination.CANCELLED, "hotline", f"agent: {outcome}")
            return
        agent.on_ended = self._agent_gone
        await agent.tell((Text(f"Calling back {' '.join(asked.number)}."),), "en", "")
        await self._call_number(agent)

    async def _call_number(self, agent: OutLeg) -> None:
        asked, parts = self._asked, self._parts
        self._customer = customer = OutLeg(parts, asked.number, {}, shown="")
        customer.on_frame = self._on_frame
        customer.on_ringing = lambda: agent.play_tone("ringback")
        parts.note("transfer.started", to=asked.number, mode="callback")
        outcome = Outcome.CANCELLED if agent.ended else await customer.ring(NUMBER_RINGS_S)
        agent.stop_tones()
        parts.note("transfer.ended", to=asked.number, mode="callback", outcome=str(outcome))
        told = _TICKET.get(outcome, "failed")
        if agent.ended and outcome is not Outcome.ANSWERED:
            told = "no_answer"  # the agent gave up: the number is tried again later
        self._acd.tell("ticket", ticket=asked.ticket, outcome=told)
        if outcome is not Outcome.ANSWERED or customer.leg is None:
            self._acd.tell("talk", agent=asked.offer.agent, state="over")
            self._ended = (Termination.COMPLETED, "hotline", f"number: {outcome}")
            return
        self._record("media.started", self._clock.now, "caller", {"codec": customer.codec})
        parts.note("queue.answered", queue=asked.queue, agent=asked.offer.agent, waited_s=0.0)
        self._people = people = People(parts, customer.leg, self._bus, lambda _event: None, self._hang_up)
        customer.on_played = people.on_played
        customer.on_ended = lambda: self._end(Termination.CALLER_HANGUP, "caller", "")
        if not customer.ended:
            about = {"caller": asked.number, "called": asked.queue, **asked.place}
            await people.converse(agent, asked.offer.agent, about)

    def _agent_gone(self) -> None:
        """Before the number has answered there is nobody to go on for."""
        if self._customer is not None and self._people is None:
            self._customer.cancel()

    def _on_frame(self, frame: Frame) -> None:
        self._clock.advance(frame.sample + len(frame.heard8k) // 2)
        self._parts.tracks.write(frame)

    def _hang_up(self, reason: str) -> None:
        self._end(Termination.COMPLETED, "hotline", reason)

    def _end(self, termination: Termination, by: str, reason: str) -> None:
        self._ended = (termination, by, reason)
        if self._task is not None:
            self._task.cancel()

    def _over(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callback failed", exc_info=error)
            self._record("error", None, None, {"code": "internal", "detail": str(error)})
            self._ended = (Termination.FLOW_ERROR, "hotline", str(error))
        self._done()

    def _record(self, kind: str, sample: int | None, leg: str | None, data: dict[str, Any]) -> None:
        if not self._archived:
            self._bus.publish_event(self._bundle.call_id, self._bundle.event(kind, sample, leg, data))
