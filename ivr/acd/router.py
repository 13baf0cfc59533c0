"""The decision: which phones ring for which callers, now, and why. Pure.

`decide` is right whenever it is asked: asked twice without a change it would offer the same again, so whoever asks must
carry the answer out (agents to RINGING, offers written) before the next time. `wake` in ivr.acd.due says when to ask
again although nothing has happened.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ivr.acd.callers import Need, in_order, need_of, urgency, with_offers
from ivr.acd.members import Member, fits, is_free, members, why_not
from ivr.acd.model import Agent, Candidate, Decision, Offer, QueueSettings, Snapshot, Strategy, Waiting
from ivr.acd.strategies import Draw, Ranked, rank, rung


def decide(snapshot: Snapshot, now: float, draw: Draw) -> list[Decision]:
    """The offers to make at once, in the order in which they are to be made. Callers without an offer come first, each
    queue's in their order (ivr.acd.callers); then phones are added to calls that ring already (ringall,
    ring-progressively). A caller whom no free agent can serve holds nobody up.
    """
    if not snapshot.waiting:
        return []
    free = {name: agent for name, agent in snapshot.agents.items() if is_free(agent, now)}
    ringing = {offer.agent for offer in snapshot.offers.values()}
    free = {name: agent for name, agent in free.items() if name not in ringing}
    if not free:
        return []
    state = _Round(snapshot, now, draw, free)
    calls, offered = in_order(snapshot, now), with_offers(snapshot)
    return [*_first_offers(state, calls, offered), *_more_phones(state, calls, offered)]


def explain(snapshot: Snapshot, call_id: str, now: float, draw: Draw) -> Decision:
    """Why a caller waits: the decision as it would be for this caller alone, `offers` empty if nobody can be rung or a
    phone rings already. Raises KeyError for a call that does not wait or whose queue is gone.
    """
    call = snapshot.waiting[call_id]
    settings = snapshot.queues[call.queue]
    ringing = {offer.agent for offer in snapshot.offers.values()}
    free = {name: a for name, a in snapshot.agents.items() if is_free(a, now) and name not in ringing}
    state = _Round(snapshot, now, draw, free)
    ranked = state.ranked(call, settings, state.need(call, settings))
    chosen = [] if call_id in with_offers(snapshot) else rung(settings, ranked, call)
    return state.decision(call, settings, ranked, chosen)


@dataclass(slots=True)
class _Round:
    """One decision in the making: who is still free, who was taken by whom, where the round robins stand."""

    snapshot: Snapshot
    now: float
    draw: Draw
    free: dict[str, Agent]
    taken: dict[str, str] = field(default_factory=dict)
    last_rung: dict[str, str] = field(default_factory=dict)
    rosters: dict[str, list[Member]] = field(default_factory=dict)

    def roster(self, queue: str) -> list[Member]:
        """All members of the queue, by name."""
        if queue not in self.rosters:
            self.rosters[queue] = members(self.snapshot.agents.values(), queue)
        return self.rosters[queue]

    def need(self, call: Waiting, settings: QueueSettings) -> Need:
        """What the caller asks for now. In a queue with few members no penalty is weighed."""
        need = need_of(call, settings, self.now)
        few = need.max_penalty is not None and len(self.roster(call.queue)) <= settings.penaltymemberslimit
        return Need(need.skills, None) if few else need

    def ranked(self, call: Waiting, settings: QueueSettings, need: Need) -> list[Ranked]:
        """The free members who may have the call, first to ring first."""
        everybody = self.roster(call.queue)
        able = [member for member in everybody if member[0].name in self.free and fits(member, need)]
        last = self.last_rung.get(call.queue, self.snapshot.last_rung.get(call.queue))
        return rank(settings, able, everybody, call, last, self.now, self.draw) if able else []

    def take(self, call: Waiting, settings: QueueSettings, ranked: list[Ranked], chosen: list[Ranked]) -> Decision:
        """The decision, after which those agents are free no more."""
        decision = self.decision(call, settings, ranked, chosen)
        for entry in chosen:
            del self.free[entry.agent]
            self.taken[entry.agent] = call.call_id
        self.last_rung[call.queue] = chosen[-1].agent
        return decision

    def decision(self, call: Waiting, settings: QueueSettings, ranked: list[Ranked], chosen: list[Ranked]) -> Decision:
        """In values and words."""
        offers = tuple(entry.agent for entry in chosen)
        candidates = tuple(self._candidates(call, settings, ranked, offers))
        waited, priority = self.now - call.joined, urgency(call, settings, self.now)
        whom = f"rings {', '.join(offers)}" if offers else self._meanwhile(call)
        why = (
            f"{'ticket' if call.virtual else 'caller'} of queue {call.queue}, priority {priority:.3g}, waited "
            f"{waited:.0f} s; {settings.strategy} of {len(ranked)} free among {len(candidates)} members; {whom}"
        )
        return Decision(call.call_id, call.queue, offers, settings.ring_timeout_s, candidates, why)

    def _meanwhile(self, call: Waiting) -> str:
        ringing = [offer.agent for offer in self.snapshot.offers.values() if offer.call_id == call.call_id]
        return f"{', '.join(ringing)} rings already" if ringing else "nobody can be rung"

    def _candidates(
        self, call: Waiting, settings: QueueSettings, ranked: list[Ranked], offers: tuple[str, ...]
    ) -> Iterator[Candidate]:
        need, able = self.need(call, settings), {entry.agent for entry in ranked}
        for entry in ranked:
            yield Candidate(entry.agent, round(entry.score, 3), entry.agent in offers, entry.why)
        for member in self.roster(call.queue):
            name = member[0].name
            if name in able:
                continue
            if name in self.taken:
                yield Candidate(name, None, False, f"rings for call {self.taken[name]}, which goes first")
            else:
                yield Candidate(name, None, False, why_not(member, need, self.now) or "rings already")


def _first_offers(state: _Round, calls: list[Waiting], offered: frozenset[str]) -> Iterator[Decision]:
    """Callers for whom no phone rings. With autofill = no a queue rings for one caller at a time."""
    queues = state.snapshot.queues
    serial = {state.snapshot.waiting[c].queue for c in offered if c in state.snapshot.waiting}
    hopeless: set[tuple[object, ...]] = set()
    for call in calls:
        if not state.free:
            return
        settings = queues[call.queue]
        if call.call_id in offered or (not settings.autofill and call.queue in serial):
            continue
        need = state.need(call, settings)
        key = (call.queue, need.max_penalty, *sorted(need.skills.items()))
        if key in hopeless:
            continue
        ranked = state.ranked(call, settings, need)
        if not ranked:
            hopeless.add(key)
            continue
        serial.add(call.queue)
        yield state.take(call, settings, ranked, rung(settings, ranked, call))


def _more_phones(state: _Round, calls: list[Waiting], offered: frozenset[str]) -> Iterator[Decision]:
    """Calls that ring already: ringall adds who has become free, ring-progressively the next after its delay."""
    for call in calls:
        settings = state.snapshot.queues[call.queue]
        if not state.free or call.call_id not in offered or call.virtual:
            continue
        if settings.strategy not in {Strategy.RINGALL, Strategy.RING_PROGRESSIVELY}:
            continue
        offers = [offer for offer in state.snapshot.offers.values() if offer.call_id == call.call_id]
        ranked = state.ranked(call, settings, state.need(call, settings))
        chosen = _added(state, settings, ranked, offers)
        if chosen:
            yield state.take(call, settings, ranked, chosen)


def _added(state: _Round, settings: QueueSettings, ranked: list[Ranked], offers: list[Offer]) -> list[Ranked]:
    if settings.strategy is Strategy.RING_PROGRESSIVELY:
        due = max(offer.made for offer in offers) + settings.ring_progressively_delay_s
        return ranked[:1] if state.now >= due else []
    if len(state.roster(settings.name)) <= settings.penaltymemberslimit:
        return ranked
    places = [
        state.snapshot.agents[o.agent].member_of(settings.name) for o in offers if o.agent in state.snapshot.agents
    ]
    most = max((place.penalty for place in places if place is not None), default=0)
    return [entry for entry in ranked if entry.penalty <= most]
