"""The bundle of a call that is up: a folder that holds all that is known of the call, whatever dies next.

    lock             held by the call's process for life (recordings.lock)
    manifest.json    who, what, which files
    events.jsonl     one JSON object a line, oldest first
    caller.wav.part  hotline.wav.part ...

Owns writing while the call is up and closing it; recordings.repair closes what a dead process left open.
"""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recordings import finishing, lock, manifest
from recordings.callid import is_call_id
from recordings.errors import BundleCreateError, RecordingError
from recordings.layout import CALL_ENDED, EVENTS, OPEN, RESERVE, closed_place, open_place
from recordings.leg import LegWriter
from recordings.patient import PatientFile, failure_code
from recordings.termination import Termination

_RESERVE_BYTES = 16 << 10
_EVENT_MEMORY_BYTES = 1 << 20


class Bundle:
    """One call's folder while the call is up.

    Nothing but `create` raises: what a full disk refuses waits in memory (8 MiB a leg, 1 MiB of events), is written
    when there is room, and is counted in the manifest if there never is.
    """

    def __init__(
        self, folder: Path, path: Path, lock_fd: int, about: dict[str, Any], wall: Callable[[], float]
    ) -> None:
        self.folder = folder
        self.path = path
        self._lock_fd = lock_fd
        self._manifest = about
        self._wall = wall
        self._legs: dict[str, LegWriter] = {}
        self._guard = threading.RLock()
        self._seq = 0
        self._lost_events = 0
        self._failure_codes: set[str] = set()
        self._ended: dict[str, Any] | None = None
        self._events = PatientFile(path / EVENTS, _EVENT_MEMORY_BYTES, self._failed)

    @classmethod
    def create(
        cls, folder: Path, call_id: str, about: dict[str, Any], wall: Callable[[], float] = time.time
    ) -> "Bundle":
        """Makes `<folder>/open/<call_id>/` and holds its lock; `about` (plain JSON) goes into the manifest.

        Raises BundleCreateError (the folder cannot be written, or has a bundle of that name), ValueError for a bad id.
        """
        if not is_call_id(call_id):
            raise ValueError(f"{call_id!r} is not a call id")
        path = open_place(folder, call_id)
        # Built under a name that no scan looks at: a bundle is never seen without its lock.
        building = folder / OPEN / f".{call_id}.{os.getpid()}"
        lock_fd = -1
        try:
            building.parent.mkdir(parents=True, exist_ok=True)
            building.mkdir(mode=0o700)  # what callers say is for this user's eyes only
            lock_fd = lock.take(building)
            whole = {"format": manifest.FORMAT, "call_id": call_id, "created": wall(), **about, "closed": False}
            manifest.write(building, whole, sync=False)
            _reserve(building / RESERVE)
            building.rename(path)  # refused where one is already: it is not empty
            return cls(folder, path, lock_fd, whole, wall)
        except OSError as error:
            shutil.rmtree(building, ignore_errors=True)
            if lock_fd >= 0:
                os.close(lock_fd)
            raise BundleCreateError(f"{path} cannot be made: {error}") from error

    @property
    def call_id(self) -> str:
        """The call's name."""
        return self.path.name

    @property
    def samples(self) -> int:
        """The call's clock: how many samples the caller's leg (or else the longest) has."""
        caller = self._legs.get("caller")
        return caller.samples if caller else max((leg.samples for leg in self._legs.values()), default=0)

    def leg(self, name: str, rate_hz: int = 8000) -> LegWriter:
        """The recording of one leg ("caller", "hotline", ...), begun at its first use."""
        with self._guard:
            if name not in self._legs:
                self._legs[name] = LegWriter(self.path / f"{name}.wav.part", rate_hz, self._failed)
            return self._legs[name]

    def event(self, kind: str, sample: int | None, leg: str | None, data: dict[str, Any]) -> dict[str, Any]:
        """Appends an event and returns it as it stands in the archive, for the bus. Safe from any thread, 5 µs."""
        with self._guard:
            self._seq += 1
            event = {
                "seq": self._seq,
                "kind": kind,
                "sample": sample,
                "wall": round(self._wall(), 3),
                "leg": leg,
                "data": data,
            }
            line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            if not self._events.append(line):
                self._lost_events += 1
            return event

    def close(
        self, termination: Termination, by: str, data: dict[str, Any] | None = None, sample: int | None = None
    ) -> dict[str, Any]:
        """Records `call.ended`, finishes every file and moves the bundle to `closed/`; returns that event for the bus.

        `data` is added to the event (`rtp`, ...). Syncs to the disk (15 ms), so not in the media thread. Idempotent.
        If the disk refuses to the end, the bundle stays in `open/` and is closed from there by the archive.
        """
        with self._guard:
            if self._ended is not None:
                return self._ended
            for leg in self._legs.values():
                leg.close()
            if not self._events.flush():
                self._lost_events += self._events.give_up()
            (self.path / RESERVE).unlink(missing_ok=True)  # room for the last words
            end = self.samples if sample is None else sample
            self._ended = self.event(CALL_ENDED, end, None, {"termination": termination, "by": by, **(data or {})})
            recorded = self._events.flush()
            self._events.close()
            try:
                if recorded:
                    lost = {name: leg.lost_samples for name, leg in self._legs.items()}
                    finishing.finish(self.path, closed_place(self.folder, self.call_id), lost, self._lost_events)
            except (OSError, RecordingError):
                pass  # without its lock it counts as torn and is closed later
            finally:
                os.close(self._lock_fd)
            return self._ended

    def _failed(self, error: OSError) -> None:
        """A write was refused: says so in the archive, once a kind, as soon as there is room."""
        code = failure_code(error)
        with self._guard:
            if code in self._failure_codes:
                return
            self._failure_codes.add(code)
            self.event("error", self.samples, None, {"code": code, "detail": str(error)})


def _reserve(path: Path) -> None:
    """Keeps some room for the manifest and the last events of a call that meets a full disk."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, _RESERVE_BYTES)
