"""A caller's and a worker's end of SIP for the tests of the front door, small enough to be read."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from itertools import count
from pathlib import Path

import pytest

from telephony.edge.message import Request, Response, encode
from telephony.edge.strict import read
from tests.telephony.edge.corebench import account_of

_numbers = count(1)
PATIENCE_S = 20.0


class End(asyncio.DatagramProtocol):
    """A UDP socket that keeps what it reads and can wait for it."""

    def __init__(self) -> None:
        self.seen: list[Request | Response] = []
        self._news = asyncio.Event()
        self.address = ("127.0.0.1", 0)

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.address = self.transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = read(data)
        assert isinstance(message, Request | Response), (message, data)
        self.seen.append(message)
        self._news.set()
        self.heard(message, addr)

    def heard(self, message: Request | Response, addr: tuple[str, int]) -> None:
        """What an end does by itself."""

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        self.transport.sendto(data, to)

    async def wait(self, wanted: Callable[[Request | Response], bool]) -> Request | Response:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for message in self.seen:
                    if wanted(message):
                        return message
                self._news.clear()
                await self._news.wait()

    async def response(self, status: int, method: str, call_id: str = "") -> Response:
        found = await self.wait(
            lambda m: (
                isinstance(m, Response) and (m.status, m.cseq_method) == (status, method) and call_id in ("", m.call_id)
            )
        )
        assert isinstance(found, Response)
        return found

    async def request(self, method: str) -> Request:
        found = await self.wait(lambda m: isinstance(m, Request) and m.method == method)
        assert isinstance(found, Request)
        return found


def reply(request: Request, status: int, *extra: tuple[str, str], tag: str = "") -> bytes:
    """A response as a phone builds it."""
    headers = [(n, v) for n, v in request.headers if n in ("Via", "From", "To", "Call-ID", "CSeq", "Record-Route")]
    headers = [(n, v + f";tag={tag}" if tag and n == "To" and "tag=" not in v else v) for n, v in headers]
    return encode(f"SIP/2.0 {status} Whatever", [*headers, *extra])


class Worker(End):
    """A stand-in worker: registers with the door and treats an INVITE as `answers` says; 0 is silence."""

    def __init__(self, pid: int, answers: tuple[int, ...], again: bool = False) -> None:
        super().__init__()
        self.pid, self.answers, self.again = pid, answers, again
        self.acknowledged = False
        self.tag = f"worker{pid}"
        self.invite: Request | None = None
        self.calls = 0

    async def register(self, socket: Path, state: str = "idle") -> None:
        await self.open()
        self.reader, self.writer = await asyncio.open_unix_connection(str(socket))
        self.tell(state)

    def tell(self, state: str) -> None:
        line = {"worker": self.pid, "slot": self.pid, "sip": list(self.address), "state": state}
        self.writer.write(json.dumps(line).encode() + b"\n")

    def contact(self) -> tuple[str, str]:
        return "Contact", f"<sip:hotline@{self.address[0]}:{self.address[1]}>"

    def heard(self, message: Request | Response, addr: tuple[str, int]) -> None:
        if not isinstance(message, Request):
            return
        if message.method == "INVITE":
            if self.invite is None and self.again:
                self.tell("busy")
            self.calls += self.invite is None
            self.invite = self.invite or message
            for status in self.answers:
                if status == 200 and message is self.invite:
                    self.answer(message, addr)
                elif status:
                    self.send(reply(message, status, self.contact(), tag="" if status == 100 else self.tag), addr)
        elif message.method == "CANCEL" and self.invite:
            self.send(reply(message, 200), addr)
            self.send(reply(self.invite, 487, tag=self.tag), addr)
        elif message.method == "ACK":
            self.acknowledged = True
        else:
            self.send(reply(message, 200), addr)
        if message.method == "BYE" and self.again:
            self.invite, self.acknowledged = None, False
            self.tell("idle")

    def answer(self, invite: Request, addr: tuple[str, int], after_s: float = 0.5) -> None:
        """200, again and again until it is acknowledged (RFC 3261 §13.3.1.4)."""
        if self.invite is invite and not self.acknowledged and not self.transport.is_closing():
            self.send(reply(invite, 200, self.contact(), tag=self.tag), addr)
            asyncio.get_running_loop().call_later(after_s, self.answer, invite, addr, min(after_s * 2, 4.0))

    def die(self) -> None:
        """The end of the process: both sockets close."""
        self.writer.close()
        self.transport.close()


class Phone(End):
    """A caller at the door."""

    def __init__(self, door: tuple[str, int]) -> None:
        super().__init__()
        self.door = door
        self.reply_to_requests = 200

    def heard(self, message: Request | Response, addr: tuple[str, int]) -> None:
        if isinstance(message, Request) and message.method != "ACK":
            self.send(reply(message, self.reply_to_requests), addr)
        elif isinstance(message, Response) and message.status >= 300 and message.cseq_method == "INVITE":
            headers = [("Via", message.get("Via")), ("From", message.get("From")), ("To", message.get("To"))]
            headers += [("Call-ID", message.call_id), ("CSeq", f"{message.cseq} ACK")]
            self.send(encode(f"ACK sip:hotline@{self.door[0]} SIP/2.0", headers), addr)

    def build(self, method: str, *extra: tuple[str, str], call_id: str = "", uri: str = "", cseq: int = 1,
              to_tag: str = "", branch: str = "", body: bytes = b"") -> tuple[str, bytes]:  # fmt: skip
        number = next(_numbers)
        call_id = call_id or f"call{number}@test"
        host, port = self.address
        headers = [
            ("Via", f"SIP/2.0/UDP {host}:{port};branch={branch or f'z9hG4bKphone{number}'};rport"),
            ("From", f"<sip:phone@{host}>;tag=phone"),
            ("To", "<sip:hotline@door>" + (f";tag={to_tag}" if to_tag else "")),
            ("Call-ID", call_id), ("CSeq", f"{cseq} {method}"), ("Max-Forwards", "70"),
            ("Contact", f"<sip:phone@{host}:{port}>"), *extra,
        ]  # fmt: skip
        return call_id, encode(f"{method} {uri or 'sip:hotline@door'} SIP/2.0", headers, body)

    def ask(self, method: str, *extra: tuple[str, str], **more: object) -> str:
        call_id, data = self.build(method, *extra, **more)  # type: ignore[arg-type]
        self.send(data, self.door)
        return call_id

    def inside(self, method: str, ok: Response, cseq: int) -> str:
        """A request inside the dialog that a 200 made."""
        routes = [("Route", value) for value in reversed(ok.all("Record-Route"))]
        uri = re.search("<(.*?)>", ok.get("Contact"))
        assert uri
        return self.ask(method, *routes, call_id=ok.call_id, uri=uri[1], cseq=cseq, to_tag=ok.to_tag)


class RunningDoor:
    """The real process on a free port of 127.0.0.1."""

    def __init__(self, folder: Path, **settings: object) -> None:
        lines = {"address": '"127.0.0.1"', "port": 0, **settings}
        self.config = folder / "config.toml"
        text = "\n".join(f"{name} = {value}" for name, value in lines.items())
        self.config.write_text(f"[telephony]\n{text}\n")
        self.socket = folder / "var/run/door.sock"
        self.errors = folder / "door.err"
        self.sip = ("127.0.0.1", 0)

    async def start(self) -> None:
        with self.errors.open("ab") as errors:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ivr", "door", "--config", str(self.config),
                stdout=asyncio.subprocess.PIPE, stderr=errors, env=os.environ | {"PYTHONPATH": str(Path.cwd())},
            )  # fmt: skip
        assert self.process.stdout
        async with asyncio.timeout(PATIENCE_S):
            line = await self.process.stdout.readline()
        assert line, self.errors.read_text()
        ready = json.loads(line)
        assert ready["ready"] == "door"
        self.sip = (ready["sip"][0], ready["sip"][1])
        self.tls = ready.get("tls", 0)

    async def stop(self) -> int:
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    async def status(self) -> dict[str, object]:
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        writer.write(b'{"ask": "status"}\n')
        line = await reader.readline()
        writer.close()
        told: dict[str, object] = json.loads(line)
        return told

    async def until(self, name: str, value: object) -> None:
        """Waits until the door's status says so."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.status())[name] != value:  # noqa: ASYNC110 - another process has no event for us
                await asyncio.sleep(0.02)


class Stage:
    """A running door, with as many workers and phones as a test asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ends: list[End] = []
        self.workers: list[Worker] = []

    async def open(self, *users: str, tables: str = "", **settings: object) -> RunningDoor:
        """Starts the door; `users` are accounts that it knows, `tables` more of config.toml."""
        self.door = RunningDoor(self.folder, **settings)
        with self.door.config.open("a") as config:
            config.write(tables)
        if users:
            copy = self.folder / "var/accounts.json"
            copy.parent.mkdir()
            copy.write_text(json.dumps([asdict(account_of(user)) for user in users]))
        await self.door.start()
        return self.door

    async def worker(self, *answers: int, state: str = "idle", again: bool = False) -> Worker:
        worker = Worker(1000 + len(self.workers), answers, again)
        self.workers.append(worker)
        await worker.register(self.door.socket, state)
        return worker

    async def phone(self) -> Phone:
        phone = Phone(self.door.sip)
        await phone.open()
        self.ends.append(phone)
        return phone

    async def close(self) -> None:
        for worker in self.workers:
            worker.die()
        for end in self.ends:
            end.transport.close()
        assert await self.door.stop() == 0, self.door.errors.read_text()
        assert "Traceback" not in self.door.errors.read_text()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.close()
