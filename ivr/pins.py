"""Checks the PINs of star codes, slowly for whoever guesses."""

import asyncio
from collections.abc import Callable
from typing import Any

from ivr.accounts import pin_fits
from ivr.bus import CommandRefusedError
from ivr.store.accounts import Accounts
from ivr.store.errors import StoreError

_MOST_WRONG = 5
_PAUSE_S = 300.0


class PinGuard:
    """After five wrong PINs in a row an account's PIN is refused for five minutes, right or wrong."""

    def __init__(self, accounts: Accounts, wall: Callable[[], float]) -> None:
        self._accounts = accounts
        self._wall = wall
        self._wrong: dict[str, tuple[int, float]] = {}

    async def check(self, user: str, pin: str) -> dict[str, Any]:
        """{ok, role}. Raises CommandRefusedError "acd.unavailable" without a store."""
        count, last = self._wrong.get(user, (0, 0.0))
        if count >= _MOST_WRONG and self._wall() < last + _PAUSE_S:
            return {"ok": False, "role": ""}
        try:
            account = await self._accounts.get(user)
        except StoreError as error:
            raise CommandRefusedError("acd.unavailable", str(error)) from error
        if account is None or not account.enabled:
            return {"ok": False, "role": ""}
        if await asyncio.to_thread(pin_fits, pin, account.pin_hash):
            self._wrong.pop(user, None)
            return {"ok": True, "role": account.role}
        self._wrong[user] = (count + 1, self._wall())
        return {"ok": False, "role": ""}
