"""Commands to a running Kamailio: JSON-RPC in datagrams on its Unix socket (module jsonrpcs)."""

import asyncio
import itertools
import json
import socket
from pathlib import Path
from typing import Any

from telephony.kamailio.errors import RpcError

PATIENCE_S = 5.0


class Rpc(asyncio.DatagramProtocol):
    """One line to Kamailio. Event loop only."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def connect(self, path: Path) -> None:
        """Opens the line. Raises OSError while nobody listens."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.bind("")  # a name of the kernel's choice, for the answers (unix(7), autobind)
            sock.connect(str(path))
            self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=sock)
        except OSError:
            sock.close()
            raise

    def close(self) -> None:
        """Closes the line."""
        self._transport.close()

    async def call(self, method: str, *params: object) -> Any:  # noqa: ANN401 - what the command gives
        """Runs a command and gives its result. Raises RpcError."""
        number = next(self._numbers)
        asked = asyncio.get_running_loop().create_future()
        self._asked[number] = asked
        try:
            command = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": number}
            self._transport.sendto(json.dumps(command).encode())
            async with asyncio.timeout(PATIENCE_S):
                answer = await asked
        except TimeoutError:
            raise RpcError(f"Kamailio does not answer {method}") from None
        finally:
            del self._asked[number]
        if "error" in answer:
            error = answer["error"]
            raise RpcError(f"{method}: {error.get('message')}", int(error.get("code", 0)))
        return answer.get("result")

    def datagram_received(self, data: bytes, _addr: object) -> None:
        """asyncio: an answer."""
        answer = json.loads(data)
        asked = self._asked.get(answer.get("id"))
        if asked is not None and not asked.done():
            asked.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        """asyncio: Kamailio is gone; who waits is told by the end of its patience."""
