"""One round of the ACD: what was said, what time has brought, who rings for whom. Pure: board in, answers out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ivr import acdcallers, acdpeople
from ivr.acd.agents import Event, Signal
from ivr.acd.due import rung_out, wrapped_up
from ivr.acd.empty import leavers
from ivr.acd.estimate import places
from ivr.acd.model import Decision, Offer
from ivr.acd.router import decide
from ivr.acdboard import Board, LiveOffer, QueueMemory
from ivr.acdcallers import PLACE
from ivr.acdcommands import (
    AcdRefusal,
    AgentDoes,
    Audited,
    Callback,
    Join,
    Leave,
    Move,
    OfAgent,
    OfferOutcome,
    Priority,
    Renew,
    StaffingOf,
    Talk,
    TicketOutcome,
)
from recordings.callid import new_call_id

Answer = dict[str, Any]
Reply = Answer | AcdRefusal
GONE_AFTER_S = 15.0  # three renewals
LEASE_GRACE_S = 5.0  # for the worker to say how its ringing ended
_HEAR_AGAIN_S = 3.0  # after an absence from the bus nothing is held against those who could not tell


@dataclass(frozen=True, slots=True)
class Ask:
    """A command, parsed; or, without an id, work of our own."""

    id: str
    work: Callable[[Board, float], Answer]


@dataclass(frozen=True, slots=True)
class World:
    """What is known beside the board. `heard`: when a caller's worker spoke last. `listening_since`: None while we are
    not on the bus. `idle`: workers who could make a call back.
    """

    heard: Mapping[str, float] = field(default_factory=dict)
    listening_since: float | None = 0.0
    idle: Sequence[str] = ()


_HANDLERS: dict[type, Callable[..., Answer]] = {
    Join: acdcallers.join,
    Renew: acdcallers.renew,
    Leave: acdcallers.leave,
    Priority: acdcallers.priority,
    Move: acdcallers.move,
    StaffingOf: acdcallers.how_staffed,
    OfferOutcome: acdcallers.offer,
    Talk: acdcallers.talk,
    AgentDoes: acdpeople.agent,
    OfAgent: acdpeople.agent_call,
    Audited: acdpeople.audit,
    Callback: acdpeople.callback,
    TicketOutcome: acdpeople.ticket,
}


def ask(id_: str, command: object) -> Ask:
    """What the board has to do about a parsed command."""
    handler = _HANDLERS[type(command)]
    return Ask(id_, lambda board, now: handler(board, command, now))


def play(
    board: Board, asks: Sequence[Ask], answers: Mapping[str, Answer], world: World, now: float, random: Random
) -> list[Reply]:
    """Carries out the commands in their order, then what is due, then the decisions. The replies are the commands'."""
    replies: list[Reply] = []
    for each in asks:
        if each.id in answers:
            replies.append(_reply_of(answers[each.id]))
            continue
        try:
            replies.append(each.work(board, now))
        except AcdRefusal as refusal:
            replies.append(refusal)
    _time_passes(board, world, now)
    if world.listening_since is not None:
        _decide(board, world, now, random)
    _tell_places(board, replies, now)
    for each, reply in zip(asks, replies, strict=True):
        if each.id and each.id not in answers:
            board.changes.answers[each.id] = _kept(reply)
    return replies


def _time_passes(board: Board, world: World, now: float) -> None:
    board.mend(now)
    before = board.snapshot()
    for agent in wrapped_up(before, now):
        board.signal(agent.name, Event(Signal.WRAPPED_UP), now)
    if world.listening_since is None:
        return
    if now > world.listening_since + _HEAR_AGAIN_S:
        for offer in rung_out(before, now):
            board.end_offer(offer.offer, "unreachable", now)
    for caller in list(board.callers.values()):
        last = max(world.heard.get(caller.call_id, caller.since), world.listening_since)
        if now - last > GONE_AFTER_S:
            board.drop_caller(caller.call_id, "lost", now)
    if not any(queue.leavewhenempty for queue in board.queues.values()):
        return
    for call_id in leavers(board.snapshot(), now):
        board.tell(call_id, command="no_agents")
        board.drop_caller(call_id, "no_agents", now)


def _decide(board: Board, world: World, now: float, random: Random) -> None:
    idle = list(world.idle)
    for decision in decide(board.snapshot(tickets=bool(idle)), now, random.random):
        if decision.call_id in board.tickets:
            if not idle or any(board.offers_for(decision.call_id)):
                continue
            _offer_callback(board, decision, idle.pop(), now, random)
        else:
            for agent in decision.offers:
                _offer(board, decision, agent, now, random)
        memory = board.memory.get(decision.queue, QueueMemory())
        board.memory[decision.queue] = QueueMemory(decision.offers[-1], memory.handle_s)
        board.changes.queues.add(decision.queue)
        board.changes.decisions.append((decision, now))


def _offer(board: Board, decision: Decision, agent: str, now: float, random: Random) -> None:
    live = _made(board, decision, agent, now, random)
    if live is not None:
        board.tell(decision.call_id, **offer_command(board, live))


def _offer_callback(board: Board, decision: Decision, worker: str, now: float, random: Random) -> None:
    """One agent, whatever the strategy: a worker carries one callback to one agent."""
    attempt = new_call_id(now, random)
    live = _made(board, decision, decision.offers[0], now, random, attempt, worker)
    if live is not None:
        board.tell(decision.call_id, **offer_command(board, live))


def _made(
    board: Board, decision: Decision, agent: str, now: float, random: Random, attempt: str = "", worker: str = ""
) -> LiveOffer | None:
    name = f"{random.getrandbits(64):016x}"
    event = Event(Signal.OFFER, call_id=decision.call_id, queue=decision.queue, offer=name)
    lease_until = now + decision.ring_timeout_s + LEASE_GRACE_S
    offer = Offer(name, decision.call_id, decision.queue, agent, now, lease_until)
    live = LiveOffer(offer, attempt=attempt, worker=worker)
    board.put_offer(live)
    if not board.signal(agent, event, now):
        del board.offers[name]
        return None
    return live


def offer_command(board: Board, live: LiveOffer) -> dict[str, Any]:
    """What the worker is told of an offer in force; telling it again changes nothing."""
    offer = live.offer
    told: dict[str, Any] = {
        "command": "offer",
        "offer": offer.offer,
        "agent": offer.agent,
        "display": board.displays.get(offer.agent, offer.agent),
        "queue": offer.queue,
        "lease_until": offer.lease_until,
        "ring_timeout_s": offer.lease_until - LEASE_GRACE_S - offer.made,
        "headers": {},
    }
    ticket = board.tickets.get(offer.call_id)
    if live.attempt and ticket is not None:
        told |= {
            "command": "originate",
            "ticket": ticket.ticket,
            "call_id": live.attempt,
            "number": ticket.number,
            "joined": ticket.joined,
            "language": ticket.language,
            "priority": ticket.priority,
            "skills": dict(ticket.skills),
            "context": dict(ticket.context),
            "from_call": ticket.call_id,
        }
    return told


def _tell_places(board: Board, replies: list[Reply], now: float) -> None:
    if not any(isinstance(reply, dict) and PLACE in reply for reply in replies):
        return
    found = places(board.snapshot(), now)
    for reply in replies:
        if isinstance(reply, dict) and PLACE in reply:
            place = found.get(reply.pop(PLACE))
            reply["position"] = place.position if place else None
            reply["expected_wait_s"] = place.expected_wait_s if place else None


def _kept(reply: Reply) -> Answer:
    return {"refused": reply.code, "text": str(reply)} if isinstance(reply, AcdRefusal) else {"answer": reply}


def _reply_of(kept: Answer) -> Reply:
    return AcdRefusal(kept["refused"], kept["text"]) if "refused" in kept else dict(kept["answer"])
