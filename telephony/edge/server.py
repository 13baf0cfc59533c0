"""The front door's shell: UDP and TCP sockets, timers, the workers' Unix socket. All decisions are the core's.

Runs in one asyncio loop, one thread.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from telephony.edge.core import Core
from telephony.edge.desk import Place
from telephony.edge.dialplan import Trunk
from telephony.edge.events import (
    CallsOut,
    Change,
    Closed,
    Event,
    Fired,
    Hop,
    Received,
    Registered,
    Send,
    Spent,
    Stopping,
    TrunkAt,
    Wake,
)
from telephony.edge.rosterlink import RosterLink
from telephony.edge.settings import EdgeSettings
from telephony.edge.streams import Streams
from telephony.edge.strict import read

log = logging.getLogger(__name__)

_UDP_BUFFER_BYTES = 4 << 20
_STOP_S = 1.0
_MAX_LOOKUPS = 64
_LOOKUP_S = 4.0


class Door(asyncio.DatagramProtocol):
    """A running front door.

    `bind` is the address of the sockets, `place` the ones that callers and workers are told; port 0 takes a free one.
    `on_change` is told what must outlive the door, before the phone is answered. With `tls` it takes SIP over TLS too.
    Raises OSError (EADDRINUSE) from `start` where the port is taken.
    """

    def __init__(
        self,
        bind: str,
        place: Place,
        secret: bytes,
        max_calls: int,
        max_call_s: float,
        settings: EdgeSettings,
        on_change: Callable[[Change], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._bind, self._place = bind, place
        self._limits = (secret, max_calls, max_call_s, settings)
        self._on_change, self._tls = on_change, tls
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._lookups: set[asyncio.Task[None]] = set()
        self._losses: Counter[str] = Counter()
        self.tls_port = 0
        self.streams = Streams(self._message, lambda hop: self.feed(Closed(hop)), self._welcomes)

    async def start(self, roster_socket: Path) -> tuple[str, int]:
        """Opens everything; gives back address and port that callers use."""
        self._loop = asyncio.get_running_loop()
        udp, tcp = open_sockets(self._bind, self._place.port)
        port = udp.getsockname()[1]
        secure = open_stream(self._bind, self._place.tls_port) if self._tls else None
        tls_port = secure.getsockname()[1] if secure else 0
        self._core = Core(replace(self._place, port=port, tls_port=tls_port), *self._limits)
        self._udp, _ = await self._loop.create_datagram_endpoint(lambda: self, sock=udp)
        await self.streams.listen(tcp)
        if secure is not None:
            await self.streams.listen(secure, self._tls)
            self.tls_port = tls_port
        self._link = RosterLink(self.feed, self.status)
        await self._link.listen(roster_socket)
        return self._place.outside, port

    async def stop(self) -> None:
        """Refuses new calls, lets those that ring be answered for up to a second, closes everything."""
        self.feed(Stopping())
        deadline = self._loop.time() + _STOP_S
        while self._core.unanswered and self._loop.time() < deadline:  # noqa: ASYNC110 - the core knows no loop
            await asyncio.sleep(0.02)
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for task in self._lookups:
            task.cancel()
        self.streams.gone = lambda _hop: None
        await self._link.close()
        await self.streams.close()
        self._udp.close()

    def trunk_found(self, trunk: Trunk, address: str) -> None:
        """A trunk's name has this address now."""
        self.streams.names[address] = trunk.host
        self.feed(TrunkAt(trunk.name, address))

    async def status(self) -> dict[str, object]:
        """One flat summary of core and sockets."""
        sockets = {"connections": len(self.streams), "losses": dict(self._losses + self.streams.losses)}
        return {**self._core.status(), **sockets, "cpu_s": round(time.process_time(), 3)}

    def feed(self, event: Event) -> None:
        """Gives the core an event and does what it asks for."""
        try:
            actions = self._core.step(event, self._loop.time())
        except Exception:
            self._losses["core_errors"] += 1
            log.exception("an event could not be handled: %s", type(event).__name__)
            return
        for action in actions:
            match action:
                case Send():
                    self._send(action)
                case Wake(timer, after_s):
                    if (old := self._timers.get(timer)) is not None:
                        old.cancel()
                    self._timers[timer] = self._loop.call_later(after_s, self._fire, timer)
                case Registered() | Spent() | CallsOut():
                    self._on_change(action)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """asyncio: a datagram."""
        self._message(data, Hop("UDP", addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """asyncio: a datagram could not be sent; retransmission or the next worker mends it."""
        self._losses["udp_errors"] += 1
        log.debug("UDP: %s", exc)

    def _message(self, data: bytes, source: Hop) -> None:
        if data.strip(b"\r\n\0") and self._core.admits(source, self._loop.time()):
            self.feed(Received(read(data, stream=source.transport != "UDP"), source))

    def _welcomes(self, hop: Hop) -> bool:
        return self._core.welcomes(hop, self._loop.time())

    def _fire(self, timer: int) -> None:
        self._timers.pop(timer, None)
        self.feed(Fired(timer))

    def _send(self, action: Send) -> None:
        if action.to.transport != "UDP":
            self.streams.send(action.data, action.to, action.instead)
        elif _numeric(action.to.host):
            self._udp.sendto(action.data, (action.to.host, action.to.port))
        elif len(self._lookups) < _MAX_LOOKUPS:
            task = self._loop.create_task(self._send_by_name(action), name=f"look up {action.to.host}")
            self._lookups.add(task)
            task.add_done_callback(self._lookups.discard)
        else:
            self._losses["names_not_resolved"] += 1

    async def _send_by_name(self, action: Send) -> None:
        """A proxy before us may have put its name into Record-Route. Its A record will do (RFC 3263 §4.2)."""
        try:
            async with asyncio.timeout(_LOOKUP_S):
                found = await self._loop.getaddrinfo(
                    action.to.host, action.to.port, family=socket.AF_INET, type=socket.SOCK_DGRAM
                )
        except (OSError, UnicodeError):
            self._losses["names_not_resolved"] += 1
        else:
            self._udp.sendto(action.data, found[0][4])


def _numeric(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return False
    return True


def open_stream(bind: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises OSError where the port is taken."""
    sock = socket.create_server((bind, port), backlog=256)
    sock.setblocking(False)
    return sock


def open_sockets(bind: str, port: int) -> tuple[socket.socket, socket.socket]:
    """UDP and listening TCP on the same port. Raises OSError where one of them is taken."""
    for attempt in range(20):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER_BYTES)
            udp.bind((bind, port))
            tcp.bind((bind, udp.getsockname()[1]))
            tcp.listen(256)
        except OSError:
            udp.close()
            tcp.close()
            if port or attempt == 19:
                raise
        else:
            udp.setblocking(False)
            tcp.setblocking(False)
            return udp, tcp
    raise AssertionError
