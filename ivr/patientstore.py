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
_LAST_PAUSE_S = 1.0  # callers wait for it


class Tables(Protocol):
    """What is asked of the store. Both raise StoreError."""

    async def migrate(self) -> bool:
        """Makes the store ready; True when it was made."""

    async def save(self, batch: Sequence[CallRows]) -> None:
        """Writes rows."""


class PatientStore:
    """One save at a time; after a failure the next one waits, longer each time up to a second.

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
            await self._prepare()
            try:
                await self._store.save(batch)
            except StoreUnavailableError as error:
                self.lost(error)
                raise
            self._found()

    async def prepare(self) -> None:
        """For another user of the same store: makes it ready, if it is not. Raises StoreUnavailableError."""
        if not self._ready:
            async with self._lock:
                await self._prepare()
                self._found()

    def lost(self, error: StoreUnavailableError) -> None:
        """The store was not there: it is left in peace for a while, and migrated before its next use."""
        if not self._away:
            log.warning("store away: %s; calls go on, their bundles are read when it is back", error)
        self._ready, self._away = False, True
        self._next_try = self._clock() + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LAST_PAUSE_S)

    async def _prepare(self) -> None:
        if self._clock() < self._next_try:
            raise StoreUnavailableError("was away a moment ago")
        if self._ready:
            return
        try:
            if await self._store.migrate():
                await self._made()
        except StoreUnavailableError as error:
            self.lost(error)
            raise
        self._ready = True

    def _found(self) -> None:
        if self._away:
            log.warning("store back")
        self._away = False
        self._pause_s = _FIRST_PAUSE_S
