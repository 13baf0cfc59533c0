"""Turns on one store by several processes: each sees what the others did, and a turn that fails leaves nothing."""

import pytest

from ivr.accounts import Account, Role
from ivr.acd.agents import Event, Signal
from ivr.acd.model import Offer, QueueSettings
from ivr.acdboard import Board, Caller, LiveOffer, Ticket
from ivr.store.accounts import Accounts
from ivr.store.acdstate import AcdState
from ivr.store.database import Database
from ivr.store.errors import StoreRefusedError

QUEUES = {"cards": QueueSettings("cards")}
CALLER = Caller(
    "one", "w7", "cards", 5.0, caller="+49", called="hotline", language="en", skills={"zh": 2}, priority=3,
    context={"order": "你好"}, tried=("anna",), since=6.0,
)  # fmt: skip
TICKET = Ticket("t", "one", "+49", "cards", 5.0, 6.0, skills={"zh": 2}, tried=("anna",))


@pytest.fixture
async def database(store_url: str):
    database = Database(store_url)
    await database.migrate()
    await Accounts(database).put(Account("anna", Role.AGENT, "hotline", "", ""), 1.0)
    await Accounts(database).assign("anna", {"cards": 2}, {"zh": 3})
    yield database
    await database.close()


async def test_everything_is_read_as_it_was_written(database: Database) -> None:
    state = AcdState(database, QUEUES)

    def work(board: Board, _answers: object) -> None:
        board.put_caller(CALLER)
        board.put_ticket(TICKET)
        board.signal("anna", Event(Signal.LOGIN), 4.0)
        board.put_offer(LiveOffer(Offer("o", "one", "cards", "anna", 7.0, 27.0), attempt="a", worker="w9"))
        board.signal("anna", Event(Signal.OFFER, call_id="one", queue="cards", offer="o"), 7.0)

    await state.turn(work, [], 7.0)
    written = state.board
    other = AcdState(database, QUEUES)
    await other.turn(lambda _board, _answers: None, [], 8.0)
    assert written is not None
    assert other.board is not None
    for part in ("agents", "callers", "offers", "tickets", "memory"):
        assert getattr(other.board, part) == getattr(written, part), part


async def test_a_turn_sees_what_another_process_did_and_what_was_changed_by_hand(database: Database) -> None:
    one, two = AcdState(database, QUEUES), AcdState(database, QUEUES)
    for state in (one, two):
        await state.turn(lambda _board, _answers: None, [], 1.0)
    await one.turn(lambda board, _answers: board.put_caller(CALLER), [], 2.0)
    assert await two.turn(lambda board, _answers: list(board.callers), [], 2.0) == ["one"]
    await two.turn(lambda board, _answers: board.drop_caller("one", "hangup", 3.0), [], 3.0)
    await Accounts(database).assign("anna", {}, {})
    found = await one.turn(lambda board, _answers: (list(board.callers), board.agents["anna"].memberships), [], 4.0)
    assert found == ([], ())
    await Accounts(database).remove("anna")
    assert await one.turn(lambda board, _answers: list(board.agents), [], 5.0) == []


async def test_an_answer_is_known_to_the_other_process(database: Database) -> None:
    one, two = AcdState(database, QUEUES), AcdState(database, QUEUES)
    for state in (one, two):
        await state.turn(lambda _board, _answers: None, [], 1.0)
    await one.turn(lambda board, _answers: board.changes.answers.update({"c": {"answer": {"x": 1}}}), ["c"], 2.0)
    for _ in range(2):  # also when it has read the board since
        known = await two.turn(lambda _board, answers: dict(answers), ["c", "d"], 3.0)
        assert known == {"c": {"answer": {"x": 1}}}


async def test_a_turn_that_fails_leaves_nothing(database: Database) -> None:
    state = AcdState(database, QUEUES)

    def fails(board: Board, _answers: object) -> None:
        board.put_caller(CALLER)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await state.turn(fails, [], 1.0)
    assert await state.turn(lambda board, _answers: dict(board.callers), [], 2.0) == {}


async def test_the_store_itself_refuses_a_second_offer_to_an_agent(database: Database) -> None:
    state = AcdState(database, QUEUES)
    first, second = (LiveOffer(Offer(name, name, "cards", "anna", 1.0, 20.0)) for name in ("a", "b"))
    await state.turn(lambda board, _answers: board.put_offer(first), [], 1.0)
    with pytest.raises(StoreRefusedError):
        await state.turn(lambda board, _answers: board.put_offer(second), [], 2.0)
    await state.turn(lambda board, _answers: board.end_offer("a", "cancelled", 3.0), [], 3.0)
    await state.turn(lambda board, _answers: board.put_offer(second), [], 4.0)
