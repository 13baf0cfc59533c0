"""All the state of the ACD while one decision round works on it: agents, callers, offers, callback tickets. Pure.

Notes what was changed, for the store, and what is to be told, for the bus. Every change of state goes through here, so
that an agent, a caller and their offers always fit each other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from ivr.acd.agents import OUTCOMES, Event, Signal, step
from ivr.acd.errors import RefusedError
from ivr.acd.estimate import learned
from ivr.acd.model import Agent, AgentState, Decision, Offer, QueueSettings, Snapshot, Waiting

MOST_ATTEMPTS = 3
AGAIN_AFTER_S = 300.0
_IN_VAIN = frozenset({"declined", "busy", "no_answer", "unreachable"})
_TALKS = frozenset({AgentState.ANSWERED, AgentState.HOLD})
_UNCONFIRMED_S = 20.0


class CallerState(StrEnum):
    """A caller waits, or talks to the agent."""

    WAITING = "waiting"
    TALKING = "talking"


@dataclass(frozen=True, slots=True)
class Caller:
    """A call in a queue, in the worker of this name on the bus. `joined` and `since` (of the state) are Unix seconds.
    `agent` talks to the caller.
    """

    call_id: str
    worker: str
    queue: str
    joined: float
    caller: str = ""
    called: str = ""
    language: str = ""
    skills: Mapping[str, int] = field(default_factory=dict)
    priority: int = 0
    context: Mapping[str, Any] = field(default_factory=dict)
    state: CallerState = CallerState.WAITING
    agent: str | None = None
    tried: tuple[str, ...] = ()
    since: float = 0.0


class TicketState(StrEnum):
    """A callback waits for its agent, or the agent and then the caller are being rung, or it is over."""

    OPEN = "open"
    CALLING = "calling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A callback: `joined` is the caller's place in the queue, kept since the call `call_id`. `attempt`: the call that
    tries to reach the number now, once its agent has answered; `attempts` counts those that did not, `tried` names the
    agents who were rung in vain. `since`: of the state.
    """

    ticket: str
    call_id: str
    number: str
    queue: str
    joined: float
    made: float
    skills: Mapping[str, int] = field(default_factory=dict)
    priority: int = 0
    language: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    not_before: float = 0.0
    state: TicketState = TicketState.OPEN
    attempts: int = 0
    attempt: str = ""
    tried: tuple[str, ...] = ()
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueMemory:
    """What a queue remembers: who was rung last, and the average of talk and wrap-up (None before the first call)."""

    last_rung: str = ""
    handle_s: float | None = None


@dataclass(frozen=True, slots=True)
class LiveOffer:
    """An offer in force. `ringing`: since when the worker says that the phone rings (0.0: it has not said so).
    `attempt`: the call that the idle `worker` was given for a callback, "" for a caller who waits on the line.
    """

    offer: Offer
    ringing: float = 0.0
    attempt: str = ""
    worker: str = ""


@dataclass(slots=True)
class Changes:
    """What a round did. The sets name rows to write; the lists are rows to add, in the order in which they came."""

    agents: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    callers: set[str] = field(default_factory=set)
    tickets: set[str] = field(default_factory=set)
    queues: set[str] = field(default_factory=set)
    offers: set[str] = field(default_factory=set)
    ended: list[tuple[str, str, float]] = field(default_factory=list)  # offer, outcome, when
    decisions: list[tuple[Decision, float]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    audit: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)  # by command

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class Told:
    """A command for the worker of a call."""

    call_id: str
    data: dict[str, Any]


class Board:
    """See the module. Every argument `now` is the present, in Unix seconds."""

    def __init__(self, queues: Mapping[str, QueueSettings]) -> None:
        self.queues = queues
        self.agents: dict[str, Agent] = {}
        self.displays: dict[str, str] = {}
        self.callers: dict[str, Caller] = {}
        self.offers: dict[str, LiveOffer] = {}
        self.tickets: dict[str, Ticket] = {}
        self.memory: dict[str, QueueMemory] = {}
        self.settle()

    def settle(self) -> None:
        """The changes are in the store: forgets which they were, and what was to be told."""
        for ticket in list(self.tickets.values()):
            if ticket.state not in {TicketState.OPEN, TicketState.CALLING}:
                del self.tickets[ticket.ticket]
        self.changes = Changes()
        self.told: list[Told] = []
        self.news: list[dict[str, Any]] = []

    # What is asked ----------------------------------------------------------------------------------------------------

    def snapshot(self, tickets: bool = True) -> Snapshot:
        """What a decision sees; without `tickets` no callback can be begun now."""
        waiting = {
            caller.call_id: Waiting(
                caller.call_id, caller.queue, caller.joined, caller.priority, caller.skills, tried=caller.tried
            )
            for caller in self.callers.values()
            if caller.state is CallerState.WAITING
        }
        for ticket in self.tickets.values() if tickets else ():
            if ticket.state is TicketState.OPEN:
                waiting[ticket.ticket] = Waiting(
                    ticket.ticket, ticket.queue, ticket.joined, ticket.priority, ticket.skills,
                    virtual=True, not_before=ticket.not_before, tried=ticket.tried,
                )  # fmt: skip
        return Snapshot(
            queues=self.queues,
            agents=self.agents,
            waiting=waiting,
            offers={name: live.offer for name, live in self.offers.items()},
            last_rung={name: memory.last_rung for name, memory in self.memory.items() if memory.last_rung},
            handle_s={name: memory.handle_s for name, memory in self.memory.items() if memory.handle_s is not None},
        )

    def offers_for(self, call_id: str) -> Iterator[LiveOffer]:
        """The offers in force for a call or ticket; the board may be changed meanwhile."""
        return iter([live for live in self.offers.values() if live.offer.call_id == call_id])

    # Changes ----------------------------------------------------------------------------------------------------------

    def put_agent(self, agent: Agent) -> None:
        """Sets what an agent does."""
        before = self.agents.get(agent.name)
        if agent == before:
            return
        if before is not None and before.memberships != agent.memberships:
            self.changes.members.add(agent.name)
        self.agents[agent.name] = agent
        if before is not None and before.offer is not None and agent.offer != before.offer:
            self._take_back(before.offer)
        self.changes.agents.add(agent.name)
        if before is None or before.state is not agent.state:
            self.news.append(
                {"kind": "agent", "agent": agent.name, "state": agent.state, "reason": agent.pause_reason,
                 "call_id": agent.call_id, "queue": agent.queue}
            )  # fmt: skip

    def signal(self, name: str, event: Event, now: float) -> bool:
        """Tells an agent's state machine; False where it refuses, or where there is no such agent."""
        agent = self.agents.get(name)
        if agent is None:
            return False
        try:
            self.put_agent(step(agent, event, now, self.queues))
        except RefusedError:
            return False
        return True

    def put_caller(self, caller: Caller) -> None:
        """Sets what is known of a caller."""
        before = self.callers.get(caller.call_id)
        self.callers[caller.call_id] = caller
        self.changes.callers.add(caller.call_id)
        if before is None or before.state is not caller.state or before.queue != caller.queue:
            self.news.append(
                {"kind": "caller", "call_id": caller.call_id, "queue": caller.queue, "state": caller.state,
                 "agent": caller.agent}
            )  # fmt: skip

    def drop_caller(self, call_id: str, outcome: str, now: float) -> None:
        """The caller is in no queue any more: the offers end, the agent who talked to the caller wraps up."""
        caller = self.callers.pop(call_id, None)
        if caller is None:
            return
        self.changes.callers.add(call_id)
        for live in self.offers_for(call_id):
            self.end_offer(live.offer.offer, "cancelled", now)
        talk_s = None
        if caller.agent is not None:
            talk_s = max(now - caller.since, 0.0)
            if self.signal(caller.agent, Event(Signal.OVER, call_id=call_id), now):
                self._learn(caller.queue, talk_s)
        waited_s = max((caller.since if caller.agent else now) - caller.joined, 0.0)
        self.changes.log.append(
            {"call_id": call_id, "queue": caller.queue, "joined": caller.joined, "ended": now, "outcome": outcome,
             "agent": caller.agent, "wait_s": waited_s, "talk_s": talk_s}
        )  # fmt: skip
        for ticket in list(self.tickets.values()):
            if ticket.attempt == call_id and ticket.state is TicketState.CALLING:
                self.retry_ticket(ticket, now)
        self.news.append({"kind": "left", "call_id": call_id, "queue": caller.queue, "outcome": outcome})

    def put_ticket(self, ticket: Ticket) -> None:
        """Sets what is known of a callback; one that is over is only kept until it is written."""
        self.tickets[ticket.ticket] = ticket
        self.changes.tickets.add(ticket.ticket)
        self.news.append(
            {"kind": "ticket", "ticket": ticket.ticket, "queue": ticket.queue, "state": ticket.state}
        )  # fmt: skip

    def retry_ticket(self, ticket: Ticket, now: float) -> None:
        """The number was not reached: once more later, or never."""
        attempts = ticket.attempts + 1
        state = TicketState.OPEN if attempts < MOST_ATTEMPTS else TicketState.FAILED
        after = replace(ticket, state=state, attempts=attempts, attempt="", tried=(), since=now)
        self.put_ticket(replace(after, not_before=now + AGAIN_AFTER_S))

    def put_offer(self, live: LiveOffer) -> None:
        """Makes an offer, or changes it."""
        if live.offer.offer not in self.offers:
            self.news.append(_news_of(live, "made"))
        self.offers[live.offer.offer] = live
        self.changes.offers.add(live.offer.offer)

    def end_offer(self, name: str, outcome: str, now: float) -> LiveOffer | None:
        """Ends an offer in force, in a worker's word for it; None where it is not. "answered": `talking` comes next."""
        live = self.offers.pop(name, None)
        if live is None:
            return None
        offer = live.offer
        self.changes.ended.append((name, outcome, now))
        self.signal(offer.agent, Event(OUTCOMES[outcome], call_id=offer.call_id, offer=name), now)
        if outcome in _IN_VAIN:
            if (caller := self.callers.get(offer.call_id)) is not None:
                self.put_caller(replace(caller, tried=(*caller.tried, offer.agent)))
            elif (ticket := self.tickets.get(offer.call_id)) is not None:
                self.put_ticket(replace(ticket, tried=(*ticket.tried, offer.agent)))
        self.news.append(_news_of(live, outcome))
        return live

    def talking(self, caller: Caller, agent: str, now: float) -> None:
        """The caller talks to the agent: all other offers for the caller, and to the agent, end.

        `agent` need not be one we know: a worker may have connected the caller to anybody.
        """
        if caller.agent is not None and caller.agent != agent:
            self.signal(caller.agent, Event(Signal.OVER, call_id=caller.call_id), now)
        self.signal(agent, Event(Signal.FOUND, call_id=caller.call_id, queue=caller.queue), now)
        for live in self.offers_for(caller.call_id):
            self.withdraw(live.offer.offer, now)
        since = caller.since if caller.state is CallerState.TALKING else now
        self.put_caller(replace(caller, state=CallerState.TALKING, agent=agent, since=since))

    def withdraw(self, name: str, now: float) -> None:
        """Takes an offer back and tells the worker."""
        live = self.end_offer(name, "cancelled", now)
        if live is not None:
            self.tell(live.attempt or live.offer.call_id, command="withdraw", offer=name)

    def mend(self, now: float) -> None:
        """Ends what does not fit: the offers of calls that are gone, and the calls of agents that nobody confirms.

        Nothing makes such a state; if it is ever found, no agent shall be stuck in it.
        """
        for live in list(self.offers.values()):
            if live.offer.call_id not in self.callers and live.offer.call_id not in self.tickets:
                self.withdraw(live.offer.offer, now)
        for agent in list(self.agents.values()):
            if agent.offer is not None and agent.offer not in self.offers:
                self.signal(agent.name, Event(Signal.CANCEL), now)
            elif agent.state in _TALKS and agent.call_id not in self.callers and agent.since < now - _UNCONFIRMED_S:
                self.signal(agent.name, Event(Signal.OVER), now)
        for ticket in list(self.tickets.values()):
            if ticket.state is TicketState.CALLING and ticket.attempt not in self.callers:
                self.retry_ticket(ticket, now)

    def tell(self, call_id: str, /, **data: object) -> None:
        """Sends a command to the worker of a call, once the changes are in the store."""
        self.told.append(Told(call_id, data))

    def _take_back(self, name: str) -> None:
        """The agent's state says that this offer is over."""
        live = self.offers.pop(name, None)
        if live is not None:
            self.changes.ended.append((name, "cancelled", self.agents[live.offer.agent].since))
            self.tell(live.attempt or live.offer.call_id, command="withdraw", offer=name)

    def _learn(self, queue: str, talk_s: float) -> None:
        settings = self.queues.get(queue)
        memory = self.memory.get(queue, QueueMemory())
        took_s = talk_s + (settings.wrapuptime_s if settings else 0.0)
        self.memory[queue] = replace(memory, handle_s=learned(memory.handle_s, took_s))
        self.changes.queues.add(queue)


def _news_of(live: LiveOffer, outcome: str) -> dict[str, Any]:
    offer = live.offer
    return {
        "kind": "offer", "offer": offer.offer, "call_id": offer.call_id, "agent": offer.agent, "queue": offer.queue,
        "outcome": outcome,
    }  # fmt: skip
