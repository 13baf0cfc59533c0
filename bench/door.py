"""How fast the front door is: calls from one trunk by UDP to stand-in workers, at rising rates. About 35 s.

    python bench/door.py [--json] [--rates 25,50,100,200] [--seconds 6]

For each rate: calls that came to their BYE, time to 100 Trying and to 200 (median, p95), and the CPU the door took
for a call (INVITE, 100, 180, 200, ACK, BYE, 200, the worker's registration). Callers and workers run in this
process, the door in its own.
"""

import argparse
import asyncio
import gc
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOLD_S = 0.2
PATIENCE_S = 5.0
WORKERS = 200

_LINE = re.compile(rb"SIP/2\.0 (\d+) ")
_CALL = re.compile(rb"\r\nCall-ID: ([^\r]+)")
_CSEQ = re.compile(rb"\r\nCSeq: \d+ (\w+)")
_COPIED = re.compile(rb"(?:Via|From|To|Call-ID|CSeq|Record-Route): [^\r]+\r\n")
_ROUTES = re.compile(rb"\r\nRecord-Route: ([^\r]+)")
_TO = re.compile(rb"\r\n(To: [^\r]+)")
_CONTACT = re.compile(rb"\r\nContact: <([^>]+)>")
SDP = b"v=0\r\no=b 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 0 101\r\n"


class StandIn(asyncio.DatagramProtocol):
    """A worker that answers at once and is idle again after BYE."""

    def __init__(self, number: int, roster: asyncio.StreamWriter) -> None:
        self.number, self.roster = number, roster

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        self.say("idle")

    def say(self, state: str) -> None:
        line = {"worker": self.number, "slot": self.number, "sip": ["127.0.0.1", self.port], "state": state}
        self.roster.write(json.dumps(line).encode() + b"\n")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.startswith(b"ACK"):
            return
        copied = b"".join(_COPIED.findall(data))
        head = b"%sContact: <sip:w@127.0.0.1:%d>\r\n" % (copied, self.port)
        tagged = head.replace(b"To: <sip:h@d>\r\n", b"To: <sip:h@d>;tag=w%d\r\n" % self.number)
        if data.startswith(b"INVITE"):
            self.say("busy")
            self.transport.sendto(b"SIP/2.0 100 Trying\r\n" + head + b"Content-Length: 0\r\n\r\n", addr)
            self.transport.sendto(b"SIP/2.0 180 Ringing\r\n" + tagged + b"Content-Length: 0\r\n\r\n", addr)
            self.transport.sendto(b"SIP/2.0 200 OK\r\n" + tagged + b"Content-Length: %d\r\n\r\n" % len(SDP) + SDP, addr)
        else:
            self.transport.sendto(b"SIP/2.0 200 OK\r\n" + tagged + b"Content-Length: 0\r\n\r\n", addr)
            self.say("idle")


class Trunk(asyncio.DatagramProtocol):
    """All callers behind one socket."""

    def __init__(self, door: tuple[str, int]) -> None:
        self.door = door
        self.loop = asyncio.get_running_loop()
        self.began: dict[bytes, float] = {}
        self.to_trying: list[float] = []
        self.to_ok: list[float] = []
        self.ended = self.refused = 0
        self.serial = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def request(self, method: bytes, call: bytes, uri: bytes, more: bytes, body: bytes = b"") -> None:
        via = b"Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s%s;rport\r\n" % (self.port, call, method)
        head = b"%s %s SIP/2.0\r\n%sFrom: <sip:c@b>;tag=c\r\n%sCall-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\n" % (
            method, uri, via, more, call, 2 if method == b"BYE" else 1, method,
        )  # fmt: skip
        tail = b"Contact: <sip:c@127.0.0.1:%d>\r\nContent-Length: %d\r\n\r\n" % (self.port, len(body))
        self.transport.sendto(head + tail + body, self.door)

    def call(self) -> None:
        self.serial += 1
        call = b"%d-%d" % (self.port, self.serial)
        self.began[call] = self.loop.time()
        self.request(b"INVITE", call, b"sip:h@d", b"To: <sip:h@d>\r\n", SDP)

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        status, call, method = (found[1] for found in (p.search(data) for p in (_LINE, _CALL, _CSEQ)) if found)
        if method == b"BYE":
            self.ended += 1
        elif status == b"100":
            self.to_trying.append(self.loop.time() - self.began[call])
        elif status == b"200":
            self.to_ok.append(self.loop.time() - self.began[call])
            routes = b"".join(b"Route: %s\r\n" % route for route in reversed(_ROUTES.findall(data)))
            more = _TO.search(data)[1] + b"\r\n" + routes  # type: ignore[index]
            uri = _CONTACT.search(data)[1]  # type: ignore[index]
            self.request(b"ACK", call, uri, more)
            self.loop.call_later(HOLD_S, self.request, b"BYE", call, uri, more)
        elif status >= b"300":
            self.refused += 1


async def at_rate(door: tuple[str, int], socket: Path, rate: float, seconds: float) -> dict[str, float]:
    """Offers calls at one rate; gives back what came of them."""
    loop = asyncio.get_running_loop()
    transport, trunk = await loop.create_datagram_endpoint(lambda: Trunk(door), local_addr=("127.0.0.1", 0))
    before = await status(socket)
    start, offered = loop.time(), int(rate * seconds)
    for number in range(offered):
        trunk.call()
        await asyncio.sleep(max(0.0, start + (number + 1) / rate - loop.time()))
    deadline = loop.time() + PATIENCE_S
    while trunk.ended + trunk.refused < offered and loop.time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    after = await status(socket)
    transport.close()
    cpu_s = float(after["cpu_s"]) - float(before["cpu_s"])  # type: ignore[arg-type]
    return {
        "rate": rate, "offered": offered, "completed": trunk.ended, "refused": trunk.refused,
        "trying_p50_ms": _ms(trunk.to_trying, 50), "trying_p95_ms": _ms(trunk.to_trying, 95),
        "ok_p50_ms": _ms(trunk.to_ok, 50), "ok_p95_ms": _ms(trunk.to_ok, 95),
        "cpu_ms_per_call": round(cpu_s * 1000 / offered, 3), "transactions": int(after["transactions"]),  # type: ignore[call-overload]
    }  # fmt: skip


def _ms(values: list[float], percent: int) -> float:
    if len(values) < 2:
        return float("nan")
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1] * 1000, 2)


async def status(socket: Path) -> dict[str, object]:
    """Asks the door how it does."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    writer.write(b'{"ask": "status"}\n')
    told: dict[str, object] = json.loads(await reader.readline())
    writer.close()
    return told


async def run(door: tuple[str, int], socket: Path, rates: list[float], seconds: float) -> list[dict[str, float]]:
    """Hires the stand-ins and runs every rate."""
    loop = asyncio.get_running_loop()
    lines = []
    for number in range(1, WORKERS + 1):
        _, roster = await asyncio.open_unix_connection(str(socket))
        lines.append(roster)
        await loop.create_datagram_endpoint(lambda n=number, r=roster: StandIn(n, r), local_addr=("127.0.0.1", 0))  # type: ignore[misc]
    while (await status(socket))["idle"] != WORKERS:  # noqa: ASYNC110 - another process has no event for us
        await asyncio.sleep(0.02)
    gc.freeze()
    return [await at_rate(door, socket, rate, seconds) for rate in rates]


def pss_kib(pid: int) -> int:
    """Proportional memory of a process (Linux)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1])  # type: ignore[index]


def main() -> int:
    """Starts a door on a free port of 127.0.0.1, loads it, prints figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--rates", default="25,50,100,200")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each rate")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "config.toml"
        config.write_text('[telephony]\naddress = "127.0.0.1"\nport = 0\nmax_calls = 1000\n')
        command = [sys.executable, "-m", "ivr", "door", "--config", str(config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as door:
            assert door.stdout
            host, port = json.loads(door.stdout.readline())["sip"]
            pss = [pss_kib(door.pid)]
            rates = [float(rate) for rate in options.rates.split(",")]
            rows = asyncio.run(run((host, port), Path(name) / "var/run/door.sock", rates, options.seconds))
            pss.append(pss_kib(door.pid))
            door.terminate()
    print_figures(rows, pss, as_json=options.json)
    return 0 if all(row["completed"] == row["offered"] for row in rows) else 1


def print_figures(rows: list[dict[str, float]], pss: list[int], *, as_json: bool) -> None:
    """One JSON object, or a table."""
    if as_json:
        print(json.dumps({"bench": "door", "rates": rows, "pss_kib_before_after": pss}))
        return
    print(
        f"{'calls/s':>8} {'offered':>8} {'done':>6} {'100: p50':>9} {'p95 ms':>7} {'200: p50':>9} {'p95 ms':>7} "
        f"{'CPU ms':>7}"
    )
    for row in rows:
        print(
            f"{row['rate']:8.0f} {row['offered']:8.0f} {row['completed']:6.0f} {row['trying_p50_ms']:9.2f} "
            f"{row['trying_p95_ms']:7.2f} {row['ok_p50_ms']:9.2f} {row['ok_p95_ms']:7.2f} {row['cpu_ms_per_call']:7.2f}"
        )
    cpu = statistics.median(row["cpu_ms_per_call"] for row in rows)
    print(
        f"one core is full at about {1000 / cpu:.0f} calls/s; "
        f"PSS {pss[0] / 1024:.1f} MiB before, {pss[1] / 1024:.1f} after (transactions live 32 s longer than their call)"
    )


if __name__ == "__main__":
    sys.exit(main())
