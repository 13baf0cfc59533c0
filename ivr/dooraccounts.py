"""The door's accounts: from the store, with a copy on disk that serves while the store does not answer.

The copy holds HA1, which is as good as a password: only this user may read it.
"""

import asyncio
import importlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ivr.accounts import Account
from ivr.privatefile import write_private
from ivr.store.errors import StoreError, StoreUnavailableError
from telephony.edge import accounts as edge

if TYPE_CHECKING:
    from ivr.store.accounts import Accounts as StoreAccounts
    from ivr.store.database import Database

log = logging.getLogger(__name__)
LOOK_S = 0.5
LOOKS_BEFORE_WARNING = 10  # while everything starts, the store may not be there yet

Accounts = Mapping[str, edge.Account]


class Source(Protocol):
    """Where accounts come from; `ivr.store.accounts.Accounts` is the real one. Both raise StoreError."""

    async def stamp(self) -> tuple[int, int]:
        """Changes whenever an account does."""

    async def all(self) -> list[Account]:
        """Every account."""


class LateAccounts:
    """The store's accounts. SQL takes a second to import, which calls must not wait for: a thread does it.

    `file` is where a SQLite store is; while there is none, there is nothing to import.
    """

    def __init__(self, url: str, file: Path | None) -> None:
        self._url, self._file = url, file
        self._importing: asyncio.Future[Any] | None = None
        self._database: Database | None = None
        self._accounts: StoreAccounts | None = None

    async def stamp(self) -> tuple[int, int]:
        """See Source."""
        return await (await self._opened()).stamp()

    async def all(self) -> list[Account]:
        """See Source."""
        return await (await self._opened()).all()

    async def close(self) -> None:
        """Gives the connections back."""
        if self._database is not None:
            await self._database.close()

    async def _opened(self) -> "StoreAccounts":
        if self._accounts is None:
            if self._file is not None and not self._file.exists():
                raise StoreUnavailableError(f"{self._file} is not there")
            if self._importing is None:
                self._importing = _in_thread(lambda: importlib.import_module("ivr.store.accounts"))
            module = await self._importing
            self._database = module.Database(self._url, answer_s=5.0)
            self._accounts = module.Accounts(self._database)
        return self._accounts


def _in_thread(work: Callable[[], object]) -> "asyncio.Future[Any]":
    """Does something in a thread that nobody waits for when the process ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def run() -> None:
        found = work()
        with suppress(RuntimeError):  # the loop is closed: the process ends
            loop.call_soon_threadsafe(lambda: None if future.done() else future.set_result(found))

    threading.Thread(target=run, name="import", daemon=True).start()
    return future


class DoorAccounts:
    """Tells `on_change` all accounts that may be used, at the start and whenever they change."""

    def __init__(self, source: Source, copy: Path, on_change: Callable[[Accounts], None]) -> None:
        self._source, self._copy, self._on_change = source, copy, on_change
        self._stamp: tuple[int, int] | None = None
        self._missed = 0

    def load_copy(self) -> None:
        """What was known last, until the store has answered."""
        try:
            rows = json.loads(self._copy.read_text())
            known = [edge.Account(**{**row, "role": edge.Role(row["role"])}) for row in rows]
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s cannot be read (%s); phones can register when the store has answered", self._copy, error)
            return
        self._on_change({account.user: account for account in known})

    async def watch(self) -> None:
        """Looks at the store again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                self._missed += 1
                if self._missed == LOOKS_BEFORE_WARNING:
                    log.warning("accounts: the store does not answer (%s); those known last are used", error)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Takes what has changed in the store. Raises StoreError."""
        stamp = await self._source.stamp()
        if stamp != self._stamp:
            known = [_for_door(account) for account in await self._source.all() if account.enabled]
            self._on_change({account.user: account for account in known})
            self._write(known)
            self._stamp = stamp
        self._missed = 0

    def _write(self, known: list[edge.Account]) -> None:
        try:
            write_private(self._copy, json.dumps([asdict(account) for account in known], indent=1))
        except OSError as error:
            log.warning("%s cannot be written: %s", self._copy, error)


def _for_door(account: Account) -> edge.Account:
    role = edge.Role(account.role.value)
    return edge.Account(account.user, account.ha1_md5, account.ha1_sha256, role, account.display)
