"""The Unix socket on which workers register with the front door, and people ask how it does.

A worker connects and says {"worker": 4711, "slot": 7, "sip": ["127.0.0.1", 45123], "state": "idle"}, later the same
with "busy"; the end of its connection is the end of the worker. After a restart of the door it connects and says its
state again. {"ask": "status"} is answered with one line.
"""

import asyncio
import ipaddress
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from telephony.edge.events import Event, Hop, WorkerGone, WorkerSaid

log = logging.getLogger(__name__)

_MAX_LINE_BYTES = 4096


class RosterLink:
    """Reads JSON lines from workers and feeds them to the core as events."""

    def __init__(self, feed: Callable[[Event], None], status: Callable[[], Awaitable[dict[str, object]]]) -> None:
        self._feed, self._status = feed, status
        self._open: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}
        self._closing = False

    async def listen(self, path: Path) -> None:
        """Opens the socket, for this user only; one that a killed door left behind is replaced."""
        sock = _bind(path)
        self._server = await asyncio.start_unix_server(self._serve, sock=sock, limit=_MAX_LINE_BYTES)

    async def close(self) -> None:
        """Closes the socket and every connection; the workers live on and their calls too."""
        self._closing = True
        self._server.close()
        for writer in self._open.values():
            writer.close()
        await asyncio.gather(*filter(None, self._open), return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pid = None
        task = asyncio.current_task()
        self._open[task] = writer
        try:
            while line := await reader.readline():
                told = json.loads(line)
                if told == {"ask": "status"}:
                    writer.write(json.dumps(await self._status()).encode() + b"\n")
                    await writer.drain()
                    continue
                said = _read(told)
                if pid not in (None, said.pid):
                    raise ValueError("one connection speaks for one worker")
                pid = said.pid
                self._feed(said)
        except (ValueError, TypeError, KeyError) as error:
            log.warning("a worker's line was not understood (%s); its connection is closed", error)
        except OSError:
            pass  # gone, as with an orderly end
        finally:
            del self._open[task]
            writer.close()
            if pid is not None and not self._closing:
                self._feed(WorkerGone(pid))


def _bind(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    path.chmod(0o600)
    return sock


def _read(told: dict[str, object]) -> WorkerSaid:
    """Checks a worker's line. Raises ValueError, TypeError or KeyError."""
    pid, slot, state, where = told["worker"], told["slot"], told["state"], told["sip"]
    if not (isinstance(pid, int) and isinstance(slot, int) and isinstance(where, list) and len(where) == 2):
        raise ValueError("worker and slot must be numbers, sip must be [address, port]")
    host, port = where
    if not (isinstance(port, int) and 0 < port < 65536):
        raise ValueError("the port must be a number from 1 to 65535")
    if state not in ("idle", "busy"):
        raise ValueError(f"no such state: {state!r}")
    return WorkerSaid(pid, slot, Hop("UDP", str(ipaddress.IPv4Address(host)), port), state == "idle")
