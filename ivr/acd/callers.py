"""Callers: who goes first, and what each asks of an agent after so long a wait. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ivr.acd.model import QueueSettings, Snapshot, Waiting


@dataclass(frozen=True, slots=True)
class Need:
    """What an agent must have for a caller now: skill levels, and at most this penalty (None: any)."""

    skills: Mapping[str, int]
    max_penalty: int | None


def need_of(call: Waiting, settings: QueueSettings, now: float) -> Need:
    """What is asked after the wait so far: the latest step of `relax` counts, each from what was asked first."""
    waited, levels, max_penalty = now - call.joined, 0, settings.max_penalty
    for step in settings.relax:
        if step.after_s > waited:
            break
        levels = step.levels
        max_penalty = step.max_penalty if step.max_penalty is not None else max_penalty
    if not levels:
        return Need(call.skills, max_penalty)
    return Need({skill: level - levels for skill, level in call.skills.items() if level > levels}, max_penalty)


def last_need(call: Waiting, settings: QueueSettings) -> Need:
    """What is asked at the end of all relaxation."""
    return need_of(call, settings, call.joined + settings.relax[-1].after_s if settings.relax else call.joined)


def urgency(call: Waiting, settings: QueueSettings, now: float) -> float:
    """Priority with ageing: steady, so that of two callers of a queue the same one is always ahead."""
    waited = now - call.joined
    return call.priority + (waited / settings.ageing_s if settings.ageing_s > 0 else 0.0)


def in_order(snapshot: Snapshot, now: float) -> list[Waiting]:
    """Everybody who waits, first the one who is served first: by the queue's weight, then priority with ageing, then
    time of joining. Tickets for later and calls of queues that are gone are left out.
    """
    keyed = []
    for call in snapshot.waiting.values():
        settings = snapshot.queues.get(call.queue)
        if settings is not None and call.not_before <= now:
            key = (-settings.weight, -urgency(call, settings, now), call.joined, call.call_id)
            keyed.append((key, call))
    keyed.sort(key=lambda pair: pair[0])
    return [call for _, call in keyed]


def with_offers(snapshot: Snapshot) -> frozenset[str]:
    """The calls for which somebody's phone rings."""
    return frozenset(offer.call_id for offer in snapshot.offers.values())


def next_relaxation(calls: Iterable[Waiting], queues: Mapping[str, QueueSettings], now: float) -> float | None:
    """When the next of these calls asks for less than now; None for never."""
    times = [
        call.joined + step.after_s
        for call in calls
        if call.queue in queues
        for step in queues[call.queue].relax
        if call.joined + step.after_s > now
    ]
    return min(times, default=None)
