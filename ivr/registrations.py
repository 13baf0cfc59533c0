"""Keeps where phones can be reached over a restart of the door, and tells it on the bus.

The file is written when something changed, at once or, when much changes, in steps; the newest state always gets there.
Times in it are Unix seconds: the clock of the door's core means nothing to the next door.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ivr.bus import Bus
from ivr.messages import registration_topic
from ivr.privatefile import write_private
from telephony.edge.events import Hop, Kept, Registered

log = logging.getLogger(__name__)
PAUSE_S = 0.2


class Registrations:
    """The file and the topics `hotline/registration/<user>`. Event loop only."""

    def __init__(self, path: Path, bus: Bus, wall: Callable[[], float]) -> None:
        self._path, self._bus, self._wall = path, bus, wall
        self._kept: dict[str, list[dict[str, object]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._behind = False

    def load(self) -> tuple[Kept, ...]:
        """What an earlier door wrote, without what has expired since."""
        try:
            all_kept = [_read(row, self._wall()) for row in json.loads(self._path.read_text())]
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s cannot be read (%s); phones register again by themselves", self._path, error)
            return ()
        live = tuple(kept for kept in all_kept if kept.left_s > 0)
        for user in {kept.user for kept in all_kept} - {kept.user for kept in live}:
            self._tell(user, [])
        return live

    def note(self, registered: Registered) -> None:
        """Takes a change: publishes it, and writes the file, no oftener than each PAUSE_S."""
        user, now = registered.user, self._wall()
        rows = [_row(kept, now) for kept in registered.kept]
        if rows:
            self._kept[user] = rows
        else:
            self._kept.pop(user, None)
        self._tell(user, [{"uri": uri, "expires": round(now + left_s, 3)} for uri, left_s in registered.contacts])
        self._behind = True
        if self._timer is None:
            self._write()
            self._timer = asyncio.get_running_loop().call_later(PAUSE_S, self._again)

    def _tell(self, user: str, contacts: list[dict[str, object]]) -> None:
        data = {"user": user, "contacts": contacts, "registered": bool(contacts)}
        self._bus.keep(registration_topic(user), data)

    def close(self) -> None:
        """Writes what is still to be written."""
        if self._timer is not None:
            self._timer.cancel()
        if self._behind:
            self._write()

    def _again(self) -> None:
        self._timer = None
        if self._behind:
            self._write()
            self._timer = asyncio.get_running_loop().call_later(PAUSE_S, self._again)

    def _write(self) -> None:
        self._behind = False
        try:
            write_private(self._path, json.dumps([row for rows in self._kept.values() for row in rows]))
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)


def _row(kept: Kept, now: float) -> dict[str, object]:
    row = asdict(kept)
    row["expires"] = now + row.pop("left_s")
    return row


def _read(row: dict[str, Any], now: float) -> Kept:
    fields = dict(row)
    expires = fields.pop("expires")
    return Kept(**{**fields, "hop": Hop(*fields["hop"]), "left_s": float(expires) - now})
