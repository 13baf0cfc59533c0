"""The agent's states and every move between them: `step(agent, event, now, queues)`. Pure; total: each pair of state
and signal is in the table, as a move or as the reason of its refusal.

A pause or a logout during a call is kept and takes effect after it (and after its wrap-up). The worker's word counts
more than the table: FOUND makes an agent answered from every state.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ivr.acd.errors import RefusedError
from ivr.acd.model import Agent, AgentState, Autopause, QueueSettings

AUTOPAUSE = "autopause"
"""The reason of a pause after missed offers."""


class Signal(StrEnum):
    """What happens to an agent. LOGIN to WRAPPED_UP are the agent's wishes, the others tell of phone and calls."""

    LOGIN = "login"
    LOGOUT = "logout"
    READY = "ready"  # send me calls: ends a pause, a wrap-up, a pause or logout to come
    PAUSE = "pause"  # with a reason
    UNPAUSE = "unpause"
    WRAPPED_UP = "wrapped_up"  # with or without a disposition; also the end of the wrap-up's time
    OFFER = "offer"  # the phone is to ring
    ANSWER = "answer"
    DECLINE = "decline"  # refused, or busy
    MISS = "miss"  # rung out
    UNREACHABLE = "unreachable"  # the phone could not be rung
    CANCEL = "cancel"  # somebody else answered, or the caller is gone
    FOUND = "found"  # a worker says that the agent is in this call
    HOLD = "hold"
    RESUME = "resume"
    OVER = "over"  # the call has ended


OUTCOMES: Mapping[str, Signal] = {
    "answered": Signal.ANSWER,
    "declined": Signal.DECLINE,
    "busy": Signal.DECLINE,
    "no_answer": Signal.MISS,
    "unreachable": Signal.UNREACHABLE,
    "cancelled": Signal.CANCEL,
}
"""A worker's words for the end of an offer."""


@dataclass(frozen=True, slots=True)
class Event:
    """A signal with what it needs: OFFER call_id, queue and offer; FOUND call_id and queue; PAUSE a reason; WRAPPED_UP
    maybe a disposition. With a `call_id` or `offer` the other signals are refused if the agent has another one.
    """

    signal: Signal
    call_id: str = ""
    queue: str = ""
    offer: str = ""
    reason: str = ""
    disposition: str = ""


@dataclass(frozen=True, slots=True)
class _At:
    """When, and the settings of the queue that the agent's offer, call or wrap-up belongs to."""

    now: float
    queue: QueueSettings


_Move = Callable[[Agent, Event, _At], Agent]


def step(agent: Agent, event: Event, now: float, queues: Mapping[str, QueueSettings]) -> Agent:
    """The agent after the event. `queues` gives wrap-up, retry and autopause of the agent's present queue (defaults
    if it is gone). Raises RefusedError, with the agent unchanged, where the state, the call or the offer does not
    fit.
    """
    move = TABLE[event.signal][_COLUMN[agent.state]]
    if isinstance(move, str):
        raise RefusedError(f"{agent.name} {move} ({event.signal} in state {agent.state})")
    if event.signal in _OF_A_CALL:
        _same("offer", agent.name, agent.offer, event.offer)
        _same("call", agent.name, agent.call_id, event.call_id)
    name = agent.queue or event.queue
    return move(agent, event, _At(now, queues.get(name) or QueueSettings(name)))


def _same(what: str, name: str, have: str | None, told: str) -> None:
    if told and told != have:
        raise RefusedError(f"{name} has another {what}: {have}, not {told}")


def _stay(agent: Agent, _event: Event, _at: _At) -> Agent:
    return agent


def _login(agent: Agent, _event: Event, at: _At) -> Agent:
    return replace(
        _unpaused(agent), state=AgentState.READY, since=at.now, idle_since=at.now, missed=0, retry_at=0.0,
        talk_s=0.0, calls=0,
    )  # fmt: skip


def _keep(agent: Agent, _event: Event, _at: _At) -> Agent:
    """Logged in, and to stay so."""
    return replace(agent, logout_next=False)


def _logout(agent: Agent, _event: Event, at: _At) -> Agent:
    return _free(replace(agent, logout_next=True), at)


def _logout_later(agent: Agent, _event: Event, _at: _At) -> Agent:
    return replace(agent, logout_next=True)


def _ready(agent: Agent, _event: Event, at: _At) -> Agent:
    return _free(replace(_unpaused(agent), logout_next=False), at)


def _ready_later(agent: Agent, _event: Event, _at: _At) -> Agent:
    return replace(_unpaused(agent), logout_next=False)


def _pause(agent: Agent, event: Event, at: _At) -> Agent:
    return _free(replace(agent, pause_next=event.reason), at)


def _pause_later(agent: Agent, event: Event, _at: _At) -> Agent:
    return replace(agent, pause_next=event.reason)


def _unpause(agent: Agent, _event: Event, at: _At) -> Agent:
    return _free(_unpaused(agent), at)


def _carry_on(agent: Agent, _event: Event, _at: _At) -> Agent:
    return _unpaused(agent)


def _wrapped_up(agent: Agent, event: Event, at: _At) -> Agent:
    return _free(_noted(agent, event, at), at)


def _noted(agent: Agent, event: Event, _at: _At) -> Agent:
    return replace(agent, disposition=event.disposition) if event.disposition else agent


def _offer(agent: Agent, event: Event, at: _At) -> Agent:
    return replace(
        agent, state=AgentState.RINGING, since=at.now, call_id=event.call_id, queue=event.queue, offer=event.offer,
    )  # fmt: skip


def _answer(agent: Agent, _event: Event, at: _At) -> Agent:
    return replace(
        agent, state=AgentState.ANSWERED, since=at.now, offer=None, answered_at=at.now, missed=0,
        last_call_id=agent.call_id, disposition="",
    )  # fmt: skip


def _decline(agent: Agent, _event: Event, at: _At) -> Agent:
    return _free(replace(agent, retry_at=at.now + at.queue.retry_s), at)


def _miss(agent: Agent, event: Event, at: _At) -> Agent:
    after = replace(agent, missed=agent.missed + 1)
    if at.queue.autopause is Autopause.NO or after.missed < at.queue.autopause_after:
        return _decline(after, event, at)
    after = replace(after, missed=0)
    if at.queue.autopause is Autopause.ALL:
        pause = AUTOPAUSE if after.pause_next is None else after.pause_next
        return _free(replace(after, pause_next=pause), at)
    places = tuple(replace(m, paused=True) if m.queue == agent.queue else m for m in agent.memberships)
    return _decline(replace(after, memberships=places), event, at)


def _cancel(agent: Agent, _event: Event, at: _At) -> Agent:
    return _free(agent, at)


def _found(agent: Agent, event: Event, at: _At) -> Agent:
    """The call goes before all that we believed; an agent that was paused or offline is so again after it."""
    if agent.answered_at is not None and event.call_id == agent.call_id:
        return agent
    if agent.state is AgentState.OFFLINE:
        agent = replace(agent, logout_next=True)
    elif agent.state is AgentState.PAUSED:
        agent = replace(agent, pause_next=agent.pause_reason, pause_reason="")
    agent = _counted(agent, at)
    found = replace(agent, call_id=event.call_id, queue=event.queue or None, offer=None, wrap_up_until=None)
    return _answer(found, event, at)


def _hold(agent: Agent, _event: Event, at: _At) -> Agent:
    return replace(agent, state=AgentState.HOLD, since=at.now)


def _resume(agent: Agent, _event: Event, at: _At) -> Agent:
    return replace(agent, state=AgentState.ANSWERED, since=at.now)


def _over(agent: Agent, _event: Event, at: _At) -> Agent:
    agent = _counted(agent, at)
    if at.queue.wrapuptime_s <= 0:
        return _free(agent, at)
    return replace(agent, state=AgentState.WRAP_UP, since=at.now, wrap_up_until=at.now + at.queue.wrapuptime_s)


def _counted(agent: Agent, at: _At) -> Agent:
    """The call that the agent had, if any, goes into the figures."""
    if agent.answered_at is None:
        return agent
    places = tuple(
        replace(m, calls=m.calls + 1, last_call=at.now) if m.queue == agent.queue else m for m in agent.memberships
    )
    talk_s = agent.talk_s + max(at.now - agent.answered_at, 0.0)
    return replace(agent, memberships=places, talk_s=talk_s, calls=agent.calls + 1, idle_since=at.now, answered_at=None)


def _unpaused(agent: Agent) -> Agent:
    places = agent.memberships
    if any(m.paused for m in places):
        places = tuple(replace(m, paused=False) for m in places)
    return replace(agent, memberships=places, pause_next=None)


def _free(agent: Agent, at: _At) -> Agent:
    """Nothing to do any more: offline or paused as wished, else ready."""
    if agent.logout_next:
        state, reason = AgentState.OFFLINE, ""
    elif agent.pause_next is not None:
        state, reason = AgentState.PAUSED, agent.pause_next
    else:
        state, reason = AgentState.READY, ""
    return replace(
        agent, state=state, since=agent.since if state is agent.state else at.now,
        pause_reason=reason, pause_next=None, logout_next=False,
        call_id=None, queue=None, offer=None, wrap_up_until=None,
    )  # fmt: skip


_OUT = "is not logged in"
_IDLE = "has no call"
_SILENT = "is not being rung"
_TAKEN = "has an offer or a call already"
_AWAY = "takes no calls now"

_STATES = tuple(AgentState)
_COLUMN = {state: column for column, state in enumerate(_STATES)}
_OF_A_CALL = frozenset(
    {
        Signal.ANSWER,
        Signal.DECLINE,
        Signal.MISS,
        Signal.UNREACHABLE,
        Signal.CANCEL,
        Signal.HOLD,
        Signal.RESUME,
        Signal.OVER,
    }
)

# fmt: off
TABLE: Mapping[Signal, tuple[_Move | str, ...]] = {
    #                    offline   ready        ringing         answered        hold            wrap_up        paused
    Signal.LOGIN:       (_login,   _stay,       _keep,          _keep,          _keep,          _keep,         _stay),
    Signal.LOGOUT:      (_stay,    _logout,     _logout,        _logout_later,  _logout_later,  _logout,       _logout),
    Signal.READY:       (_OUT,     _ready,      _ready_later,   _ready_later,   _ready_later,   _ready,        _ready),
    Signal.PAUSE:       (_OUT,     _pause,      _pause_later,   _pause_later,   _pause_later,   _pause,        _pause),
    Signal.UNPAUSE:     (_OUT,     _unpause,    _carry_on,      _carry_on,      _carry_on,      _carry_on,    _unpause),
    Signal.WRAPPED_UP:  (_OUT,     _noted,      _noted,         _noted,         _noted,         _wrapped_up,   _noted),
    Signal.OFFER:       (_OUT,     _offer,      _TAKEN,         _TAKEN,         _TAKEN,         _AWAY,         _AWAY),
    Signal.ANSWER:      (_SILENT,  _SILENT,     _answer,        _TAKEN,         _TAKEN,         _SILENT,       _SILENT),
    Signal.DECLINE:     (_SILENT,  _SILENT,     _decline,       _SILENT,        _SILENT,        _SILENT,       _SILENT),
    Signal.MISS:        (_SILENT,  _SILENT,     _miss,          _SILENT,        _SILENT,        _SILENT,       _SILENT),
    Signal.UNREACHABLE: (_SILENT,  _SILENT,     _decline,       _SILENT,        _SILENT,        _SILENT,       _SILENT),
    Signal.CANCEL:      (_SILENT,  _SILENT,     _cancel,        _SILENT,        _SILENT,        _SILENT,       _SILENT),
    Signal.FOUND:       (_found,   _found,      _found,         _found,         _found,         _found,        _found),
    Signal.HOLD:        (_IDLE,    _IDLE,       _IDLE,          _hold,          _stay,          _IDLE,         _IDLE),
    Signal.RESUME:      (_IDLE,    _IDLE,       _IDLE,          _stay,          _resume,        _IDLE,         _IDLE),
    Signal.OVER:        (_IDLE,    _IDLE,       _IDLE,          _over,          _over,          _IDLE,         _IDLE),
}
# fmt: on
