"""The running door between stand-in phones and workers, over real sockets."""

import asyncio
from pathlib import Path

import pytest

from telephony.edge.clients import contact
from telephony.edge.message import encode
from tests.telephony.edge.corebench import DOOR_SAYS

pytestmark = pytest.mark.net

TORTURE = Path(__file__).parents[4] / "shared/data/rfc4475"


async def test_a_proxy_that_gives_its_name_is_found(stage) -> None:
    door = await stage.open()
    worker, phone, proxy = await stage.worker(200), await stage.phone(), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE", ("Record-Route", f"<sip:localhost:{proxy.address[1]};lr>"))
    await phone.response(200, "INVITE")
    worker.die()
    bye = await proxy.request("BYE")
    assert bye.get("Route") == f"<sip:localhost:{proxy.address[1]};lr>"


class Listener(asyncio.DatagramProtocol):
    """Keeps raw responses: the door copies broken headers as they are."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.queue.put_nowait(data)


async def test_every_torture_message_has_its_answer_and_then_a_call_works(stage) -> None:
    door = await stage.open()
    for _ in range(list(DOOR_SAYS.values()).count(100)):
        await stage.worker(100)
    await door.until("idle", len(stage.workers))
    phone = await stage.phone()
    transport, listener = await asyncio.get_running_loop().create_datagram_endpoint(
        Listener, local_addr=("127.0.0.1", 0)
    )
    said: dict[str, list[int]] = {name: [] for name in DOOR_SAYS}
    for name, statuses in said.items():
        transport.sendto((TORTURE / f"{name}.dat").read_bytes(), door.sip)
        mark, options = phone.build("OPTIONS")
        transport.sendto(options, door.sip)
        async with asyncio.timeout(20):
            while mark.encode() not in (answer := await listener.queue.get()):
                statuses.append(int(answer[8:11]))
    transport.close()
    assert said == {name: [status] if status else [] for name, status in DOOR_SAYS.items()}
    worker = await stage.worker(200)
    await door.until("idle", 1)
    call_id = phone.ask("INVITE")
    await phone.response(200, "INVITE", call_id)
    assert worker.invite is not None
    assert "core_errors" not in (await door.status())["losses"]


def _from_worker(worker, method: str) -> bytes:
    """A request inside the dialog from the worker's side."""
    invite = worker.invite
    headers = [
        ("Via", f"SIP/2.0/UDP {worker.address[0]}:{worker.address[1]};branch=z9hG4bKworker{method}"),
        *(("Route", value) for value in invite.all("Record-Route")),
        ("From", f"{invite.get('To')};tag={worker.tag}"),
        ("To", invite.get("From")),
        ("Call-ID", invite.call_id),
        ("CSeq", f"7 {method}"),
        worker.contact(),
    ]
    return encode(f"{method} {contact(invite)} SIP/2.0", headers)
