"""The http steps' client against a server on loopback: tries, time limits, what is sent and what is refused."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from flows.actions import Request
from ivr.httpsteps import MAX_ANSWER_BYTES, HttpSteps
from ivr.process import set_up_logging


class Server:
    """Answers each request with the next of its answers; remembers what it was sent."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self.tasks.add(task)
        try:
            while self.answers:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                length = next(
                    (int(line[15:]) for line in head.lower().splitlines() if line.startswith("content-length:")), 0
                )
                self.bodies.append(await reader.readexactly(length))
                answer = self.answers.pop(0)
                if answer is None:
                    await reader.read()
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()


def answer(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    running = await asyncio.start_server(server, "127.0.0.1", 0)
    server.port = running.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        running.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the aborted transports close their sockets in the next round


@pytest.fixture
def request_to() -> Callable[..., Request]:
    def build(port: int, **changes: object) -> Request:
        arguments = {
            "step": "order",
            "method": "GET",
            "url": f"http://127.0.0.1:{port}/orders/7",
            "headers": {},
            "query": {},
            "body": None,
            "timeout_s": 5.0,
            "retries": 0,
            "retry_wait_s": 0.01,
            "idempotency_key": None,
        }
        return Request(3, "http", arguments | changes)

    return build


async def test_an_answer_is_json_or_nothing(request_to) -> None:
    async with (
        serving(Server(answer(200, b'{"total": 7}'), answer(404, b"<html>"), answer(204, b""))) as server,
        HttpSteps() as http,
    ):
        replies = [await http.answer(request_to(server.port)) for _ in range(3)]
    assert [reply.result for reply in replies] == [
        {"status": 200, "json": {"total": 7}},
        {"status": 404, "json": None},
        {"status": 204, "json": None},
    ]
    assert all(reply.ok and reply.request == 3 for reply in replies)
    assert server.connections == 1


async def test_what_is_sent(request_to) -> None:
    request = {
        "method": "POST",
        "headers": {"X-Who": "me"},
        "query": {"full": True, "none": None, "n": 2},
        "body": {"colour": "rot ü"},
        "idempotency_key": "call-1-order-1",
    }
    async with serving(Server(answer(200, b"{}"))) as server, HttpSteps() as http:
        await http.answer(request_to(server.port, **request))
    assert server.heads[0].startswith("POST /orders/7?full=true&n=2 HTTP/1.1")
    assert "idempotency-key: call-1-order-1" in server.heads[0].lower()
    assert "x-who: me" in server.heads[0].lower()
    assert json.loads(server.bodies[0]) == {"colour": "rot ü"}


async def test_a_busy_service_is_asked_again_with_the_same_key(request_to) -> None:
    answers = (answer(503, b""), answer(500, b""), answer(200, b"{}"))
    async with serving(Server(*answers)) as server, HttpSteps() as http:
        reply = await http.answer(request_to(server.port, method="POST", retries=2, idempotency_key="k1"))
    assert reply.result["status"] == 200
    assert [head.lower().count("idempotency-key: k1") for head in server.heads] == [1, 1, 1]


async def test_a_refusal_is_not_asked_again(request_to) -> None:
    async with serving(Server(answer(400, b"{}"), answer(200, b"{}"))) as server, HttpSteps() as http:
        reply = await http.answer(request_to(server.port, retries=2))
    assert reply.result["status"] == 400
    assert len(server.heads) == 1


async def test_no_answer_in_time(request_to) -> None:
    async with serving(Server(None)) as server, HttpSteps() as http:
        reply = await http.answer(request_to(server.port, timeout_s=0.05))
    assert not reply.ok
    assert reply.result == {"error": "no answer in 0.05 s"}


async def test_nobody_there_and_no_address(request_to) -> None:
    async with serving(Server()) as server:
        pass
    async with HttpSteps() as http:
        assert "ConnectError" in (await http.answer(request_to(server.port))).result["error"]
        for url in ("http://", "file:///etc/passwd", "http://[::", "nonsense"):
            assert not (await http.answer(request_to(1, url=url))).ok


async def test_an_endless_answer_is_cut_off(request_to) -> None:
    async with serving(Server(answer(200, b"1" * (MAX_ANSWER_BYTES + 1)))) as server, HttpSteps() as http:
        reply = await http.answer(request_to(server.port))
    assert "longer than" in reply.result["error"]


def test_verbose_logging_does_not_write_down_what_http_steps_send(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        set_up_logging("worker", verbose=True)
        assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
