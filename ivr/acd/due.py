"""What time alone brings: wrap-ups and rings that are over, and when to look again. Pure."""

from ivr.acd.callers import next_relaxation, with_offers
from ivr.acd.model import Agent, AgentState, Offer, Snapshot, Strategy


def wrapped_up(snapshot: Snapshot, now: float) -> list[Agent]:
    """The agents whose wrap-up has lasted long enough: each is to get WRAPPED_UP."""
    return [a for a in snapshot.agents.values() if a.wrap_up_until is not None and a.wrap_up_until <= now]


def rung_out(snapshot: Snapshot, now: float) -> list[Offer]:
    """The offers whose lease has ended: each agent is to get MISS, unless the worker said something better."""
    return [offer for offer in snapshot.offers.values() if offer.lease_until <= now]


def wake(snapshot: Snapshot, now: float) -> float | None:
    """When time alone may next change something (unix s, later than `now`): a wrap-up or a lease ends, a retry is over,
    a caller's need relaxes, a ticket's hour comes, ring-progressively adds a phone. None: not before the next event.
    """
    times = [offer.lease_until for offer in snapshot.offers.values()]
    times += [agent.wrap_up_until for agent in snapshot.agents.values() if agent.wrap_up_until is not None]
    if snapshot.waiting:
        times += [agent.retry_at for agent in snapshot.agents.values() if agent.state is AgentState.READY]
        times += [call.not_before for call in snapshot.waiting.values()]
        times += _more_phones(snapshot)
        offered = with_offers(snapshot)
        alone = [call for call in snapshot.waiting.values() if call.call_id not in offered]
        relaxed = next_relaxation(alone, snapshot.queues, now)
        if relaxed is not None:
            times.append(relaxed)
    return min((time for time in times if time > now), default=None)


def _more_phones(snapshot: Snapshot) -> list[float]:
    latest: dict[str, float] = {}
    for offer in snapshot.offers.values():
        settings = snapshot.queues.get(offer.queue)
        if settings is not None and settings.strategy is Strategy.RING_PROGRESSIVELY:
            due = offer.made + settings.ring_progressively_delay_s
            latest[offer.call_id] = max(latest.get(offer.call_id, 0.0), due)
    return list(latest.values())
