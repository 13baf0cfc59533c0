"""The store on SQLite and PostgreSQL alike: migrations up and down, idempotent writes, reading, outages."""

import os
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from ivr.store import migrate
from ivr.store.errors import StoreRefusedError, StoreUnavailableError
from ivr.store.rows import CallRows, rows_of
from ivr.store.schema import metadata
from ivr.store.store import Store
from recordings.event import Event

CALL = "20261121-031500-7f3a9c"
OTHER = "20261121-031501-7f3a9d"


def some_rows(call_id: str = CALL, archived: bool = False, wall: float = 10.0, count: int = 3) -> CallRows:
    events = [Event(1, "call.started", None, wall, None, {"caller": "1001", "flow": "bank-zh", "version": 3})]
    events += [
        Event(seq, "utterance", seq * 800, wall + seq, "caller", {"text": f"你好 {seq}", "confidence": 0.5})
        for seq in range(2, count + 1)
    ]
    return rows_of(call_id, {"legs": {"caller": {"rate_hz": 8000, "samples": 9}}}, events, archived)


@pytest.fixture
async def store(store_url: str):
    store = Store(store_url)
    await store.migrate()
    yield store
    await store.close()


async def test_migrations_make_exactly_the_schema_and_can_be_taken_back(store_url: str) -> None:
    engine = create_async_engine(store_url)

    def tables(connection: sa.Connection) -> set[str]:
        return set(sa.inspect(connection).get_table_names())

    async with engine.begin() as connection:
        await connection.run_sync(migrate.upgrade)
        await connection.run_sync(migrate.upgrade)
        assert await connection.run_sync(tables) == {*metadata.tables, "alembic_version"}
        differences = await connection.run_sync(
            lambda c: compare_metadata(MigrationContext.configure(c, opts={"compare_type": True}), metadata)
        )
        assert differences == []
    async with engine.begin() as connection:
        await connection.run_sync(migrate.downgrade)
        assert await connection.run_sync(tables) == {"alembic_version"}
    async with engine.begin() as connection:
        await connection.run_sync(migrate.upgrade)
        assert "calls" in await connection.run_sync(tables)
    await engine.dispose()


async def test_what_is_written_is_read(store: Store) -> None:
    await store.save([some_rows(), some_rows(OTHER, wall=20.0)])
    newest = await store.newest(10)
    assert [summary.call_id for summary in newest] == [OTHER, CALL]
    assert (newest[0].caller, newest[0].flow, newest[0].version, newest[0].ended) == ("1001", "bank-zh", "3", None)
    assert [summary.call_id for summary in await store.newest(1)] == [OTHER]
    stored = await store.call(CALL)
    assert stored is not None
    assert [event.seq for event in stored.events] == [1, 2, 3]
    assert stored.events[1].data == {"text": "你好 2", "confidence": 0.5}
    assert stored.archived is False
    assert await store.call("20261121-031500-000000") is None


async def test_writing_again_changes_nothing_and_adds_what_is_new(store: Store) -> None:
    for rows in (some_rows(), some_rows(), some_rows(count=5)):
        await store.save([rows])
    stored = await store.call(CALL)
    assert stored is not None
    assert [event.seq for event in stored.events] == [1, 2, 3, 4, 5]


async def test_rows_of_the_bundle_are_never_replaced_by_those_of_the_bus(store: Store) -> None:
    whole = some_rows(archived=True)
    await store.save([whole])
    late = some_rows()
    await store.save([replace(late, call={**late.call, "turns": 99})])
    stored = await store.call(CALL)
    assert stored is not None
    assert stored.archived is True
    assert stored.summary.turns == 0


async def test_a_batch_is_all_or_nothing(store: Store) -> None:
    bad = some_rows(OTHER)
    bad = replace(bad, call={**bad.call, "caller": None})
    with pytest.raises(StoreRefusedError):
        await store.save([some_rows(), bad])
    assert await store.newest(10) == []


async def test_odd_text_is_stored(store: Store) -> None:
    event = Event(1, "utterance", 0, 1.0, "caller", {"text": "a\0\ud800", "confidence": float("nan")})
    await store.save([rows_of(CALL, {}, [event], archived=False)])
    stored = await store.call(CALL)
    assert stored is not None
    assert stored.events[0].data == {"text": "a\ufffd?", "confidence": None}


async def test_reading_does_not_make_a_store(tmp_path: Path) -> None:
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/no.db")
    with pytest.raises(StoreUnavailableError, match=r"no\.db"):
        await store.newest(1)
    assert not os.listdir(tmp_path)  # noqa: PTH208
    await store.close()


async def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is not a database, but a text of some length" * 10)
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    with pytest.raises(StoreUnavailableError, match="not a database"):
        await store.migrate()
    await store.close()


async def test_a_server_that_is_not_there_is_unavailable(free_port: int) -> None:
    store = Store(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port}/x")
    with pytest.raises(StoreUnavailableError):
        await store.migrate()
    await store.close()


async def test_a_deleted_file_is_noticed_and_made_again(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    store = Store(f"sqlite+aiosqlite:///{file}")
    assert await store.migrate() is True
    assert await store.migrate() is False
    await store.save([some_rows()])
    file.unlink()
    with pytest.raises(StoreUnavailableError, match="deleted"):
        await store.save([some_rows(OTHER)])
    assert await store.migrate() is True
    await store.save([some_rows(OTHER)])
    assert [summary.call_id for summary in await store.newest(10)] == [OTHER]
    await store.close()


@pytest.mark.net
async def test_an_emptied_database_is_made_again(postgres) -> None:
    store = Store(postgres.url)
    assert await store.migrate() is True
    connection = await asyncpg.connect(postgres.url.replace("+asyncpg", ""))
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    with pytest.raises(StoreUnavailableError, match="calls"):
        await store.save([some_rows()])
    assert await store.migrate() is True
    await store.save([some_rows()])
    await store.close()


@pytest.mark.net
async def test_a_server_that_was_killed_is_used_again(postgres) -> None:
    store = Store(postgres.url)
    await store.migrate()
    await store.save([some_rows()])
    postgres.stop()
    with pytest.raises(StoreUnavailableError):
        await store.save([some_rows(OTHER)])
    postgres.start()
    await store.save([some_rows(OTHER)])
    assert len(await store.newest(10)) == 2
    await store.close()
