"""The present of a contact centre as people and programs look at it: queues, agents, callers, calls. Pure.

Times are Unix seconds, durations seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivr.acd.estimate import places, staffing
from ivr.acd.model import Agent, AgentState, QueueSettings
from ivr.acdboard import Board, CallerState
from ivr.store.live import CallUp, Served

_BUSY = frozenset({AgentState.RINGING, AgentState.ANSWERED, AgentState.HOLD})


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One queue. `waiting` counts callers on the line, `callbacks` those who will be called back. `ready` may be rung
    now; `busy` ring, talk or hold. `service_level`: of those answered today, the share within `servicelevel_s` (None:
    nobody yet); `service_level_2` counts those who gave up as well (those who gave up within the time as served).
    """

    queue: str
    strategy: str
    servicelevel_s: float
    waiting: int
    longest_wait_s: float | None
    expected_wait_s: float | None
    callbacks: int
    logged_in: int
    ready: int
    busy: int
    wrap_up: int
    paused: int
    answered: int
    abandoned: int
    service_level: float | None
    service_level_2: float | None


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent; `since`: of the state, None for one who was never there. `next`: "pause" or "logout", if one comes
    after the call.
    """

    agent: str
    display: str
    state: str
    since: float | None
    registered: bool | None
    reason: str
    next: str
    queue: str | None
    call_id: str | None
    queues: Mapping[str, int]
    skills: Mapping[str, int]
    calls: int
    talk_s: float


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """One caller who waits, or (`callback`) a ticket that keeps a caller's place. `ringing`: the agents being rung."""

    call_id: str
    queue: str
    position: int
    joined: float
    expected_wait_s: float | None
    priority: int
    caller: str
    called: str
    language: str
    skills: Mapping[str, int]
    ringing: Sequence[str]
    callback: bool


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call that is up. `queue`: where the caller waits or found the `agent`."""

    call_id: str
    since: float
    caller: str
    called: str
    flow: str
    step: str
    language: str
    queue: str | None
    agent: str | None


def queue_lines(board: Board, served: Mapping[str, Served], now: float) -> list[QueueLine]:
    """Every queue, in the order of the settings."""
    return [_queue_line(board, settings, served.get(name, Served()), now) for name, settings in board.queues.items()]


def agent_lines(board: Board) -> list[AgentLine]:
    """Every agent, by name."""
    return [_agent_line(board, agent) for _, agent in sorted(board.agents.items())]


def waiting_lines(board: Board, now: float) -> list[WaitingLine]:
    """Everybody who waits, queue by queue in the order of their turn."""
    snapshot = board.snapshot()
    lines = []
    for call_id, place in places(snapshot, now).items():
        call = snapshot.waiting[call_id]
        who = board.callers.get(call_id)
        ticket = board.tickets.get(call_id)
        lines.append(
            WaitingLine(
                call_id, call.queue, place.position, call.joined, place.expected_wait_s, call.priority,
                caller=who.caller if who else ticket.number if ticket else "",
                called=who.called if who else "",
                language=who.language if who else ticket.language if ticket else "",
                skills=dict(call.skills),
                ringing=tuple(live.offer.agent for live in board.offers_for(call_id)),
                callback=call.virtual,
            )
        )  # fmt: skip
    order = list(board.queues)
    return sorted(lines, key=lambda line: (order.index(line.queue), line.position))


def call_lines(board: Board, calls: Sequence[CallUp]) -> list[CallLine]:
    """Every call that is up, oldest first."""
    lines = []
    for call in calls:
        who = board.callers.get(call.call_id)
        queue, agent = (who.queue, who.agent) if who else (None, None)
        lines.append(
            CallLine(
                call.call_id, call.started, call.caller, call.called, call.flow, call.step, call.language, queue, agent
            )
        )
    return lines


def _queue_line(board: Board, settings: QueueSettings, served: Served, now: float) -> QueueLine:
    name = settings.name
    staff = staffing(board.snapshot(), name, now)
    states = [agent.state for agent in board.agents.values() if agent.member_of(name)]
    mine = [caller for caller in board.callers.values() if caller.queue == name]
    joined = [caller.joined for caller in mine if caller.state is CallerState.WAITING]
    waits = [caller.since - caller.joined for caller in mine if caller.state is CallerState.TALKING]
    answered = served.answered + len(waits)
    in_time = served.in_time + sum(wait_s <= settings.servicelevel_s for wait_s in waits)
    both = answered + served.abandoned
    return QueueLine(
        queue=name,
        strategy=settings.strategy,
        servicelevel_s=settings.servicelevel_s,
        waiting=len(joined),
        longest_wait_s=max(now - min(joined), 0.0) if joined else None,
        expected_wait_s=staff.expected_wait_s,
        callbacks=staff.waiting - len(joined),
        logged_in=staff.logged_in,
        ready=staff.ready,
        busy=sum(state in _BUSY for state in states),
        wrap_up=states.count(AgentState.WRAP_UP),
        paused=states.count(AgentState.PAUSED),
        answered=answered,
        abandoned=served.abandoned,
        service_level=in_time / answered if answered else None,
        service_level_2=(in_time + served.abandoned_in_time) / both if both else None,
    )


def _agent_line(board: Board, agent: Agent) -> AgentLine:
    return AgentLine(
        agent=agent.name,
        display=board.displays.get(agent.name, agent.name),
        state=agent.state,
        since=agent.since or None,
        registered=agent.registered,
        reason=agent.pause_reason if agent.state is AgentState.PAUSED else agent.pause_next or "",
        next="logout" if agent.logout_next else "pause" if agent.pause_next is not None else "",
        queue=agent.queue,
        call_id=agent.call_id,
        queues={member.queue: member.penalty for member in agent.memberships},
        skills=dict(agent.skills),
        calls=agent.calls,
        talk_s=agent.talk_s,
    )
