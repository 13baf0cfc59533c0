"""Closes the bundles of calls whose process died: true WAV headers, whole event lines, the missing `call.ended`.

Safe to be killed at any point and done again. What cannot be read is put aside, never thrown away.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Container
from contextlib import suppress
from pathlib import Path
from typing import Any

from recordings import finishing, lock, manifest, wav
from recordings.callid import is_call_id
from recordings.errors import BundleBusyError, BundleDamagedError, CallNotFoundError, RecordingError
from recordings.event import Event, parse_lines
from recordings.layout import CALL_ENDED, EVENTS, OPEN, RESERVE, TORN_EVENTS, closed_place, open_place
from recordings.termination import Termination

_ABANDONED_S = 60.0


def repair_torn(
    folder: Path, leave: Container[str] = (), wall: Callable[[], float] = time.time
) -> tuple[list[tuple[str, Event]], list[tuple[str, Exception]]]:
    """Closes every torn bundle below `folder` but those to `leave`.

    Returns the calls that were closed, each with its `call.ended`, and those that could not be, each with the reason.
    """
    done: list[tuple[str, Event]] = []
    failed: list[tuple[str, Exception]] = []
    for path in sorted((folder / OPEN).glob("*")):
        if is_call_id(path.name):
            if path.name in leave:
                continue
            try:
                done.append((path.name, repair(folder, path.name)))
            except (BundleBusyError, CallNotFoundError):
                continue
            except (RecordingError, OSError) as error:
                failed.append((path.name, error))
        elif path.name.startswith("."):
            with suppress(FileNotFoundError):  # made meanwhile, and so renamed
                if wall() - path.stat().st_mtime > _ABANDONED_S:
                    shutil.rmtree(path, ignore_errors=True)  # a bundle whose making was killed: holds nothing yet
    return done, failed


def repair(folder: Path, call_id: str) -> Event:
    """Closes one torn bundle and returns its `call.ended`.

    Raises BundleBusyError while the call is up, CallNotFoundError where there is no such open bundle, OSError.
    """
    path = open_place(folder, call_id)
    with lock.held(path):
        ended = _mend_events(path)
        try:
            manifest.read(path)
        except (BundleDamagedError, FileNotFoundError):
            _rebuild_manifest(path)
        (path / RESERVE).unlink(missing_ok=True)
        finishing.finish(path, closed_place(folder, call_id), {}, 0)
    return ended


def _mend_events(bundle: Path) -> Event:
    """Puts torn lines aside and makes sure that the last event is `call.ended`, which it returns."""
    path = bundle / EVENTS
    text = path.read_bytes() if path.exists() else b""
    events, torn = parse_lines(text)
    ended = next((event for event in events if event.kind == CALL_ENDED), None)
    if ended is not None and not torn and events[-1] is ended:
        return ended
    if torn:
        with (bundle / TORN_EVENTS).open("wb") as file:
            file.write(b"\n".join(torn) + b"\n")
            os.fsync(file.fileno())
    if ended is None:
        ended = _death(bundle, events)
    kept = [event for event in events if event.kind != CALL_ENDED] + [ended]
    temporary = bundle / f".{EVENTS}"
    with temporary.open("wb") as file:
        for event in kept:
            file.write(json.dumps(event.to_json(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    return ended


def _death(bundle: Path, events: list[Event]) -> Event:
    """The `call.ended` a dead process could not write; the last sign of life is when its files last changed."""
    parts = [*bundle.glob("*.wav.part"), *bundle.glob("*.wav")]
    signs = [path.stat().st_mtime for path in [*parts, bundle / EVENTS] if path.exists()]
    sizes = {path.name.split(".")[0]: (path.stat().st_size - wav.HEADER_BYTES) // 2 for path in parts}
    sample = sizes.get("caller", max(sizes.values(), default=None))
    return Event(
        seq=events[-1].seq + 1 if events else 1,
        kind=CALL_ENDED,
        sample=None if sample is None else max(0, sample),
        wall=round(max(signs, default=bundle.stat().st_mtime), 3),
        data={"termination": Termination.WORKER_DIED.value, "by": "archive"},
    )


def _rebuild_manifest(bundle: Path) -> None:
    """Makes a manifest from the events; an unreadable one is put aside."""
    path = bundle / manifest.MANIFEST
    if path.exists():
        path.rename(bundle / f"{manifest.MANIFEST}.damaged")
    events, _ = parse_lines((bundle / EVENTS).read_bytes())
    about: dict[str, Any] = next((event.data for event in events if event.kind == "call.started"), {})
    base = {"format": manifest.FORMAT, "call_id": bundle.name, "created": events[0].wall, **about, "closed": False}
    manifest.write(bundle, base)
