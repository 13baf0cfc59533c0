"""Reads a bundle in any state, also while the call is up. Changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from recordings import manifest, tracks
from recordings.callid import is_call_id
from recordings.errors import BundleDamagedError, CallNotFoundError
from recordings.event import Event, parse_lines
from recordings.layout import AUDIO, CLOSED, EVENTS, OPEN, closed_place, open_place, sealed_place


class State(StrEnum):
    """Where a bundle is in its life."""

    OPEN = "open"
    CLOSED = "closed"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """All that is known of a call. `about` is the manifest."""

    call_id: str
    state: State
    path: Path
    about: dict[str, Any]
    events: list[Event]

    @property
    def audio(self) -> list[Path]:
        """The recordings to listen to, caller first: one stereo FLAC once sealed, one WAV a leg before."""
        flac = self.path / AUDIO
        if flac.exists():
            return [flac]
        return sorted([*self.path.glob("*.wav"), *self.path.glob("*.wav.part")])

    @property
    def tracks(self) -> list[Path]:
        """What agents and others said, each for itself, once the call is sealed."""
        return tracks.flacs(self.path)


def find(folder: Path, call_id: str) -> tuple[State, Path]:
    """Where a call's bundle is now. Raises CallNotFoundError, also for a text that is no call's name."""
    if is_call_id(call_id):
        # Twice: a bundle moves on from left to right while one looks.
        for _ in range(2):
            for state, place in (
                (State.OPEN, open_place),
                (State.CLOSED, closed_place),
                (State.SEALED, sealed_place),
            ):
                path = place(folder, call_id)
                if path.is_dir():
                    return state, path
    raise CallNotFoundError(f"no call {call_id!r} below {folder}")


def read(folder: Path, call_id: str) -> CallRecord:
    """Reads a call. Raises CallNotFoundError. Half a line of events, or a manifest that cannot be read, is left out."""
    for _ in range(3):
        state, path = find(folder, call_id)
        try:
            events, _torn = parse_lines((path / EVENTS).read_bytes())
        except FileNotFoundError:
            if path.is_dir():
                events = []
            else:
                continue  # moved on while being read
        try:
            about = manifest.read(path)
        except (BundleDamagedError, FileNotFoundError):
            about = {}
        return CallRecord(call_id, state, path, about, events)
    raise CallNotFoundError(f"call {call_id!r} keeps moving below {folder}")


def call_ids(folder: Path) -> Iterator[str]:
    """Every call that has a bundle, newest first; each day's folder is read when it is met."""
    recent = {path.name for place in (OPEN, CLOSED) for path in (folder / place).glob("*") if is_call_id(path.name)}
    waiting = sorted(recent, reverse=True)
    for day in _days(folder):
        sealed = sorted((path.name for path in day.iterdir() if is_call_id(path.name)), reverse=True)
        for call_id in sealed:
            while waiting and waiting[0] > call_id:
                yield waiting.pop(0)
            if waiting and waiting[0] == call_id:
                waiting.pop(0)
            yield call_id
    yield from waiting


def _days(folder: Path) -> Iterator[Path]:
    for year in sorted(folder.glob("[0-9][0-9][0-9][0-9]"), reverse=True):
        for month in sorted(year.glob("[0-9][0-9]"), reverse=True):
            yield from sorted(month.glob("[0-9][0-9]"), reverse=True)
