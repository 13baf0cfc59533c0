"""`ivr bundle repair`: does by hand what the control process does by itself, and finds what the store has lost."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from ivr.archivist import Archivist, Rows
from ivr.config import Config
from ivr.patientstore import PatientStore
from ivr.store.errors import StoreError, StoreUnavailableError
from ivr.store.rows import CallRows
from ivr.store.store import Store
from recordings.adopt import adopt
from recordings.callid import is_call_id
from recordings.errors import BundleBusyError, RecordingError
from recordings.event import Event
from recordings.layout import CLOSED, OPEN, UNSTORED, sealed_place
from recordings.read import call_ids
from recordings.repair import repair
from recordings.seal import mark_unstored, seal

Say = Callable[[str], None]
_CHUNK = 500


def repair_bundles(config: Config, path: Path | None, say: Say) -> int:
    """Repairs one bundle, or every one below a recordings folder; returns the exit status."""
    if path is not None and is_call_id(path.resolve().name):
        return _repair_one(path.resolve(), say)
    folder = (path or config.recordings_folder).resolve()
    if path is None and not folder.is_dir():
        say("no call has been recorded yet: nothing to do")
        return 0
    if not folder.is_dir():
        say(f"{folder}: there is no such folder")
        return 1
    if path is not None and not any((folder / name).is_dir() for name in (OPEN, CLOSED, UNSTORED)):
        say(f"{folder}: neither a recordings folder nor a bundle")
        return 1
    return asyncio.run(_repair_all(config, folder, say))


def _repair_one(path: Path, say: Say) -> int:
    folder, call_id = path.parent.parent, path.name
    try:
        if path.parent.name == OPEN:
            ended = repair(folder, call_id)
            say(f"{call_id}: closed as {ended.data.get('termination')}")
        elif path.parent.name != CLOSED:
            say(f"{call_id}: nothing to do, it is sealed" if path.is_dir() else f"{path}: there is no such bundle")
            return 0 if path.is_dir() else 1
        say(f"{call_id}: sealed, {seal(folder, call_id)}")
    except BundleBusyError:
        say(f"{call_id}: the call is up (or being repaired elsewhere), nothing to do")
    except (RecordingError, OSError) as error:
        say(f"{call_id}: {error}")
        return 1
    return 0


async def _repair_all(config: Config, folder: Path, say: Say) -> int:
    home = config.recordings_folder.resolve()
    store = Store(config.store_url)
    try:
        if folder != home:
            await _tend(folder, _NoStore(), say)
            _adopt_all(folder, home, say)
        await _mark_missing(store, home, say)
        await _tend(home, PatientStore(store, _nothing), say)
    finally:
        await store.close()
    return max(_report(each, say) for each in {folder, home})


async def _tend(folder: Path, rows: Rows, say: Say) -> None:
    def repaired(call_id: str, ended: Event) -> None:
        say(f"{call_id}: closed as {ended.data.get('termination')}")

    def stored(call_id: str) -> None:
        say(f"{call_id}: in the archive and the store")

    archivist = Archivist(folder, rows, repaired, stored)
    while await archivist.look():
        pass


def _adopt_all(folder: Path, home: Path, say: Say) -> None:
    """Brings the sealed calls of another folder home."""
    for call_id in call_ids(folder):
        if sealed_place(folder, call_id).is_dir():
            try:
                say(f"{call_id}: moved to {adopt(folder, home, call_id)}")
            except (RecordingError, OSError) as error:
                say(f"{call_id}: stays in {folder}: {error}")


async def _mark_missing(store: Store, folder: Path, say: Say) -> None:
    """Marks the sealed calls that the store does not have whole."""
    names = call_ids(folder)
    try:
        await store.migrate()
        while chunk := list(islice(names, _CHUNK)):
            known = await store.archived(chunk)
            for call_id in chunk:
                if call_id not in known and sealed_place(folder, call_id).is_dir():
                    mark_unstored(folder, call_id)
    except StoreError as error:
        say(f"store: {error}; calls that only it has lost are not looked for")


async def _nothing() -> None:
    """A new store is no news here: what it misses was looked for."""


def _report(folder: Path, say: Say) -> int:
    closed = _count(folder / CLOSED)
    unstored = _count(folder / UNSTORED)
    up = _count(folder / OPEN)
    if closed:
        say(f"{folder}: {closed} closed and not sealed")
    if unstored:
        say(f"{folder}: {unstored} not in the store yet; the hotline brings them there when the store answers")
    if up:
        say(f"{folder}: {up} up or being repaired")
    if not closed and not unstored:
        say(f"{folder}: all bundles are well")
    return 1 if closed or unstored else 0


def _count(folder: Path) -> int:
    return sum(is_call_id(path.name) for path in folder.glob("*"))


class _NoStore:
    """For another folder: its calls go to the store from home."""

    async def save(self, batch: Sequence[CallRows]) -> None:
        """Takes nothing."""
        raise StoreUnavailableError(f"{len(batch)} calls of another folder")
