"""Reads and writes calls, on SQLite or PostgreSQL alike. Every error is a StoreError."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ivr.store import migrate
from ivr.store.errors import StoreRefusedError, StoreUnavailableError
from ivr.store.rows import CallRows, Row
from ivr.store.schema import calls, events, legs, utterances
from recordings.event import Event
from recordings.summary import Summary

# cache_size: 512 KiB a connection, so that memory does not grow with the first thousands of calls
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON", "cache_size=-512")
_REFUSALS = (exc.DataError, exc.IntegrityError, exc.ProgrammingError, exc.NotSupportedError)
_UNDEFINED_TABLE = "42P01"  # PostgreSQL, appendix A
_SUMMARY = [calls.c[field.name] for field in fields(Summary)]


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call as the store knows it; `archived`: it was read from the sealed bundle, so nothing is missing."""

    summary: Summary
    events: list[Event]
    archived: bool


class Store:
    """One process's connection pool. Make it inside the event loop, `await close()` at the end.

    What takes longer than `answer_s` counts as unavailable.
    """

    def __init__(self, url: str, answer_s: float = 20.0) -> None:
        self._answer_s = answer_s
        self._url = sa.make_url(url)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = _engine(url)
        self._inode: int | None = None

    async def migrate(self) -> bool:
        """Makes the store, or brings it to this version's tables; True when it was made. Raises StoreError."""
        if self._file is not None:
            _prepare(self._file)
        async with self._transaction() as connection:
            made = not await connection.run_sync(lambda sync: sa.inspect(sync).has_table(calls.name))
            await connection.run_sync(migrate.upgrade)
        self._inode = _inode(self._file)
        return made

    async def save(self, batch: Sequence[CallRows]) -> None:
        """Writes rows of some calls in one transaction; writing them again changes nothing. Raises StoreError."""
        if self._inode is not None and self._inode != _inode(self._file):
            await self._engine.dispose()  # SQLite would go on writing to the deleted file
            self._inode = None
            raise StoreUnavailableError(f"{self._file} was deleted or replaced")
        async with self._transaction() as connection:
            await self._upsert(connection, calls, [rows.call for rows in batch], guarded=True)
            await self._upsert(connection, legs, [row for rows in batch for row in rows.legs])
            await self._upsert(connection, utterances, [row for rows in batch for row in rows.utterances])
            await self._upsert(connection, events, [row for rows in batch for row in rows.events])

    async def newest(self, count: int) -> list[Summary]:
        """The last calls, newest first. Raises StoreError."""
        self._must_exist()
        async with self._transaction() as connection:
            result = await connection.execute(sa.select(*_SUMMARY).order_by(calls.c.started.desc()).limit(count))
            return [Summary(**row) for row in result.mappings()]

    async def call(self, call_id: str) -> StoredCall | None:
        """One call with its events; None where the store does not know it. Raises StoreError."""
        self._must_exist()
        async with self._transaction() as connection:
            found = await connection.execute(sa.select(*_SUMMARY, calls.c.archived).where(calls.c.call_id == call_id))
            row = found.mappings().one_or_none()
            if row is None:
                return None
            facts = dict(row)
            archived = bool(facts.pop("archived"))
            lines = await connection.execute(
                sa.select(*(column for column in events.c if column.name != "call_id"))
                .where(events.c.call_id == call_id)
                .order_by(events.c.seq)
            )
            return StoredCall(Summary(**facts), [Event(**line) for line in lines.mappings()], archived)

    async def archived(self, call_ids: Sequence[str]) -> set[str]:
        """Those of the calls that were read from their sealed bundles. Raises StoreError."""
        self._must_exist()
        async with self._transaction() as connection:
            known = sa.select(calls.c.call_id).where(calls.c.archived, calls.c.call_id.in_(call_ids))
            return set((await connection.execute(known)).scalars())

    async def close(self) -> None:
        """Gives the connections back."""
        await self._engine.dispose()

    @property
    def _file(self) -> Path | None:
        return Path(self._url.database) if self._sqlite and self._url.database else None

    def _must_exist(self) -> None:
        if self._file is not None and not self._file.exists():
            raise StoreUnavailableError(f"{self._file} is not there")

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        from asyncpg import PostgresError  # noqa: PLC0415 - raised bare while a PostgreSQL server starts or stops

        try:
            async with asyncio.timeout(self._answer_s), self._engine.begin() as connection:
                yield connection
        except _REFUSALS as error:
            if getattr(error.orig, "sqlstate", "") == _UNDEFINED_TABLE:
                raise StoreUnavailableError(_reason(error)) from error  # emptied: made again by the next migration
            raise StoreRefusedError(_reason(error)) from error
        except exc.DBAPIError as error:
            raise StoreUnavailableError(_reason(error)) from error
        except exc.StatementError as error:
            raise StoreRefusedError(_reason(error)) from error
        except (exc.SQLAlchemyError, PostgresError, OSError, TimeoutError) as error:
            raise StoreUnavailableError(_reason(error)) from error

    async def _upsert(
        self, connection: AsyncConnection, table: sa.Table, rows: list[Row], guarded: bool = False
    ) -> None:
        if not rows:
            return
        insert: Any = (sqlite if self._sqlite else postgresql).insert(table)
        fresh = {column.name: insert.excluded[column.name] for column in table.c if not column.primary_key}
        await connection.execute(
            insert.on_conflict_do_update(
                index_elements=list(table.primary_key),
                set_=fresh,
                where=(~table.c.archived | insert.excluded.archived) if guarded else None,
            ),
            rows,
        )


def _engine(url: str) -> AsyncEngine:
    if not sa.make_url(url).get_backend_name().startswith("sqlite"):
        return create_async_engine(url, pool_pre_ping=True, pool_size=2)
    engine = create_async_engine(url)

    @sa_event.listens_for(engine.sync_engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _prepare(file: Path) -> None:
    """Makes the folder; the log of a deleted database would be played into the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)


def _inode(file: Path | None) -> int | None:
    try:
        return file.stat().st_ino if file is not None else None
    except FileNotFoundError:
        return None


def _reason(error: BaseException) -> str:
    origin = getattr(error, "orig", None) or error
    text = str(origin).strip().splitlines()
    return text[0] if text else type(origin).__name__
