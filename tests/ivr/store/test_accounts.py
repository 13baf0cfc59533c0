"""Accounts, memberships and skills on SQLite and PostgreSQL alike."""

from dataclasses import replace

import pytest

from ivr.accounts import Role, new_account
from ivr.store.accounts import Accounts
from ivr.store.database import Database
from ivr.store.errors import StoreRefusedError


@pytest.fixture
async def accounts(store_url: str):
    database = Database(store_url)
    await database.migrate()
    yield Accounts(database)
    await database.close()


ANNA = new_account("anna", Role.AGENT, "correct horse", "Anna K.")
BOSS = new_account("boss", Role.SUPERVISOR, "correct horse")


async def test_what_is_put_is_read(accounts: Accounts) -> None:
    assert await accounts.all() == []
    await accounts.put(BOSS, 20.0)
    await accounts.put(ANNA, 10.0)
    assert await accounts.all() == [replace(ANNA, version=20001), replace(BOSS, version=20000)]
    assert await accounts.get("anna") == replace(ANNA, version=20001)
    assert await accounts.get("Anna") is None


async def test_every_change_changes_the_stamp(accounts: Accounts) -> None:
    stamps = [await accounts.stamp()]
    for work in (
        accounts.put(ANNA, 10.0),
        accounts.put(BOSS, 10.0),
        accounts.put(replace(ANNA, enabled=False), 10.0),
        accounts.remove("boss"),
    ):
        await work
        stamps.append(await accounts.stamp())
    assert len(set(stamps)) == len(stamps)


async def test_queues_keep_their_order_and_statistics_when_others_change(accounts: Accounts) -> None:
    await accounts.put(ANNA, 1.0)
    await accounts.assign("anna", {"support": 2, "cards": 0}, {"cards": 3})
    (member,) = await accounts.members()
    assert list(member.queues.items()) == [("support", 2), ("cards", 0)]
    assert member.skills == {"cards": 3}
    await accounts.assign("anna", {"loans": 0, "cards": 5}, {})
    (member,) = await accounts.members()
    assert list(member.queues.items()) == [("cards", 5), ("loans", 0)]
    assert member.skills == {}


async def test_removing_an_account_removes_what_hangs_on_it(accounts: Accounts) -> None:
    await accounts.put(ANNA, 1.0)
    await accounts.assign("anna", {"cards": 0}, {"cards": 3})
    assert await accounts.remove("anna")
    assert not await accounts.remove("anna")
    assert await accounts.members() == []
    with pytest.raises(StoreRefusedError):
        await accounts.assign("anna", {"cards": 0}, {})
    await accounts.put(ANNA, 1.0)
    (member,) = await accounts.members()
    assert member.queues == {}
