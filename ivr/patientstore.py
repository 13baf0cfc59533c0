"""The control process's way to the store: migrates it before its first use, and leaves it in peace while it is away."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ivr.store.errors import StoreUnavailableError
from ivr.store.rows import CallRows

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.2
_LAST_PAUSE_S = 5.0


class Tables(Protocol):
    """What is asked of the store. Both raise StoreError."""

    async def migrate(self) -> bool:
        """Makes the store ready; True when it was made."""

    async def save(self, batch: Sequence[CallRows]) -> None:
        """Writes rows."""


class PatientStore:
    """One save at a time; after a failure the next one waits, longer each time up to 5 s.

    `made` is awaited when the store was empty and its tables were made.
    """

    def __init__(
        self, store: Tables, made: Callable[[], Awaitable[None]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._made = made
        self._clock = clock
        self._lock = asyncio.Lock()
        self._ready = False
        self._away = False
        self._pause_s = _FIRST_PAUSE_S
        self._next_try = 0.0

    async def save(self, batch: Sequence[CallRows]) -> None:
        """Writes the rows. Raises StoreUnavailableError (also at once, while it is not yet time to try again),
        StoreRefusedError.
        """
        async with self._lock:
            if self._clock() < self._next_try:
                raise StoreUnavailableError("was away a moment ago")
            try:
                if not self._ready:
                    if await self._store.migrate():
                        await self._made()
                    self._ready = True
                await self._store.save(batch)
            except StoreUnavailableError as error:
                if not self._away:
                    log.warning("store away: %s; calls go on, their bundles are read when it is back", error)
                self._ready, self._away = False, True
                self._next_try = self._clock() + self._pause_s
                self._pause_s = min(self._pause_s * 2, _LAST_PAUSE_S)
                raise
            if self._away:
                log.warning("store back")
            self._away = False
            self._pause_s = _FIRST_PAUSE_S
