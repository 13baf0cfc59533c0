"""The front door's TCP and TLS connections: accepted, opened, reused, bounded."""

import asyncio
import socket
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable

from telephony.edge.events import Hop
from telephony.edge.framing import PING, PONG, Framer

MAX_CONNECTIONS = 1024  # beyond this the one that has been quiet longest is closed
MAX_UNSENT_BYTES = 256 * 1024
MESSAGE_S = 10.0  # a message that has begun must be whole by then
CONNECT_S = 4.0
HANDSHAKE_S = 5.0


class _Connection(asyncio.Protocol):
    def __init__(self, streams: "Streams", kind: str) -> None:
        self.streams = streams
        self.kind = kind
        self.framer = Framer()
        self.deadline: asyncio.TimerHandle | None = None
        self.hop = Hop(kind, "", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        host, port = transport.get_extra_info("peername")[:2]
        self.hop = Hop(self.kind, host, port)
        if not self.streams.welcomes(self.hop):
            self.streams.losses["tcp_unwelcome"] += 1
            transport.abort()  # type: ignore[attr-defined]
            return
        self.streams.opened(self)
        self._watch()

    def data_received(self, data: bytes) -> None:
        self.streams.touch(self)
        whole = self.framer.feed(data)
        for message in whole:
            if message == PING:
                self.transport.write(PONG)
            else:
                self.streams.deliver(message, self.hop)
        if self.framer.broken:
            self.streams.losses["tcp_broken"] += 1
            self.transport.close()
        elif whole:
            self._unwatch()
        if self.framer.partial and self.deadline is None:
            self._watch()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._unwatch()
        self.streams.closed(self)

    def _watch(self) -> None:
        self.deadline = asyncio.get_running_loop().call_later(MESSAGE_S, self._too_slow)

    def _unwatch(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _too_slow(self) -> None:
        self.streams.losses["tcp_too_slow"] += 1
        self.transport.abort()


class Streams:
    """All connections by their far end. `deliver` is called with each whole message, `gone` with each that ended.

    One that `welcomes` says no to is closed at once.
    `names` are the names that certificates must bear, by address, of whom the door connects to by TLS.
    """

    def __init__(
        self,
        deliver: Callable[[bytes, Hop], None],
        gone: Callable[[Hop], None] = lambda _hop: None,
        welcomes: Callable[[Hop], bool] = lambda _hop: True,
    ) -> None:
        self.deliver, self.gone, self.welcomes = deliver, gone, welcomes
        self.losses: Counter[str] = Counter()
        self.names: dict[str, str] = {}
        self._trust: ssl.SSLContext | None = None
        self._servers: list[asyncio.Server] = []
        self._open: OrderedDict[Hop, _Connection] = OrderedDict()
        self._opening: dict[Hop, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    async def listen(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accepts connections on a bound, listening socket."""
        loop, kind = asyncio.get_running_loop(), "TLS" if tls else "TCP"
        wait_s = HANDSHAKE_S if tls else None
        make = lambda: _Connection(self, kind)  # noqa: E731
        self._servers.append(await loop.create_server(make, sock=sock, ssl=tls, ssl_handshake_timeout=wait_s))

    def trust(self, context: ssl.SSLContext) -> None:
        """Says whose certificates count when the door connects by TLS."""
        self._trust = context

    async def close(self) -> None:
        """Closes everything."""
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        for connection in list(self._open.values()):
            connection.transport.close()
        for server in self._servers:
            await server.wait_closed()

    def send(self, data: bytes, to: Hop, instead: Hop | None) -> None:
        """Sends on the open connection to `to`, else on one to `instead`, opened if need be."""
        connection = self._open.get(to) or (self._open.get(instead) if instead else None)
        if connection is not None:
            if connection.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
                self.losses["tcp_not_read"] += 1
                connection.transport.abort()
                return
            self.touch(connection)
            connection.transport.write(data)
        elif instead is None or instead.transport == "UDP":
            self.losses["tcp_gone"] += 1
        elif (waiting := self._opening.get(instead)) is not None:
            waiting.append(data)
        elif len(self._opening) < MAX_CONNECTIONS // 8:
            self._opening[instead] = [data]
            task = asyncio.get_running_loop().create_task(self._connect(instead), name=f"connect {instead.host}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self.losses["tcp_gone"] += 1

    async def _connect(self, hop: Hop) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                loop = asyncio.get_running_loop()
                secure = hop.transport == "TLS"
                if secure and self._trust is None:
                    raise ConnectionError("nobody's certificate is trusted")
                _, connection = await loop.create_connection(
                    lambda: _Connection(self, hop.transport), hop.host, hop.port, ssl=self._trust if secure else None,
                    server_hostname=self.names.get(hop.host, hop.host) if secure else None,
                )  # fmt: skip
            for data in self._opening[hop]:
                connection.transport.write(data)
        except OSError:  # so are TimeoutError and ssl.SSLError
            self.losses["tcp_unreachable"] += 1
            self.gone(hop)
        finally:
            del self._opening[hop]

    def opened(self, connection: _Connection) -> None:
        """A connection is up; makes room for it."""
        self._open[connection.hop] = connection
        if len(self._open) > MAX_CONNECTIONS:
            self.losses["tcp_crowded_out"] += 1
            self._open.popitem(last=False)[1].transport.abort()

    def touch(self, connection: _Connection) -> None:
        """A connection is in use."""
        if connection.hop in self._open:
            self._open.move_to_end(connection.hop)

    def closed(self, connection: _Connection) -> None:
        """A connection is gone."""
        if self._open.get(connection.hop) is connection:
            del self._open[connection.hop]
            self.gone(connection.hop)
