"""Measures both front doors beside each other: calls a second and CPU a call, registrations a second and CPU of each.

`python -m bench.doors [--quick]`. Callers, phones and stand-in workers run in this process (bench/door.py has them),
the door with all its processes beside it. CPU of Kamailio is that of all its processes and of its sidecar.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import door
from bench.report import Report, percentile, rows_table
from telephony.edge.accounts import Algorithm, account_of, digest_of
from telephony.edge.digest import read_pairs, response
from telephony.kamailio.errors import MissingError
from telephony.kamailio.program import find

PASSWORD = "correct horse"
REPEAT_S = 0.5
_CALL = re.compile(rb"\r\nCall-ID: ([^\r]+)")
_ASKS = re.compile(rb"\r\nWWW-Authenticate: ([^\r]+algorithm=\"?MD5[^\r]*|[^\r]+)", re.IGNORECASE)


class Phones(asyncio.DatagramProtocol):
    """All phones behind one socket: each registers again as soon as its last registration was answered."""

    def __init__(self, at: tuple[str, int], users: list[str]) -> None:
        self.at, self.users = at, users
        self.uri = f"sip:{at[0]}:{at[1]}"
        self.cseq = dict.fromkeys(users, 0)
        self.began: dict[str, float] = {}
        self.took: list[float] = []
        self.refused = 0
        self.stopped = False

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        for user in self.users:
            self.begin(user)

    def begin(self, user: str) -> None:
        self.began[user] = time.monotonic()
        self.send(user, "")

    def send(self, user: str, proof: str) -> None:
        self.cseq[user] += 1
        number = self.cseq[user]
        text = (
            f"REGISTER {self.uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{user}{number};rport\r\n"
            f"From: <sip:{user}@{self.at[0]}>;tag={user}\r\nTo: <sip:{user}@{self.at[0]}>\r\nCall-ID: {user}\r\n"
            f"CSeq: {number} REGISTER\r\nMax-Forwards: 70\r\nContact: <sip:{user}@127.0.0.1:{self.port}>\r\n"
            f"Expires: 600\r\n{proof}Content-Length: 0\r\n\r\n"
        )
        self.transport.sendto(text.encode(), self.at)

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        found = _CALL.search(data)
        user = found[1].decode() if found else ""
        if data.startswith(b"SIP/2.0 200"):
            self.took.append(time.monotonic() - self.began[user])
            if not self.stopped:
                self.begin(user)
        elif data.startswith(b"SIP/2.0 401"):
            self.send(user, self.proof(user, data))
        else:
            self.refused += 1

    def repeat(self) -> None:
        """Begins again where an answer is overdue."""
        for user, began in self.began.items():
            if began < time.monotonic() - REPEAT_S:
                self.begin(user)

    def proof(self, user: str, data: bytes) -> str:
        offers = [read_pairs(value.decode()) or {} for value in _ASKS.findall(data)]
        pairs = next(offer for offer in offers if offer.get("algorithm", "MD5") == "MD5")
        ha1 = digest_of(Algorithm.MD5, user, pairs["realm"], PASSWORD)
        said = response(Algorithm.MD5, ha1, "REGISTER", self.uri, pairs["nonce"], "00000001", "cafe")
        return (
            f'Authorization: Digest username="{user}", realm="{pairs["realm"]}", nonce="{pairs["nonce"]}", '
            f'uri="{self.uri}", response="{said}", algorithm=MD5, cnonce="cafe", qop=auth, nc=00000001\r\n'
        )


async def registrations(at: tuple[str, int], socket: Path, users: list[str], seconds: float) -> dict[str, Any]:
    """Phones register again and again, as fast as they are answered."""
    loop = asyncio.get_running_loop()
    before, began = await door.status(socket), time.monotonic()
    transport, phones = await loop.create_datagram_endpoint(lambda: Phones(at, users), local_addr=("127.0.0.1", 0))
    while time.monotonic() < began + seconds:
        await asyncio.sleep(REPEAT_S)
        phones.repeat()
    phones.stopped = True
    took = time.monotonic() - began
    after = await door.status(socket)
    transport.close()
    cpu_s = float(after["cpu_s"]) - float(before["cpu_s"])  # type: ignore[arg-type]
    done = len(phones.took)
    return {
        "registrations a second": done / took, "p95 ms": (percentile(phones.took, 95) or 0) * 1000,
        "CPU ms": cpu_s * 1000 / max(done, 1), "refused": phones.refused,
    }  # fmt: skip


def measure(kind: str, rates: list[float], seconds: float) -> dict[str, Any]:
    """Starts one door on a free port and loads it with calls, then with phones."""
    users = [f"agent{number}" for number in range(50)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "var").mkdir()
        accounts = [asdict(account_of(user, PASSWORD)) for user in users]
        (folder / "var/accounts.json").write_text(json.dumps(accounts))
        config = folder / "config.toml"
        config.write_text(f'[telephony]\naddress = "127.0.0.1"\nport = 0\nmax_calls = 1000\ndoor = "{kind}"\n')
        command = [sys.executable, "-m", "ivr", "door", "--config", str(config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=door.ROOT) as process:
            assert process.stdout
            host, port = json.loads(process.stdout.readline())["sip"]
            socket = folder / "var/run/door.sock"
            calls = asyncio.run(door.run((host, port), socket, rates, seconds))
            phones = asyncio.run(registrations((host, port), socket, users, seconds))
            memory = sum(door.pss_kib(pid) for pid in family(process.pid)) / 1024
            process.terminate()
    return {"calls": calls, "registrations": phones, "memory MiB": memory}


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(prog="bench.doors", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rates, for a shorter time")
    options = parser.parse_args()
    rates, seconds = ([50.0], 3.0) if options.quick else ([25.0, 50.0, 100.0, 200.0], 8.0)
    report = Report("doors", quick=options.quick)
    kinds = ["embedded"]
    try:
        find()
        kinds.append("kamailio")
    except MissingError as error:
        print(error, file=sys.stderr)
    found = {kind: measure(kind, rates, seconds) for kind in kinds}
    for kind, one in found.items():
        cpu_ms = statistics.median(row["cpu_ms_per_call"] for row in one["calls"])
        report.add(
            f"{kind}: calls not completed", sum(row["offered"] - row["completed"] for row in one["calls"]), "", 0
        )
        report.add(f"{kind}: CPU a call", cpu_ms, "ms")
        report.add(f"{kind}: calls a second that fill one core", 1000 / cpu_ms, "")
        report.add(f"{kind}: INVITE to 200 at {rates[-1]:g} calls a second, p95", one["calls"][-1]["ok_p95_ms"], "ms")
        report.add(f"{kind}: registrations a second", one["registrations"]["registrations a second"], "")
        report.add(f"{kind}: CPU a registration (both requests)", one["registrations"]["CPU ms"], "ms")
        report.add(f"{kind}: memory of all its processes (PSS)", one["memory MiB"], "MiB")
        rows_table(kind, one["calls"])
    report.details = {**found, "cores": os.cpu_count()}
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
