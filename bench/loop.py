"""One thread, many sockets, absolute deadlines: the callers' event loop, and when a packet really arrived."""

import heapq
import itertools
import select
import socket
import struct
import time
from collections.abc import Callable

from bench.sip import Address

_SO_TIMESTAMPNS = 35  # Linux socket(7); the kernel's own arrival time, however late this process wakes up
_ANCILLARY_BYTES = 64
_RECEIVE_BUFFER_BYTES = 1 << 20
Received = Callable[[bytes, Address, float], None]


class Timer:
    """A call in the future that can be given up."""

    __slots__ = ("call", "when")

    def __init__(self, when: float, call: Callable[[], None] | None) -> None:
        self.when = when
        self.call = call

    def cancel(self) -> None:
        """It will not be called."""
        self.call = None


class Loop:
    """Timers on the monotonic clock, datagrams with their arrival time (Unix seconds). `late_ms`: its worst delay."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._sockets: dict[int, tuple[socket.socket, Received]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()
        self.late_ms = 0.0

    def at(self, when: float, call: Callable[[], None]) -> Timer:
        """Calls at this `time.monotonic()`."""
        timer = Timer(when, call)
        heapq.heappush(self._timers, (when, next(self._count), timer))
        return timer

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Calls in so many seconds."""
        return self.at(time.monotonic() + seconds, call)

    def open(self, address: Address, received: Received) -> socket.socket:
        """A bound UDP socket whose datagrams go to `received(data, source, arrived_at)`. Raises OSError."""
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            opened.bind(address)
        except OSError:
            opened.close()
            raise
        self._sockets[opened.fileno()] = (opened, received)
        self._epoll.register(opened, select.EPOLLIN)
        return opened

    def close(self, opened: socket.socket) -> None:
        """Closes a socket of `open`."""
        self._epoll.unregister(opened)
        del self._sockets[opened.fileno()]
        opened.close()

    def run(self, until: Callable[[], bool], timeout_s: float) -> bool:
        """Serves until the condition holds; False when it did not within the time."""
        end = time.monotonic() + timeout_s
        while not until():
            now = time.monotonic()
            if now >= end:
                return False
            self._fire(now)
            wait = min(end, self._timers[0][0] if self._timers else end) - time.monotonic()
            for descriptor, _ in self._epoll.poll(max(0.0, wait)):
                self._receive(descriptor)
        return True

    def run_for(self, seconds: float) -> None:
        """Serves for a time."""
        self.run(lambda: False, seconds)

    def _fire(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            when, _, timer = heapq.heappop(self._timers)
            if timer.call is not None:
                self.late_ms = max(self.late_ms, (time.monotonic() - when) * 1000)
                timer.call()

    def _receive(self, descriptor: int) -> None:
        opened, received = self._sockets.get(descriptor, (None, None))
        if opened is None or received is None:
            return
        try:
            data, ancillary, _, source = opened.recvmsg(2048, _ANCILLARY_BYTES)
        except OSError:
            return
        arrived = time.time()
        if ancillary:
            seconds, nanoseconds = struct.unpack_from("qq", ancillary[0][2])
            arrived = seconds + nanoseconds / 1e9
        received(data, source, arrived)

    def shut(self) -> None:
        """Closes every socket."""
        for opened, _ in list(self._sockets.values()):
            self.close(opened)
        self._epoll.close()
