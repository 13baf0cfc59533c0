"""The front door as it stands in production: phones at a public address, workers on loopback, two sockets."""

import asyncio

import pytest

from telephony.address import reachable_address
from telephony.edge.message import Request
from tests.doors.account import AccountPhone
from tests.doors.dialog import from_worker
from tests.doors.test_people import dial, in_call
from tests.net.hotline import free_port
from tests.telephony.edge.conftest import End, Phone

OUTSIDE = reachable_address("auto")
pytestmark = [
    pytest.mark.net,
    pytest.mark.skipif(OUTSIDE.startswith("127."), reason="this machine has no address but loopback"),
]


class Inside:
    """The door as workers call it."""

    def __init__(self, port: int) -> None:
        self.sip = ("127.0.0.1", port)


async def open_outside(stage, end: End) -> None:
    loop = asyncio.get_running_loop()
    end.transport, _ = await loop.create_datagram_endpoint(lambda: end, local_addr=(OUTSIDE, 0))
    end.address = end.transport.get_extra_info("sockname")
    stage.ends.append(end)


async def test_callers_and_agents_outside_are_led_to_workers_inside_and_back(stage) -> None:
    door = await stage.open("anna", address='"auto"', port=free_port())
    assert door.sip[0] == OUTSIDE
    worker, inside = await stage.worker(100, 180, 200), Inside(door.sip[1])
    await door.until("idle", 1)
    caller, anna = Phone(door.sip), AccountPhone(door.sip, "anna")
    await open_outside(stage, caller)
    await open_outside(stage, anna)
    caller.ask("INVITE")
    ok = await caller.response(200, "INVITE")
    assert worker.invite is not None
    assert worker.invite.via.host == "127.0.0.1"
    assert [OUTSIDE in value.partition(";")[0] for value in ok.all("Record-Route")] == [False, True]
    caller.inside("ACK", ok, 1)
    await worker.request("ACK")
    worker.send(from_worker(worker, "BYE"), inside.sip)
    assert (await caller.request("BYE")).via.host == OUTSIDE
    await worker.response(200, "BYE")
    assert (await anna.register()).status == 200
    ok = await dial(worker, inside, "anna", "out")
    assert (await anna.wait(lambda m: isinstance(m, Request) and m.method == "INVITE")).via.host == OUTSIDE
    worker.send(in_call(worker, ok, "ACK", 1), inside.sip)
    await anna.request("ACK")
    worker.send(in_call(worker, ok, "BYE", 2), inside.sip)
    await anna.request("BYE")
    await door.until("relays", 0)
