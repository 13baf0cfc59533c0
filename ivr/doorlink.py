"""The worker's line to the front door: says over a Unix socket where this worker takes SIP and whether it is idle.

The kernel closes the socket with the process, so the door sees a dead worker at once, however it died.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)
REPEAT_S = 1.0
RETRY_S = 0.1


class DoorLink:
    """Registers with the door, again after the door was restarted, until cancelled. Event loop only."""

    def __init__(self, path: Path, worker: int, slot: int, sip: tuple[str, int], on_first: Callable[[], None]) -> None:
        self._path = path
        self._facts = {"worker": worker, "slot": slot, "sip": list(sip)}
        self._state = "idle"
        self._on_first = on_first
        self._known = False
        self._writer: asyncio.StreamWriter | None = None

    def say(self, state: str) -> None:
        """Tells the door at once: `idle` or `busy`."""
        self._state = state
        self._send()

    async def run(self) -> None:
        """Keeps the line up."""
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(str(self._path))
            except OSError:
                await asyncio.sleep(RETRY_S)
                continue
            self._send()
            if not self._known:
                self._known = True
                self._on_first()
            await self._repeat_until_closed(reader)
            self._writer.close()
            self._writer = None

    async def _repeat_until_closed(self, reader: asyncio.StreamReader) -> None:
        """The repeated line also tells the door of a worker that it gave a call which never came to anything."""
        while True:
            try:
                if not await asyncio.wait_for(reader.read(4096), REPEAT_S):
                    return
            except TimeoutError:
                self._send()
            except OSError:
                return

    def _send(self) -> None:
        if self._writer is not None:
            self._writer.write(json.dumps({**self._facts, "state": self._state}).encode() + b"\n")
