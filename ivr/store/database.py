"""A store, SQLite or PostgreSQL alike: connections, transactions, migrations. Every error is a StoreError."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ivr.store import migrate
from ivr.store.errors import StoreRefusedError, StoreUnavailableError
from ivr.store.rows import Row
from ivr.store.schema import calls

# cache_size: 512 KiB a connection, so that memory does not grow with the first thousands of calls
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON", "cache_size=-512")
_REFUSALS = (exc.DataError, exc.IntegrityError, exc.ProgrammingError, exc.NotSupportedError)
_UNDEFINED_TABLE = "42P01"  # PostgreSQL, appendix A
# A host that is cut off in the middle of a transaction would hold its locks until TCP notices: hours.
_POSTGRES = {"timeout": 5.0, "server_settings": {"idle_in_transaction_session_timeout": "3s"}}
_MIGRATION_LOCK = 0x686F746C  # any number that is ours


class Database:
    """One process's connection pool. Make it inside the event loop, `await close()` at the end.

    What takes longer than `answer_s` counts as unavailable.
    """

    def __init__(self, url: str, answer_s: float = 20.0) -> None:
        self._answer_s = answer_s
        self._url = sa.make_url(url)
        self.sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = _engine(url)
        self._writer = self._engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        self._one_writer = asyncio.Lock()  # SQLite's own way of waiting is to sleep and look again
        self._inode: int | None = None

    async def migrate(self) -> bool:
        """Makes the store, or brings it to this version's tables; True when it was made. Raises StoreError."""
        if self._file is not None:
            _prepare(self._file)
            self._inode = None
        async with self.writing() as connection:
            if not self.sqlite:
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            made = not await connection.run_sync(lambda sync: sa.inspect(sync).has_table(calls.name))
            await connection.run_sync(migrate.upgrade)
        self._inode = _inode(self._file)
        return made

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of the store. Raises StoreError."""
        if self._file is not None and not self._file.exists():
            raise StoreUnavailableError(f"{self._file} is not there")
        async with self._transaction(self._engine) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change the store; on SQLite it is the only one from its first moment.

        Raises StoreError.
        """
        if self._inode is not None and self._inode != _inode(self._file):
            await self._engine.dispose()  # SQLite would go on writing to the deleted file
            self._inode = None
            raise StoreUnavailableError(f"{self._file} was deleted or replaced")
        if not self.sqlite:
            async with self._transaction(self._engine) as connection:
                yield connection
            return
        async with self._one_writer, self._transaction(self._writer) as connection:
            yield connection

    async def upsert(
        self,
        connection: AsyncConnection,
        table: sa.Table,
        rows: Collection[Row],
        guard: sa.Column[bool] | None = None,
    ) -> None:
        """Inserts rows, or sets all columns of those that are there with the same primary key.

        A row in which `guard` is true is only replaced by one in which it is true as well.
        """
        if not rows:
            return
        insert: Any = (sqlite if self.sqlite else postgresql).insert(table)
        await connection.execute(
            insert.on_conflict_do_update(
                index_elements=list(table.primary_key),
                set_={column.name: insert.excluded[column.name] for column in table.c if not column.primary_key},
                where=(~guard | insert.excluded[guard.name]) if guard is not None else None,
            ),
            list(rows),
        )

    async def close(self) -> None:
        """Gives the connections back."""
        await self._engine.dispose()

    @property
    def _file(self) -> Path | None:
        return Path(self._url.database) if self.sqlite and self._url.database else None

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        from asyncpg import PostgresError  # noqa: PLC0415 - raised bare while a PostgreSQL server starts or stops

        try:
            async with asyncio.timeout(self._answer_s), engine.begin() as connection:
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


def _engine(url: str) -> AsyncEngine:
    if not sa.make_url(url).get_backend_name().startswith("sqlite"):
        return create_async_engine(url, pool_size=2, connect_args=_POSTGRES)
    engine = create_async_engine(url)

    @sa_event.listens_for(engine.sync_engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        connection.isolation_level = None  # transactions begin where we say so, not where Python's driver guesses
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa_event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

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
