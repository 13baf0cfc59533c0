"""What agents, supervisors and callback tickets ask for. Pure: the board in, the answer out."""

from dataclasses import replace
from random import Random
from typing import Any

from ivr.acd.agents import Event, Signal, step
from ivr.acd.errors import RefusedError
from ivr.acdboard import Board, Ticket, TicketState
from ivr.acdcallers import PLACE
from ivr.acdcommands import AcdRefusal, AgentDoes, Audited, Callback, OfAgent, TicketOutcome
from recordings.callid import new_call_id

Answer = dict[str, Any]


def agent(board: Board, command: AgentDoes, now: float) -> Answer:
    """{state, reason} after what the agent wants, or wants next. Raises AcdRefusal."""
    before = board.agents.get(command.agent)
    if before is None:
        raise AcdRefusal("agent.unknown", f"there is no agent {command.agent}")
    event = Event(Signal(command.do), reason=command.reason, disposition=command.disposition)
    try:
        after = step(before, event, now, board.queues)
    except RefusedError as error:
        raise AcdRefusal(error.code, str(error)) from error
    board.put_agent(after)
    if command.by and command.by != command.agent:
        detail = {"reason": command.reason} if command.reason else {}
        audit(board, Audited(who=command.by, what=command.do, agent=command.agent, detail=detail), now)
    return {"state": after.state, "reason": after.pause_reason, "call_id": after.call_id}


def agent_call(board: Board, command: OfAgent, _now: float) -> Answer:
    """{call_id, worker, queue, state} of the call that the agent is in. Raises AcdRefusal."""
    found = board.agents.get(command.agent)
    if found is None:
        raise AcdRefusal("agent.unknown", f"there is no agent {command.agent}")
    caller = board.callers.get(found.call_id or "")
    if caller is None or found.answered_at is None:
        raise AcdRefusal("agent.no_call", f"{command.agent} is in no call")
    return {"call_id": caller.call_id, "worker": caller.worker, "queue": caller.queue, "state": found.state}


def audit(board: Board, command: Audited, now: float) -> Answer:
    """Puts it on record."""
    board.changes.audit.append({"at": now, **command.model_dump()})
    return {}


def callback(board: Board, command: Callback, now: float) -> Answer:
    """{ticket, position, expected_wait_s}: the caller will be called back. Raises AcdRefusal."""
    if command.queue not in board.queues:
        raise AcdRefusal("queue.unknown", f"{command.queue}: there is no such queue")
    for ticket in board.tickets.values():
        if (ticket.call_id, ticket.number, ticket.queue) == (command.call_id, command.number, command.queue):
            return {PLACE: ticket.ticket, "ticket": ticket.ticket}
    waiting = board.callers.get(command.call_id)
    joined = min(command.joined or (waiting.joined if waiting else now), now)
    name = new_call_id(now, Random(f"{command.call_id} {command.number} {command.queue}"))  # noqa: S311 - a name
    board.put_ticket(
        Ticket(
            name, command.call_id, command.number, command.queue, joined, now,
            skills=command.skills or (waiting.skills if waiting else {}),
            priority=command.priority or (waiting.priority if waiting else 0),
            language=command.language, context=command.context, not_before=command.at or 0.0, since=now,
        )
    )  # fmt: skip
    return {PLACE: name, "ticket": name}


def ticket(board: Board, command: TicketOutcome, now: float) -> Answer:
    """The number was reached, or it was not: tried again in five minutes, three times in all."""
    found = board.tickets.get(command.ticket)
    if found is None:
        return {}
    match command.outcome:
        case "answered":
            board.put_ticket(replace(found, state=TicketState.DONE, since=now))
        case "cancelled":
            for live in board.offers_for(found.ticket):
                board.withdraw(live.offer.offer, now)
            board.put_ticket(replace(found, state=TicketState.CANCELLED, since=now))
        case _:
            board.retry_ticket(found, now)
    return {}
