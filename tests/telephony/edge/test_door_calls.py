"""The running door between stand-in phones and workers, over real sockets."""

import asyncio
from pathlib import Path

import pytest

from telephony.edge.clients import contact
from telephony.edge.message import Request, encode
from tests.telephony.edge.corebench import DOOR_SAYS

pytestmark = pytest.mark.net

TORTURE = Path(__file__).parents[4] / "shared/data/rfc4475"


async def test_a_call_goes_to_a_worker_and_back(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(100, 180, 200), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    await phone.response(100, "INVITE")
    ok = await phone.response(200, "INVITE")
    phone.inside("ACK", ok, 1)
    await worker.request("ACK")
    phone.inside("BYE", ok, 2)
    await phone.response(200, "BYE")
    await door.until("calls", 0)


async def test_the_worker_hangs_up(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    await phone.response(200, "INVITE")
    bye = _from_worker(worker, "BYE")
    worker.send(bye, door.sip)
    assert (await phone.request("BYE")).via.rport
    await worker.response(200, "BYE")
    await door.until("calls", 0)


async def test_both_ways_stay_open_through_a_killed_door(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    ok = await phone.response(200, "INVITE")
    door.process.kill()
    await door.process.wait()
    text = door.config.read_text().replace("port = 0", f"port = {door.sip[1]}")
    door.config.write_text(text)
    await door.start()
    phone.inside("INVITE", ok, 2)
    await phone.wait(lambda m: not isinstance(m, Request) and m.cseq == 2 and m.status == 200)
    worker.send(_from_worker(worker, "INVITE"), door.sip)
    await phone.request("INVITE")
    worker.send(_from_worker(worker, "BYE"), door.sip)
    await worker.response(200, "BYE")


async def test_a_proxy_that_gives_its_name_is_found(stage) -> None:
    door = await stage.open()
    worker, phone, proxy = await stage.worker(200), await stage.phone(), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE", ("Record-Route", f"<sip:localhost:{proxy.address[1]};lr>"))
    await phone.response(200, "INVITE")
    worker.die()
    bye = await proxy.request("BYE")
    assert bye.get("Route") == f"<sip:localhost:{proxy.address[1]};lr>"


async def test_a_killed_worker_ends_its_callers_call(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    ok = await phone.response(200, "INVITE")
    phone.inside("ACK", ok, 1)
    await worker.request("ACK")
    worker.die()
    bye = await phone.request("BYE")
    assert "worker lost" in bye.get("Reason")
    assert (bye.from_tag, bye.to_tag, bye.call_id) == (worker.tag, "phone", ok.call_id)
    await door.until("calls", 0)


async def test_silent_refusing_and_dead_workers_are_passed_over(stage) -> None:
    door = await stage.open()
    silent, refusing = await stage.worker(0), await stage.worker(100, 486)
    await door.until("idle", 2)
    dying = await stage.worker(180)
    await door.until("idle", 3)
    phone = await stage.phone()
    phone.ask("INVITE")
    await phone.response(180, "INVITE")
    assert silent.invite is not None
    assert refusing.invite is not None
    good = await stage.worker(200)
    phone2 = await stage.phone()
    await door.until("idle", 1)
    phone2.ask("INVITE")
    await phone2.response(200, "INVITE")
    assert good.invite is not None
    dying.die()  # three were tried: the caller hears that nobody is there
    assert (await phone.response(503, "INVITE")).get("Retry-After")


async def test_the_next_worker_gets_the_call_of_one_that_died_ringing(stage) -> None:
    door = await stage.open()
    dying = await stage.worker(180)
    await door.until("idle", 1)
    good, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 2)
    phone.ask("INVITE")
    await phone.response(180, "INVITE")
    dying.die()
    ok = await phone.response(200, "INVITE")
    assert ok.to_tag == good.tag


async def test_a_full_door_says_when_to_come_again(stage) -> None:
    door = await stage.open(max_calls=1)
    await stage.worker(200)
    await stage.worker(200)
    await door.until("idle", 2)
    phone, other = await stage.phone(), await stage.phone()
    phone.ask("INVITE")
    await phone.response(200, "INVITE")
    other.ask("INVITE")
    assert (await other.response(503, "INVITE")).get("Retry-After") == "5"


async def test_a_call_waits_for_the_next_worker(stage) -> None:
    door = await stage.open()
    phone = await stage.phone()
    phone.ask("INVITE")
    await phone.response(100, "INVITE")
    await door.until("held", 1)
    await stage.worker(200)
    await phone.response(200, "INVITE")


async def test_cancel_reaches_a_ringing_worker(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(180), await stage.phone()
    await door.until("idle", 1)
    call_id = phone.ask("INVITE", branch="z9hG4bKcancelled")
    await phone.response(180, "INVITE")
    phone.ask("CANCEL", call_id=call_id, branch="z9hG4bKcancelled")
    await phone.response(200, "CANCEL")
    await phone.response(487, "INVITE")
    await worker.request("CANCEL")
    await worker.request("ACK")
    await door.until("calls", 0)


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
