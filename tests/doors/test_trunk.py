"""Calls out through the running door to SIPp as a carrier that asks for a password."""

import asyncio
import socket
from pathlib import Path

import pytest

from telephony.edge.events import Hop
from telephony.edge.message import Response
from tests.net.hotline import free_port
from tests.telephony.edge.corebench import in_dialog, request

pytestmark = [pytest.mark.net, pytest.mark.needs("sipp")]
SCENARIO = Path(__file__).parents[1] / "telephony/edge/sipp/trunk.xml"


async def carrier(folder: Path, port: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "sipp", "-sf", str(SCENARIO), "-i", "127.0.0.1", "-p", str(port), "-m", "1", "-nostdin", "-timeout", "40",
        "-timeout_error", cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


def tables(port: int, limits: str = "") -> str:
    return f"""
[telephony.trunks.carrier]
host = "localhost"
port = {port}
username = "hotline"
secret_file = "carrier.secret"
caller_id = "+4930"
[[telephony.dialplan]]
prefix = "0"
strip = 1
add = "+49"
trunk = "carrier"
{limits}
"""


async def answered(stage, tmp_path: Path, limits: str) -> tuple[asyncio.subprocess.Process, Response, object]:
    """A worker's call that the carrier has taken."""
    (tmp_path / "carrier.secret").write_text("s3cret\n")
    port = free_port()
    process = await carrier(tmp_path, port)
    door = await stage.open(tables=tables(port, limits))
    worker = await stage.worker()
    await door.until("idle", 1)
    await door.until("trunks", {"carrier": "127.0.0.1"})
    worker.send(request("INVITE", "hotline", Hop("UDP", *worker.address), to="0123", name="out"), door.sip)
    ok = await worker.response(200, "INVITE", "out")
    worker.send(in_dialog(ok, "ACK", 1).replace(b"192.0.2.200", b"127.0.0.1"), door.sip)
    return process, ok, worker


async def test_the_door_proves_itself_to_a_carrier(stage, tmp_path: Path) -> None:
    process, ok, worker = await answered(stage, tmp_path, "")
    assert ok.cseq == 1
    worker.send(in_dialog(ok, "BYE", 2), stage.door.sip)
    await worker.response(200, "BYE", "out")
    async with asyncio.timeout(30):
        assert await process.wait() == 0


async def test_the_longest_call_is_ended_on_both_sides(stage, tmp_path: Path) -> None:
    process, _, worker = await answered(stage, tmp_path, 'max_duration = "1s"\nprice = 0.1\ndaily_cost = 5')
    await worker.request("BYE")
    async with asyncio.timeout(30):
        assert await process.wait() == 0
    assert (await stage.door.status())["spent"] == {"rule 1": 0.1}
    assert '"rule 1": 0.1' in (tmp_path / "var/spending.json").read_text()


async def test_calls_that_ring_at_once_cannot_spend_more_than_the_days_money(stage) -> None:
    """Two minutes are paid for: while two calls ring, a third would overspend when all are answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        limits = "price = 1.0\ndaily_cost = 2.0"
        settings = tables(silent.getsockname()[1], limits).replace('username = "hotline"\nsecret_file', "# secret_file")
        door = await stage.open(tables=settings)
        worker = await stage.worker()
        await door.until("idle", 1)
        await door.until("trunks", {"carrier": "127.0.0.1"})
        for number in range(2):
            message = request("INVITE", "hotline", Hop("UDP", *worker.address), to="0123", name=f"out{number}")
            worker.send(message, door.sip)
            await worker.response(100, "INVITE", f"out{number}")
            silent.setblocking(False)
            await asyncio.get_running_loop().sock_recv(silent, 65536)  # it rings
        worker.send(request("INVITE", "hotline", Hop("UDP", *worker.address), to="0123", name="out2"), door.sip)
        await worker.response(403, "INVITE", "out2")
