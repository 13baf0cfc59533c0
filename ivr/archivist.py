"""Brings ended calls to the archive: closes torn bundles, seals closed ones, reads sealed ones into the store.

Works on folders, so nothing is forgotten whatever was killed when: what a folder still holds is done at the next look.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ivr.store.errors import StoreRefusedError, StoreUnavailableError
from ivr.store.rows import CallRows, rows_of
from recordings.callid import is_call_id
from recordings.errors import BundleBusyError, CallNotFoundError, RecordingError
from recordings.event import Event
from recordings.layout import CLOSED, UNSTORED, unstored_mark
from recordings.read import read
from recordings.repair import repair_torn
from recordings.seal import seal

log = logging.getLogger(__name__)

_LOOK_S = 0.5
_FIRST_PAUSE_S = 5.0
_LAST_PAUSE_S = 600.0
_BATCH = 5  # what one batch needs of memory, control keeps


class Rows(Protocol):
    """Where rows go."""

    async def save(self, batch: Sequence[CallRows]) -> None:
        """Writes them. Raises StoreError."""


class Archivist:
    """Tells `repaired(call_id, ended)` of each torn call that was closed, `stored(call_id)` of each in the store."""

    def __init__(
        self,
        folder: Path,
        store: Rows,
        repaired: Callable[[str, Event], None],
        stored: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._store = store
        self._repaired = repaired
        self._stored = stored
        self._clock = clock
        self._pauses: dict[str, tuple[float, float]] = {}

    async def run(self) -> None:
        """Looks twice a second, for ever."""
        while True:
            if not await self.look():
                await asyncio.sleep(_LOOK_S)

    async def look(self) -> bool:
        """Does what there is to do now; True when some of it was done and more may be waiting."""
        done, failed = await asyncio.to_thread(repair_torn, self._folder, self._paused())
        for call_id, ended in done:
            log.warning("call %s: its process died; closed as %s", call_id, ended.data.get("termination"))
            self._repaired(call_id, ended)
        for call_id, error in failed:
            self._pause(call_id, f"cannot be closed: {error}")
        sealed = await self._seal_some()
        stored = await self._store_some()
        return sealed or stored

    async def _seal_some(self) -> bool:
        for call_id in self._names(CLOSED)[:_BATCH]:
            try:
                await asyncio.to_thread(seal, self._folder, call_id)
            except (BundleBusyError, CallNotFoundError):
                continue
            except (RecordingError, OSError) as error:
                self._pause(call_id, f"cannot be sealed: {error}")
                continue
            self._pauses.pop(call_id, None)
            return True
        return False

    async def _store_some(self) -> bool:
        names = self._names(UNSTORED)[:_BATCH]
        if not names:
            return False
        batch = await asyncio.to_thread(lambda: [rows for name in names for rows in self._rows(name)])
        try:
            await self._store.save(batch)
        except StoreUnavailableError:
            return False
        except StoreRefusedError:
            return await self._store_singly(batch)
        for rows in batch:
            self._done(rows.call_id)
        return True

    async def _store_singly(self, batch: list[CallRows]) -> bool:
        """Finds the call whose rows the store does not take, so that the others do not wait for it."""
        for rows in batch:
            try:
                await self._store.save([rows])
            except StoreUnavailableError:
                return False
            except StoreRefusedError as error:
                self._pause(rows.call_id, f"is not taken by the store: {error}")
            else:
                self._done(rows.call_id)
        return True

    def _rows(self, call_id: str) -> list[CallRows]:
        try:
            record = read(self._folder, call_id)
        except CallNotFoundError:
            unstored_mark(self._folder, call_id).unlink(missing_ok=True)  # deleted since
            return []
        return [rows_of(call_id, record.about, record.events, archived=True)]

    def _done(self, call_id: str) -> None:
        unstored_mark(self._folder, call_id).unlink(missing_ok=True)
        self._pauses.pop(call_id, None)
        self._stored(call_id)

    def _names(self, place: str) -> list[str]:
        """The calls in a folder whose turn it is, oldest first."""
        paused = self._paused()
        names = sorted(path.name for path in (self._folder / place).glob("*") if is_call_id(path.name))
        return [name for name in names if name not in paused]

    def _paused(self) -> set[str]:
        now = self._clock()
        return {name for name, (until, _) in self._pauses.items() if until > now}

    def _pause(self, call_id: str, why: str) -> None:
        _, last_s = self._pauses.get(call_id, (0.0, 0.0))
        pause_s = min(last_s * 2, _LAST_PAUSE_S) if last_s else _FIRST_PAUSE_S
        self._pauses[call_id] = (self._clock() + pause_s, pause_s)
        log.error("call %s %s; next try in %g s", call_id, why, pause_s)
