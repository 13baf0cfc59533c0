"""The door's process and its sockets: TCP by hand, a port in use, strange workers, orderly ends."""

import asyncio
import json
import socket

import pytest

from telephony.edge import streams

pytestmark = pytest.mark.net

OPTIONS = (
    b"OPTIONS sip:a@door SIP/2.0\r\nVia: SIP/2.0/TCP phone.invalid;branch=z9hG4bK%d\r\nFrom: <sip:b@c>;tag=1\r\n"
    b"To: <sip:a@b>\r\nCall-ID: x%d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


async def connect(door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*door.sip)


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the far end closes the connection, having said nothing."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def test_keep_alives_and_pipelined_requests_on_one_connection(stage) -> None:
    door = await stage.open()
    reader, writer = await connect(door)
    async with asyncio.timeout(20):
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        writer.write(OPTIONS % (1, 1) + OPTIONS % (2, 2) + OPTIONS[:30])
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"SIP/2.0 200 OK\r\n")
            assert b"Accept: application/sdp\r\n" in head
            assert b"INVITE" in head.partition(b"Allow: ")[2]
    writer.close()
    await writer.wait_closed()


async def test_a_stream_without_a_clear_length_is_answered_and_closed(stage) -> None:
    door = await stage.open()
    reader, writer = await connect(door)
    writer.write((OPTIONS % (1, 1)).replace(b"Content-Length: 0\r\n", b""))
    async with asyncio.timeout(20):
        said = await reader.read()  # until the door closes
    assert said.startswith(b"SIP/2.0 400 Content-Length is missing\r\n")
    writer.close()
    await writer.wait_closed()


async def test_a_message_that_never_ends_costs_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MESSAGE_S", 0.05)
    delivered = []
    opened = streams.Streams(lambda data, hop: delivered.append(data))
    listening = socket.create_server(("127.0.0.1", 0))
    await opened.listen(listening)
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    writer.write(OPTIONS[:40])
    async with asyncio.timeout(20):
        assert await ended(reader)
    assert opened.losses["tcp_too_slow"] == 1
    assert not delivered
    writer.close()
    await opened.close()


async def test_the_connection_that_is_quiet_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_CONNECTIONS", 2)
    opened = streams.Streams(lambda data, hop: None)
    listening = socket.create_server(("127.0.0.1", 0))
    await opened.listen(listening)
    ends = [await asyncio.open_connection(*listening.getsockname()) for _ in range(3)]
    async with asyncio.timeout(20):
        assert await ended(ends[0][0])
    assert len(opened) == 2
    for _, writer in ends:
        writer.close()
    await opened.close()


async def test_a_port_in_use_names_who_holds_it(stage, tmp_path) -> None:
    door = await stage.open()
    second = tmp_path / "second"
    second.mkdir()
    other = type(door)(second, port=door.sip[1])
    with pytest.raises(AssertionError, match=rf"SIP port {door.sip[1]} is in use: .*process {door.process.pid}\)"):
        await other.start()
    assert await other.process.wait() == 3


async def test_an_address_of_another_machine_is_told(stage, tmp_path) -> None:
    await stage.open()
    second = tmp_path / "second"
    second.mkdir()
    other = type(stage.door)(second, address='"no..host"')
    with pytest.raises(AssertionError, match=r"address 'no\.\.host' cannot be used"):
        await other.start()
    assert await other.process.wait() == 3


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        "{}",
        json.dumps({"worker": "x", "slot": 1, "sip": ["127.0.0.1", 5], "state": "idle"}),
        json.dumps({"worker": 1, "slot": 1, "sip": ["::1", 5], "state": "idle"}),
        json.dumps({"worker": 1, "slot": 1, "sip": ["127.0.0.1", 0], "state": "idle"}),
        json.dumps({"worker": 1, "slot": 1, "sip": ["127.0.0.1", 5], "state": "asleep"}),
        "x" * 5000,
    ],
)
async def test_a_line_that_is_none_closes_the_workers_connection(stage, line: str) -> None:
    door = await stage.open()
    reader, writer = await asyncio.open_unix_connection(str(door.socket))
    writer.write(line.encode() + b"\n")
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()
    assert (await door.status())["idle"] == 0


async def test_ending_leaves_answered_calls_alone_and_refuses_those_that_wait(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    await phone.response(200, "INVITE")
    waiting = phone.ask("INVITE")
    await phone.response(100, "INVITE", waiting)
    assert await door.stop() == 0
    await phone.response(503, "INVITE", waiting)
    assert not [m for m in (*phone.seen, *worker.seen) if getattr(m, "method", "") == "BYE"]
