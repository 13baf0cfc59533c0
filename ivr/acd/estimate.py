"""Where a caller stands and how long it will probably take. Pure.

The estimate plays the queue forward with averages: of s busy agents, one becomes free every h/s seconds, h the
average handle time, who has talked longest first, and then wraps up; a wrap-up in progress ends when it ends. Each
caller in turn takes the agent that is free soonest of those who could have the call, and keeps the agent for h. For k
callers ahead in a queue of its own that is (k + 1) h/s. Who joins, hangs up or logs in later is not foreseen.
`scripts/bench erlang` measures the error.
"""

from dataclasses import dataclass, field, replace

from ivr.acd.callers import Need, in_order, last_need, need_of, with_offers
from ivr.acd.members import fits, is_free, members
from ivr.acd.model import AgentState, Snapshot, Waiting

HANDLE_S = 180.0
"""Assumed talk and wrap-up time of a queue that has none to show yet."""

_AWAY = frozenset({AgentState.OFFLINE, AgentState.PAUSED})
_BUSY = frozenset({AgentState.RINGING, AgentState.ANSWERED, AgentState.HOLD})


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
    forecast = _Forecast(snapshot, now)
    positions: dict[str, int] = {}
    found: dict[str, Place] = {}
    for call in in_order(snapshot, now):
        positions[call.queue] = positions.get(call.queue, 0) + 1
        found[call.call_id] = Place(positions[call.queue], forecast.wait(call))
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
class _Forecast:
    """When each agent will be free, moved on with each caller who is asked about; and who could serve each kind."""

    snapshot: Snapshot
    now: float
    offered: frozenset[str] = field(init=False)
    free_at: dict[str, float] = field(init=False)
    able: dict[_Key, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.offered = with_offers(self.snapshot)
        here = [agent for agent in self.snapshot.agents.values() if agent.state not in _AWAY]
        busy = [agent for agent in here if agent.state in _BUSY]
        busy.sort(key=lambda agent: (agent.answered_at is None, agent.answered_at or 0.0, agent.name))
        self.free_at = {agent.name: max(agent.retry_at, self.now) for agent in here}
        for place, agent in enumerate(busy, 1):
            self.free_at[agent.name] = self.now + self._rest_s(agent.queue or "", place / len(busy))
        for agent in here:
            if agent.wrap_up_until is not None:
                self.free_at[agent.name] = max(agent.wrap_up_until, self.now)

    def wait(self, call: Waiting) -> float | None:
        """Seconds from now that the call will probably wait behind those asked about before; None with nobody to
        come.
        """
        if call.call_id in self.offered:
            return 0.0
        able = self._able(call)
        if not able:
            return None
        agent = min(able, key=self.free_at.__getitem__)
        begins = self.free_at[agent]
        self.free_at[agent] = begins + self._handle_s(call.queue)
        return begins - self.now

    def _rest_s(self, queue: str, share: float) -> float:
        """So much of a talk, and the wrap-up after it."""
        settings, handle_s = self.snapshot.queues.get(queue), self._handle_s(queue)
        wrap_up_s = min(settings.wrapuptime_s, handle_s) if settings is not None else 0.0
        return wrap_up_s + (handle_s - wrap_up_s) * share

    def _handle_s(self, queue: str) -> float:
        return self.snapshot.handle_s.get(queue, HANDLE_S)

    def _able(self, call: Waiting) -> list[str]:
        """Who could have the call now; if nobody, who could after all relaxation."""
        settings = self.snapshot.queues[call.queue]
        found: list[str] = []
        for need in (need_of(call, settings, self.now), last_need(call, settings)):
            key = (call.queue, need.max_penalty, *sorted(need.skills.items()))
            if key not in self.able:
                self.able[key] = self._here(call.queue, need)
            found = self.able[key]
            if found:
                break
        return found

    def _here(self, queue: str, need: Need) -> list[str]:
        return [
            member[0].name
            for member in members(self.snapshot.agents.values(), queue)
            if member[0].name in self.free_at and member[0].registered is not False and fits(member, need)
        ]
