"""What the store tells of the present, on SQLite and PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from ivr.accounts import Account, Role
from ivr.acd.model import QueueSettings
from ivr.store.accounts import Accounts
from ivr.store.acdtables import queue_log
from ivr.store.live import Live, Served
from ivr.store.rows import rows_of
from ivr.store.store import Store
from ivr.store.tokens import Tokens
from ivr.tokens import ApiRole, new_token
from recordings.event import Event

NOW = 1_795_230_000.0
ABOUT = {"caller": "1001", "called": "hotline", "flow": "bank-en", "created": NOW - 60}


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    made = Store(store_url)
    await made.migrate()
    yield made
    await made.close()


def live(store: Store) -> Live:
    queues = {name: QueueSettings(name, servicelevel_s=level) for name, level in (("cards", 20.0), ("loans", 60.0))}
    return Live(store.database, queues)


async def test_calls_that_are_up_show_the_step_they_entered_last(store: Store) -> None:
    up = [
        Event(1, "call.started", None, NOW - 60, None, ABOUT),
        Event(2, "step.entered", 0, NOW - 59, None, {"step": "greet", "type": "say"}),
        Event(9, "step.entered", 80, NOW - 5, None, {"step": "menu", "type": "menu"}),
        Event(10, "note", 90, NOW - 4, None, {"step": "other"}),
    ]
    over = [*up, Event(11, "call.ended", 99, NOW - 1, None, {"termination": "completed", "by": "hotline"})]
    old = [Event(1, "call.started", None, NOW - 9e5, None, {**ABOUT, "created": NOW - 9e5})]
    await store.save([rows_of("up", ABOUT, up, archived=False), rows_of("over", ABOUT, over, archived=False)])
    await store.save([rows_of("bare", ABOUT, up[:1], archived=False), rows_of("old", {}, old, archived=False)])
    calls = await live(store).calls(NOW)
    assert sorted((call.call_id, call.step, call.caller) for call in calls) == [
        ("bare", "", "1001"),
        ("up", "menu", "1001"),
    ]
    assert [await live(store).state_of(name) for name in ("up", "over", "none")] == ["up", "over", ""]


async def test_the_service_level_is_that_of_each_queue_since_then(store: Store) -> None:
    rows = [
        *(("cards", wait_s, "answered", "anna", NOW) for wait_s in (0.0, 20.0, 20.5)),
        ("cards", 5.0, "abandoned", None, NOW),
        ("cards", 25.0, "hangup", None, NOW),
        ("cards", 25.0, "exit_key", None, NOW),
        ("cards", 1.0, "answered", "anna", NOW - 100),
        ("loans", 50.0, "answered", "bert", NOW),
        ("gone", 50.0, "answered", "bert", NOW),
    ]
    async with store.database.writing() as connection:
        await connection.execute(
            queue_log.insert(),
            [
                {"call_id": "c", "queue": queue, "joined": ended - wait_s, "ended": ended, "outcome": outcome,
                 "agent": agent, "wait_s": wait_s, "talk_s": None}
                for queue, wait_s, outcome, agent, ended in rows
            ],
        )  # fmt: skip
    assert await live(store).served(NOW - 50) == {"cards": Served(3, 2, 2, 1), "loans": Served(1, 1, 0, 0)}


async def test_a_token_is_found_by_its_secret_until_it_is_revoked(store: Store) -> None:
    tokens = Tokens(store.database)
    _, token = new_token("wall", ApiRole.SUPERVISOR, NOW)
    await tokens.add(token)
    assert await tokens.find(token.digest) == token
    assert await tokens.all() == [token]
    assert await tokens.remove("wall")
    assert await tokens.find(token.digest) is None
    assert not await tokens.remove("wall")


async def test_a_token_of_an_agent_goes_with_the_account(store: Store) -> None:
    accounts, tokens = Accounts(store.database), Tokens(store.database)
    await accounts.put(Account("anna", Role.AGENT, "hotline", "0" * 32, "0" * 64), NOW)
    await tokens.add(new_token("desktop", ApiRole.AGENT, NOW, "anna")[1])
    await accounts.remove("anna")
    assert await tokens.all() == []
