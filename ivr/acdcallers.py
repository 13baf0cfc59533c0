"""What workers tell of callers who wait, and of their talk with an agent. Pure: the board in, the answer out.

An answer with "place" is completed, once the round has decided, with the caller's position and expected wait.
"""

from dataclasses import replace
from typing import Any

from ivr.acd.agents import Event, Signal
from ivr.acd.empty import refusal
from ivr.acd.estimate import staffing
from ivr.acd.model import Waiting
from ivr.acdboard import Board, Caller, CallerState, LiveOffer, Ticket, TicketState
from ivr.acdcommands import AcdRefusal, Join, Leave, Move, OfferOutcome, Priority, Renew, StaffingOf, Talk

Answer = dict[str, Any]
PLACE = "place"

_REFUSALS = {
    "queue.unknown": "there is no such queue",
    "queue.full": "the queue is as long as it may be",
    "queue.no_agents": "nobody is there to answer",
}


def join(board: Board, command: Join, now: float) -> Answer:
    """The caller waits; who is in another queue leaves that. Raises AcdRefusal."""
    before = board.callers.get(command.call_id)
    if before is not None and before.queue == command.queue:
        return {PLACE: command.call_id}
    waiting = Waiting(command.call_id, command.queue, min(command.joined, now), command.priority, command.skills)
    code = refusal(board.snapshot(), waiting, now)
    if code is not None:
        raise AcdRefusal(code, f"{command.queue}: {_REFUSALS.get(code, code)}")
    board.drop_caller(command.call_id, "moved", now)
    board.put_caller(_caller(command, now))
    return {PLACE: command.call_id}


def renew(board: Board, command: Renew, now: float) -> Answer:
    """The worker's word: what we lost is restored, what is over is taken back. That nobody talks to the caller only
    counts if it was said after we heard that somebody does.
    """
    caller = board.callers.get(command.call_id)
    if caller is None:
        if command.queue not in board.queues:
            raise AcdRefusal("queue.unknown", f"{command.queue}: {_REFUSALS['queue.unknown']}")
        caller = _caller(command, now)
        board.put_caller(caller)
    if command.agent is not None:
        if caller.state is CallerState.WAITING or caller.agent != command.agent:
            board.talking(caller, command.agent, now)
    elif caller.state is CallerState.TALKING and command.sent > caller.since:
        board.signal(caller.agent or "", Event(Signal.OVER, call_id=caller.call_id), now)
        board.put_caller(replace(caller, state=CallerState.WAITING, agent=None, since=now))
    if caller.queue != command.queue and caller.state is CallerState.WAITING:
        board.tell(command.call_id, command="move", queue=caller.queue)
    for name in command.offers:
        if name not in board.offers:
            board.tell(command.call_id, command="withdraw", offer=name)
    return {PLACE: command.call_id}


def leave(board: Board, command: Leave, now: float) -> Answer:
    """The caller is out of the queue, or of the talk."""
    board.drop_caller(command.call_id, command.reason, now)
    return {}


def priority(board: Board, command: Priority, _now: float) -> Answer:
    """Changes the place of a caller who waits."""
    caller = board.callers.get(command.call_id)
    if caller is not None and caller.priority != command.priority:
        board.put_caller(replace(caller, priority=command.priority))
    return {PLACE: command.call_id}


def move(board: Board, command: Move, now: float) -> Answer:
    """Has the caller wait in another queue, however long or empty it is, since they first came. Raises AcdRefusal."""
    caller = board.callers.get(command.call_id)
    if caller is None or caller.state is not CallerState.WAITING:
        raise AcdRefusal("call.not_waiting", f"call {command.call_id} waits in no queue")
    if command.queue not in board.queues:
        raise AcdRefusal("queue.unknown", f"{command.queue}: {_REFUSALS['queue.unknown']}")
    if caller.queue != command.queue:
        for live in board.offers_for(command.call_id):
            board.withdraw(live.offer.offer, now)
        board.drop_caller(command.call_id, "moved", now)
        board.put_caller(replace(caller, queue=command.queue, tried=(), since=now))
        board.tell(command.call_id, command="move", queue=command.queue)
    return {PLACE: command.call_id}


def how_staffed(board: Board, command: StaffingOf, now: float) -> Answer:
    """{logged_in, ready, waiting, expected_wait_s}. Raises AcdRefusal."""
    if command.queue not in board.queues:
        raise AcdRefusal("queue.unknown", f"{command.queue}: {_REFUSALS['queue.unknown']}")
    found = staffing(board.snapshot(), command.queue, now)
    return {
        "logged_in": found.logged_in,
        "ready": found.ready,
        "waiting": found.waiting,
        "expected_wait_s": found.expected_wait_s,
    }


def offer(board: Board, command: OfferOutcome, now: float) -> Answer:
    """What became of an offer. That an agent answered counts even after the lease: the two are talking."""
    live = board.offers.get(command.offer)
    if command.outcome == "ringing":
        if live is not None and not live.ringing:
            board.put_offer(replace(live, ringing=now))
        return {}
    if command.outcome != "answered":
        board.end_offer(command.offer, command.outcome, now)
        return {}
    board.end_offer(command.offer, "answered", now)
    call_id = command.call_id
    if live is not None:
        call_id = live.attempt or live.offer.call_id
        if live.attempt and (ticket := board.tickets.get(live.offer.call_id)) is not None:
            _call_back(board, live, ticket, now)
    caller = board.callers.get(call_id)
    if caller is not None:
        board.talking(caller, command.agent, now)
    else:
        board.signal(command.agent, Event(Signal.FOUND, call_id=call_id), now)
    return {}


def _call_back(board: Board, live: LiveOffer, ticket: Ticket, now: float) -> None:
    """The agent of a callback is on the line: the worker rings the number."""
    board.put_ticket(replace(ticket, state=TicketState.CALLING, attempt=live.attempt, since=now))
    board.put_caller(
        Caller(
            live.attempt, live.worker, ticket.queue, ticket.joined, caller=ticket.number, language=ticket.language,
            skills=ticket.skills, priority=ticket.priority, context=ticket.context, since=now,
        )
    )  # fmt: skip


def talk(board: Board, command: Talk, now: float) -> Answer:
    """Hold and its end; after "over" the agent wraps up and the caller is no longer ours."""
    caller = board.callers.get(command.call_id)
    if command.state != "over":
        signal = Signal.HOLD if command.state == "hold" else Signal.RESUME
        board.signal(command.agent, Event(signal, call_id=command.call_id), now)
    elif caller is not None and caller.agent == command.agent:
        board.drop_caller(command.call_id, "answered", now)
    else:
        board.signal(command.agent, Event(Signal.OVER, call_id=command.call_id), now)
    return {}


def _caller(command: Join, now: float) -> Caller:
    return Caller(
        command.call_id,
        command.worker,
        command.queue,
        min(command.joined, now),
        caller=command.caller,
        called=command.called,
        language=command.language,
        skills=command.skills,
        priority=command.priority,
        context=command.context,
        since=now,
    )
