"""Moving a caller to another queue, on the board alone."""

import pytest

from ivr import acdcallers
from ivr.acd.agents import Event, Signal
from ivr.acd.model import Agent, AgentState, Membership, Offer, QueueSettings
from ivr.acdboard import Board, Caller, CallerState, LiveOffer
from ivr.acdcommands import AcdRefusal, Move, Renew

NOW = 10_000.0


@pytest.fixture
def board() -> Board:
    made = Board({name: QueueSettings(name) for name in ("cards", "loans")})
    made.agents["anna"] = Agent("anna", AgentState.READY, memberships=(Membership("cards"),))
    made.callers["c"] = Caller("c", "w1", "cards", NOW - 50, tried=("bert",))
    made.put_offer(LiveOffer(Offer("o", "c", "cards", "anna", NOW - 1, NOW + 20)))
    assert made.signal("anna", Event(Signal.OFFER, call_id="c", queue="cards", offer="o"), NOW - 1)
    made.settle()
    return made


def test_the_caller_keeps_the_time_of_joining_and_no_phone_rings_on(board: Board) -> None:
    acdcallers.move(board, Move(call_id="c", queue="loans"), NOW)
    caller = board.callers["c"]
    assert (caller.queue, caller.joined, caller.tried) == ("loans", NOW - 50, ())
    assert board.offers == {}
    assert board.agents["anna"].state is AgentState.READY
    assert [(told.call_id, told.data["command"]) for told in board.told] == [("c", "withdraw"), ("c", "move")]
    assert [(row["queue"], row["outcome"]) for row in board.changes.log] == [("cards", "moved")]


def test_a_worker_that_missed_it_is_told_again(board: Board) -> None:
    acdcallers.move(board, Move(call_id="c", queue="loans"), NOW)
    board.settle()
    acdcallers.renew(board, Renew(call_id="c", worker="w1", queue="cards", joined=NOW - 50), NOW + 5)
    assert board.callers["c"].queue == "loans"
    assert [told.data for told in board.told] == [{"command": "move", "queue": "loans"}]


def test_to_where_they_wait_already_changes_nothing(board: Board) -> None:
    acdcallers.move(board, Move(call_id="c", queue="cards"), NOW)
    assert not board.changes
    assert list(board.offers) == ["o"]


@pytest.mark.parametrize(
    ("call_id", "queue", "state", "code"),
    [
        ("c", "nope", CallerState.WAITING, "queue.unknown"),
        ("c", "loans", CallerState.TALKING, "call.not_waiting"),
        ("d", "loans", CallerState.WAITING, "call.not_waiting"),
    ],
)
def test_what_cannot_be_moved_is_refused(board: Board, call_id: str, queue: str, state: CallerState, code: str) -> None:
    board.callers["c"] = Caller("c", "w1", "cards", NOW - 50, state=state)
    with pytest.raises(AcdRefusal) as refused:
        acdcallers.move(board, Move(call_id=call_id, queue=queue), NOW)
    assert refused.value.code == code
