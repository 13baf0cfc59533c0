"""A contact centre in memory that lives by the real ACD: what control does with the store, without a store or a clock.

Whoever drives it says what happens and when; `tick` decides and carries out. Time is in seconds from any start.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from ivr.acd.agents import Event, Signal, step
from ivr.acd.due import rung_out, wrapped_up
from ivr.acd.empty import leavers
from ivr.acd.estimate import learned
from ivr.acd.model import Agent, AgentState, Decision, Offer, QueueSettings, Snapshot, Waiting
from ivr.acd.router import decide

_VAIN = frozenset({Signal.DECLINE, Signal.MISS, Signal.UNREACHABLE})


@dataclass(slots=True)
class Centre:
    """Queues, agents, who waits and whose phone rings."""

    queues: dict[str, QueueSettings]
    draw: Callable[[], float]
    agents: dict[str, Agent] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    last_rung: dict[str, str] = field(default_factory=dict)
    handle_s: dict[str, float] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    _numbers: Iterable[int] = field(default_factory=count)

    def snapshot(self) -> Snapshot:
        """The centre as a decision sees it; it changes with the centre."""
        return Snapshot(self.queues, self.agents, self.waiting, self.offers, self.last_rung, self.handle_s)

    def join(self, call: Waiting) -> None:
        """A caller begins to wait."""
        self.waiting[call.call_id] = call

    def leave(self, call_id: str, now: float) -> None:
        """A caller is gone: phones that ring for the call stop."""
        del self.waiting[call_id]
        for offer in [offer for offer in self.offers.values() if offer.call_id == call_id]:
            self.signal(offer.agent, Event(Signal.CANCEL), now)

    def signal(self, name: str, event: Event, now: float) -> Agent:
        """Something happens to an agent; raises RefusedError where it cannot. An offer that the agent does not ring for
        any more is over; a call that is answered waits no more.
        """
        before = self.agents[name]
        after = self.agents[name] = step(before, event, now, self.queues)
        if before.offer is not None and after.offer is None:
            self._offer_over(before, event.signal, now)
        if event.signal is Signal.FOUND and event.call_id in self.waiting:
            self.leave(event.call_id, now)
        if before.answered_at is not None and after.answered_at is None and before.queue is not None:
            took = now - before.answered_at + (after.wrap_up_until or now) - now
            self.handle_s[before.queue] = learned(self.handle_s.get(before.queue), took)
        return after

    def _offer_over(self, agent: Agent, signal: Signal, now: float) -> None:
        assert agent.offer is not None
        offer = self.offers.pop(agent.offer)
        if signal is Signal.ANSWER:
            self.leave(offer.call_id, now)
        elif signal in _VAIN and offer.call_id in self.waiting:
            call = self.waiting[offer.call_id]
            self.waiting[offer.call_id] = replace(call, tried=(*call.tried, agent.name))

    def tick(self, now: float) -> list[Decision]:
        """What time has brought, then what is to be decided; the offers of the decisions ring when it returns."""
        snapshot = self.snapshot()
        for agent in wrapped_up(snapshot, now):
            self.signal(agent.name, Event(Signal.WRAPPED_UP), now)
        for offer in rung_out(snapshot, now):
            self.signal(offer.agent, Event(Signal.MISS, offer=offer.offer), now)
        for call_id in leavers(snapshot, now):
            self.leave(call_id, now)
            self.removed.append(call_id)
        decisions = decide(snapshot, now, self.draw)
        for decision in decisions:
            for name in decision.offers:
                self._ring(decision, name, now)
        return decisions

    def _ring(self, decision: Decision, name: str, now: float) -> None:
        offer = f"o{next(self._numbers)}"  # type: ignore[call-overload]
        self.offers[offer] = Offer(offer, decision.call_id, decision.queue, name, now, now + decision.ring_timeout_s)
        self.agents[name] = step(
            self.agents[name], Event(Signal.OFFER, decision.call_id, decision.queue, offer), now, self.queues
        )
        self.last_rung[decision.queue] = name

    def answered(self, name: str) -> bool:
        """Whether the agent is in a call."""
        return self.agents[name].state in {AgentState.ANSWERED, AgentState.HOLD}
