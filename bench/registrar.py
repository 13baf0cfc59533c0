"""Measures the front door as a registrar: registrations and calls to registered phones, and the CPU that each costs.

`python -m bench.registrar [--quick]`. The door runs in its own process with 500 accounts and an empty data folder;
phones and a stand-in worker run in this one. As many requests are under way at once as `WINDOW` says, so the rates are
those of a busy door; a phone's CPU for its digest is this process's.
"""

import argparse
import asyncio
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from bench.report import Report, percentile

ROOT = Path(__file__).parent.parent
ACCOUNTS = 500
WINDOW = 20
MOST = 8000
PATIENCE_S = 5.0
PASSWORD = "benchmark"
_STATUS = re.compile(rb"SIP/2\.0 (\d+) ")
_CALL_ID = re.compile(rb"\r\nCall-ID: ([^\r]+)")
_NONCE = re.compile(rb'nonce="([^"]+)", algorithm=SHA-256')
_ROUTES = re.compile(rb"\r\nRecord-Route: ([^\r]+)")
_TO = re.compile(rb"\r\n(To: [^\r]+)")
_CONTACT = re.compile(rb"\r\nContact: <([^>]+)>")
_COPIED = re.compile(rb"(?:Via|From|To|Call-ID|CSeq|Record-Route): [^\r]+\r\n")


class End(asyncio.DatagramProtocol):
    """A UDP socket that waits for the final answers to what it sends, and answers what it is asked."""

    def __init__(self, door: tuple[str, int]) -> None:
        self.door = door
        self.waiting: dict[bytes, asyncio.Future[bytes]] = {}

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.startswith(b"SIP/"):
            self._answer(data, addr)
        elif (status := _STATUS.match(data)) and status[1] >= b"200" and (call := _CALL_ID.search(data)):
            waiter = self.waiting.pop(call[1], None)
            if waiter is not None and not waiter.done():
                waiter.set_result(data)

    def _answer(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.startswith(b"ACK"):
            copied = b"".join(_COPIED.findall(data))
            tagged = re.sub(rb"(\r\n|^)(To: [^;\r]+)\r\n", rb"\1\2;tag=phone\r\n", copied)
            contact = b"Contact: <sip:phone@127.0.0.1:%d>\r\nContent-Length: 0\r\n\r\n" % self.port
            self.transport.sendto(b"SIP/2.0 200 OK\r\n" + tagged + contact, addr)

    async def ask(
        self, method: str, user: str, call: str, cseq: int, more: str = "", uri: str = "", to: str = ""
    ) -> bytes:
        """Sends a request; gives its final answer. Raises TimeoutError."""
        waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting[call.encode()] = waiter
        self.send(method, user, call, cseq, more, uri, to)
        return await asyncio.wait_for(waiter, PATIENCE_S)

    def send(self, method: str, user: str, call: str, cseq: int, more: str = "", uri: str = "", to: str = "") -> None:
        """Sends a request."""
        host, port = self.door
        text = (
            f"{method} {uri or f'sip:{host}'} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{call}{method}{cseq};rport\r\n"
            f"From: <sip:{user}@{host}>;tag=f\r\n{to or f'To: <sip:{user}@{host}>'}\r\nCall-ID: {call}\r\n"
            f"CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <sip:{user}@127.0.0.1:{self.port}>\r\n{more}"
            "Content-Length: 0\r\n\r\n"
        )
        self.transport.sendto(text.encode(), (host, port))


def sha256(*parts: str) -> str:
    """H(part:part:...)."""
    return hashlib.sha256(":".join(parts).encode()).hexdigest()


def proof(user: str, host: str, nonce: str, count: int) -> str:
    """The Authorization header of a phone."""
    ha1, ha2 = sha256(user, "hotline", PASSWORD), sha256("REGISTER", f"sip:{host}")
    answer = sha256(ha1, nonce, f"{count:08x}", "c", "auth", ha2)
    return (
        f'Authorization: Digest username="{user}", realm="hotline", nonce="{nonce}", uri="sip:{host}", cnonce="c", '
        f'response="{answer}", algorithm=SHA-256, qop=auth, nc={count:08x}\r\n'
    )


async def register(end: End, number: int, turn: int) -> None:
    """A registration as a phone that has just been switched on makes it: refused, then with credentials."""
    user, call = f"user{number % ACCOUNTS}", f"r{turn}-{number}"
    asked = await end.ask("REGISTER", user, call, 1)
    nonce = _NONCE.search(asked)
    assert nonce, asked
    taken = await end.ask("REGISTER", user, call, 2, proof(user, end.door[0], nonce[1].decode(), 1))
    assert taken.startswith(b"SIP/2.0 200"), taken


async def call_phone(worker: End, number: int, turn: int) -> None:
    """A worker's call to a registered phone: INVITE, 200, ACK, BYE, 200."""
    user, call = f"user{number % ACCOUNTS}", f"c{turn}-{number}"
    host, port = worker.door
    ok = await worker.ask("INVITE", "hotline", call, 1, uri=f"sip:{user}@{host}:{port}", to=f"To: <sip:{user}@{host}>")
    to, contact = _TO.search(ok), _CONTACT.search(ok)
    assert ok.startswith(b"SIP/2.0 200"), ok
    assert to
    assert contact
    more = "".join(f"Route: {route.decode()}\r\n" for route in reversed(_ROUTES.findall(ok)))
    worker.send("ACK", "hotline", call, 1, more, contact[1].decode(), to[1].decode())
    await worker.ask("BYE", "hotline", call, 2, more, contact[1].decode(), to[1].decode())


async def many(work: Callable[[int], Awaitable[None]], seconds: float) -> tuple[list[float], int]:
    """Does it again and again, WINDOW at once; gives the time of each in ms, and how many failed.

    At most MOST times: the door remembers each call's transactions for 32 s, and not more than 20,000.
    """
    took: list[float] = []
    failed = 0
    numbers = iter(range(MOST))
    ends = time.monotonic() + seconds

    async def one_after_another() -> None:
        nonlocal failed
        for number in numbers:
            began = time.monotonic()
            if began > ends:
                return
            try:
                await work(number)
                took.append((time.monotonic() - began) * 1000)
            except (TimeoutError, AssertionError):
                failed += 1

    await asyncio.gather(*(one_after_another() for _ in range(WINDOW)))
    return took, failed


async def status(socket: Path) -> dict[str, float]:
    """Asks the door how it does."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    with closing(writer):
        writer.write(b'{"ask": "status"}\n')
        told: dict[str, float] = json.loads(await reader.readline())
    return told


async def measure(report: Report, door: tuple[str, int], socket: Path, seconds: float) -> None:
    """Runs both loads and notes their figures."""
    loop = asyncio.get_running_loop()
    _, phones = await loop.create_datagram_endpoint(lambda: End(door), local_addr=("127.0.0.1", 0))
    _, worker = await loop.create_datagram_endpoint(lambda: End(door), local_addr=("127.0.0.1", 0))
    _, roster = await asyncio.open_unix_connection(str(socket))
    line = {"worker": 1, "slot": 1, "sip": ["127.0.0.1", worker.port], "state": "busy"}
    roster.write(json.dumps(line).encode() + b"\n")
    loads: list[tuple[str, Callable[[int], Awaitable[None]]]] = [
        ("registrations", lambda number: register(phones, number, 0)),
        ("calls to phones", lambda number: call_phone(worker, number, 1)),
    ]
    for name, work in loads:
        before = await status(socket)
        began = time.monotonic()
        took, failed = await many(work, seconds)
        after, length_s = await status(socket), time.monotonic() - began
        cpu_ms = (after["cpu_s"] - before["cpu_s"]) * 1000 / max(len(took), 1)
        report.add(f"{name} a second", len(took) / length_s, "/s")
        report.add(f"CPU of the door for each of the {name}", cpu_ms, "ms")
        report.add(f"{name} a second that fill one core", 1000 / cpu_ms if cpu_ms else None, "/s")
        report.add(f"{name}: p50 with {WINDOW} at once", percentile(took, 50), "ms")
        report.add(f"{name}: p95 with {WINDOW} at once", percentile(took, 95), "ms")
        report.add(f"{name} that failed", failed, "", 0)
    roster.close()


def main() -> int:
    """Starts a door, loads it, reports."""
    parser = argparse.ArgumentParser(prog="bench.registrar", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 s of each load instead of 10 s")
    options = parser.parse_args()
    report = Report("registrar", quick=options.quick)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.toml").write_text('[telephony]\naddress = "127.0.0.1"\nport = 0\nmax_calls = 5000\n')
        (folder / "var").mkdir()
        names = [f"user{number}" for number in range(ACCOUNTS)]
        accounts = [
            {
                "user": user,
                "ha1_md5": "",
                "ha1_sha256": sha256(user, "hotline", PASSWORD),
                "role": "agent",
                "display": "",
            }
            for user in names
        ]
        (folder / "var/accounts.json").write_text(json.dumps(accounts))
        command = [sys.executable, "-m", "ivr", "door", "--config", str(folder / "config.toml")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as door:
            assert door.stdout
            host, port = json.loads(door.stdout.readline())["sip"]
            seconds = 2.0 if options.quick else 10.0
            asyncio.run(measure(report, (host, port), folder / "var/run/door.sock", seconds))
            door.terminate()
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
