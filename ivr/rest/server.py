"""Serves the REST API in control's event loop. Its libraries are imported when control already works, in a thread:
control is ready no later for them.
"""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ivr.bus import Bus
from ivr.config import Config
from ivr.store.database import Database

if TYPE_CHECKING:
    import uvicorn

log = logging.getLogger(__name__)
_AGAIN_S = 2.0
_MOST_REQUESTS = 64


async def serve(config: Config, database: Database, bus: Bus) -> None:
    """Until cancelled; where the port is taken it waits until it is free, where [rest] port is 0 it serves nothing."""
    if config.rest.port == 0:
        return
    listener = await _listener(config.rest.address, config.rest.port)
    try:
        server = await asyncio.to_thread(_make, config, database, bus)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="rest server")
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving
    finally:
        listener.close()


async def _listener(address: str, port: int) -> socket.socket:
    told = False
    while True:
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            listener.listen(_MOST_REQUESTS)
        except OSError as error:
            listener.close()
            if not told:
                log.warning("no REST yet: %s:%d: %s ([rest] in the settings)", address, port, error.strerror)
            told = True
            await asyncio.sleep(_AGAIN_S)
        else:
            listener.setblocking(False)
            return listener


def _make(config: Config, database: Database, bus: Bus) -> "uvicorn.Server":
    import uvicorn  # noqa: PLC0415 - see the module

    from ivr.rest.app import make_app  # noqa: PLC0415

    class Server(uvicorn.Server):
        """Leaves the process's signals alone."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Server(
        uvicorn.Config(
            make_app(config, database, bus),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_REQUESTS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
    )
