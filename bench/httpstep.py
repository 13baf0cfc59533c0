"""What an http step adds to the service's own time, over one warm connection to a service that answers after 20 ms."""

import asyncio
import time

from bench.report import percentile
from flows.actions import Request
from ivr.httpsteps import HttpSteps

SERVICE_S = 0.02
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n" + b'{"total": 7}'


async def measure(rounds: int) -> dict[str, float]:
    """Milliseconds added at the median and at p95, compared with the bare exchange on a socket."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bare, steps = await _bare(port, rounds), await _steps(port, rounds)
    server.close()
    return {
        f"p{place}": ((percentile(steps, place) or 0.0) - (percentile(bare, place) or 0.0)) * 1e3 for place in (50, 95)
    }


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(SERVICE_S)
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, asyncio.CancelledError):
        writer.close()


async def _bare(port: int, rounds: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readexactly(len(ANSWER))
        times.append(time.perf_counter() - began)
    writer.close()
    return times


async def _steps(port: int, rounds: int) -> list[float]:
    arguments: dict[str, object] = {
        "step": "s", "method": "GET", "url": f"http://127.0.0.1:{port}/", "headers": {}, "query": {}, "body": None,
        "timeout_s": 5.0, "retries": 0, "retry_wait_s": 0.1, "idempotency_key": None,
    }  # fmt: skip
    times = []
    async with HttpSteps() as http:
        for number in range(rounds + 1):
            began = time.perf_counter()
            reply = await http.answer(Request(number, "http", arguments))
            times.append(time.perf_counter() - began)
            assert reply.ok, reply.result
    return times[1:]
