"""Where a caller stands and how long it will probably take. Pure.

The estimate: with s agents who could take the caller (logged in, not paused), an average handle time h and k callers
ahead who want the same agents, one of them becomes free every h/s seconds, so the wait is (k + 1) h/s; nothing while
one is free for the caller. A caller ahead in another queue counts with the share of its agents that are also ours.
`scripts/bench erlang` measures the error.
"""

from dataclasses import dataclass, field, replace

from ivr.acd.callers import Need, in_order, last_need, need_of, with_offers
from ivr.acd.members import fits, is_free, members
from ivr.acd.model import AgentState, Snapshot, Waiting

HANDLE_S = 180.0
"""Assumed talk and wrap-up time of a queue that has none to show yet."""


@dataclass(frozen=True, slots=True)
class Place:
    """`position` among the queue's waiting callers, 1 is next. `expected_wait_s` from now; None with nobody to
    answer.
    """

    position: int
    expected_wait_s: float | None


@dataclass(frozen=True, slots=True)
class Staffing:
    """A queue at a glance: members logged in, ready and able to be rung, callers waiting (with tickets), and the wait
    that a caller without special needs who joined now could expect (None with nobody logged in).
    """

    logged_in: int
    ready: int
    waiting: int
    expected_wait_s: float | None


def places(snapshot: Snapshot, now: float) -> dict[str, Place]:
    """Position and expected wait of everybody who waits."""
    calls, board = in_order(snapshot, now), _Board(snapshot, now)
    positions: dict[str, int] = {}
    found: dict[str, Place] = {}
    for call in calls:
        positions[call.queue] = positions.get(call.queue, 0) + 1
        found[call.call_id] = Place(positions[call.queue], board.wait(call))
        board.ahead(call)
    return found


def place(snapshot: Snapshot, call: Waiting, now: float) -> Place:
    """The same for one call, which need not wait yet; a ticket for later as if its hour had come."""
    due = replace(call, not_before=0.0)
    return places(replace(snapshot, waiting={**snapshot.waiting, call.call_id: due}), now)[call.call_id]


def staffing(snapshot: Snapshot, queue: str, now: float) -> Staffing:
    """The queue now. Raises KeyError for an unknown queue."""
    settings = snapshot.queues[queue]
    roster = [agent for agent, _ in members(snapshot.agents.values(), queue)]
    next_caller = Waiting("\uffff", settings.name, now)
    return Staffing(
        logged_in=sum(agent.state is not AgentState.OFFLINE for agent in roster),
        ready=sum(is_free(agent, now) for agent in roster),
        waiting=sum(call.queue == queue for call in snapshot.waiting.values()),
        expected_wait_s=place(snapshot, next_caller, now).expected_wait_s,
    )


def learned(average_s: float | None, took_s: float) -> float:
    """A queue's average handle time (talk, hold and wrap-up) after one more call; the last fifty or so count."""
    return took_s if average_s is None else average_s + (took_s - average_s) / 50


_Key = tuple[object, ...]


@dataclass(slots=True)
class _Board:
    """The callers seen so far, counted by what they want, and the agents who could serve each kind."""

    snapshot: Snapshot
    now: float
    offered: frozenset[str] = field(init=False)
    able: dict[_Key, frozenset[str]] = field(default_factory=dict)
    counts: dict[_Key, int] = field(default_factory=dict)
    free: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.offered = with_offers(self.snapshot)
        ringing = {offer.agent for offer in self.snapshot.offers.values()}
        names = (n for n, agent in self.snapshot.agents.items() if is_free(agent, self.now) and n not in ringing)
        self.free = frozenset(names)

    def ahead(self, call: Waiting) -> None:
        """Counts the call as one that later ones have to wait for; not if a phone rings for it already."""
        if call.call_id not in self.offered:
            key = self._key(call)
            self.counts[key] = self.counts.get(key, 0) + 1

    def wait(self, call: Waiting) -> float | None:
        """Seconds from now that the call will probably wait behind those counted."""
        if call.call_id in self.offered:
            return 0.0
        mine = self.able[self._key(call)]
        if not mine:
            return None
        ahead = sum(
            count * len(mine & theirs) / len(theirs) for key, count in self.counts.items() if (theirs := self.able[key])
        )
        free = len(mine & self.free)
        if ahead < free:
            return 0.0
        handle_s = self.snapshot.handle_s.get(call.queue, HANDLE_S)
        return (ahead - free + 1) * handle_s / len(mine)

    def _key(self, call: Waiting) -> _Key:
        settings = self.snapshot.queues[call.queue]
        for need in (need_of(call, settings, self.now), last_need(call, settings)):
            key = (call.queue, need.max_penalty, *sorted(need.skills.items()))
            if key not in self.able:
                self.able[key] = self._able(call.queue, need)
            if self.able[key]:
                break
        return key

    def _able(self, queue: str, need: Need) -> frozenset[str]:
        return frozenset(
            member[0].name
            for member in members(self.snapshot.agents.values(), queue)
            if member[0].state not in {AgentState.OFFLINE, AgentState.PAUSED}
            and member[0].registered is not False
            and fits(member, need)
        )
