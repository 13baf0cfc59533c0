"""Checks the PINs of star codes, slowly for whoever guesses."""

import asyncio
from collections.abc import Callable
from typing import Any

from ivr.accounts import Account, pin_fits
from ivr.bus import CommandRefusedError
from ivr.store.accounts import Accounts
from ivr.store.errors import StoreError

_MOST_WRONG = 5
_PAUSE_S = 300.0
_NO: dict[str, Any] = {"ok": False, "role": ""}


class PinGuard:
    """After five wrong PINs in a row an account's PIN is refused for five minutes, right or wrong."""

    def __init__(self, accounts: Accounts, wall: Callable[[], float]) -> None:
        self._accounts = accounts
        self._wall = wall
        self._wrong: dict[str, tuple[int, float]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def check(self, user: str, pin: str) -> dict[str, Any]:
        """{ok, role}. Raises CommandRefusedError "acd.unavailable" without a store."""
        if self._refuses(user):
            return _NO
        try:
            account = await self._accounts.get(user)
        except StoreError as error:
            raise CommandRefusedError("acd.unavailable", str(error)) from error
        if account is None or not account.enabled:
            return _NO
        async with self._locks.setdefault(user, asyncio.Lock()):  # or many guesses at once would count as one
            return await self._compare(account, pin)

    async def _compare(self, account: Account, pin: str) -> dict[str, Any]:
        if self._refuses(account.user):
            return _NO
        if await asyncio.to_thread(pin_fits, pin, account.pin_hash):
            self._wrong.pop(account.user, None)
            return {"ok": True, "role": account.role}
        count, _ = self._wrong.get(account.user, (0, 0.0))
        self._wrong[account.user] = (count + 1, self._wall())
        return _NO

    def _refuses(self, user: str) -> bool:
        count, last = self._wrong.get(user, (0, 0.0))
        return count >= _MOST_WRONG and self._wall() < last + _PAUSE_S
