"""The door's accounts: from the store, with a copy on disk that serves while the store does not answer.

The copy holds HA1, which is as good as a password: only this user may read it.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from ivr.accounts import Account
from ivr.privatefile import write_private
from ivr.store.errors import StoreError
from telephony.edge import accounts as edge

log = logging.getLogger(__name__)
LOOK_S = 0.5

Accounts = Mapping[str, edge.Account]


class Source(Protocol):
    """Where accounts come from; `ivr.store.accounts.Accounts` is the real one. Both raise StoreError."""

    async def stamp(self) -> tuple[int, int]:
        """Changes whenever an account does."""

    async def all(self) -> list[Account]:
        """Every account."""


class DoorAccounts:
    """Tells `on_change` all accounts that may be used, at the start and whenever they change."""

    def __init__(self, source: Source, copy: Path, on_change: Callable[[Accounts], None]) -> None:
        self._source, self._copy, self._on_change = source, copy, on_change
        self._stamp: tuple[int, int] | None = None
        self._away = False

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
                if not self._away:
                    log.warning("accounts: the store does not answer (%s); those known last are used", error)
                self._away = True
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Takes what has changed in the store. Raises StoreError."""
        stamp = await self._source.stamp()
        if stamp != self._stamp:
            known = [_for_door(account) for account in await self._source.all() if account.enabled]
            self._on_change({account.user: account for account in known})
            self._write(known)
            self._stamp = stamp
        self._away = False

    def _write(self, known: list[edge.Account]) -> None:
        try:
            write_private(self._copy, json.dumps([asdict(account) for account in known], indent=1))
        except OSError as error:
            log.warning("%s cannot be written: %s", self._copy, error)


def _for_door(account: Account) -> edge.Account:
    role = edge.Role(account.role.value)
    return edge.Account(account.user, account.ha1_md5, account.ha1_sha256, role, account.display)
