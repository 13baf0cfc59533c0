"""The contract of a front door, held by both: calls between stand-in phones and workers, over real sockets."""

import asyncio

import pytest

from telephony.edge.message import Response, encode
from tests.doors.dialog import from_worker

pytestmark = pytest.mark.net


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
    await worker.request("BYE")
    await door.until("calls", 0)


async def test_the_worker_hangs_up(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    await phone.response(200, "INVITE")
    worker.send(from_worker(worker, "BYE"), door.sip)
    await phone.request("BYE")
    await worker.response(200, "BYE")
    await door.until("calls", 0)


async def test_requests_inside_a_call_go_both_ways(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    ok = await phone.response(200, "INVITE")
    phone.inside("ACK", ok, 1)
    phone.inside("INVITE", ok, 2)
    await phone.wait(lambda m: isinstance(m, Response) and m.cseq == 2 and m.status == 200)
    worker.send(from_worker(worker, "INVITE"), door.sip)
    await phone.request("INVITE")
    await worker.response(200, "INVITE")


async def test_each_worker_gets_one_call_the_one_idle_longest_first(stage) -> None:
    door = await stage.open()
    for number in range(3):
        await stage.worker(200)
        await door.until("idle", number + 1)
    for number, worker in enumerate(stage.workers):
        phone = await stage.phone()
        call_id = phone.ask("INVITE")
        await phone.response(200, "INVITE", call_id)
        assert worker.invite is not None
        assert worker.invite.call_id == call_id
        assert sum(other.invite is not None for other in stage.workers) == number + 1


async def test_many_calls_at_once_each_have_a_worker_of_their_own(stage) -> None:
    door = await stage.open()
    for _ in range(20):
        await stage.worker(200)
    await door.until("idle", 20)
    phones = [await stage.phone() for _ in range(20)]
    asked = [phone.ask("INVITE") for phone in phones]
    for phone, call_id in zip(phones, asked, strict=True):
        await phone.response(200, "INVITE", call_id)
    assert {worker.invite.call_id for worker in stage.workers} == set(asked)


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
    await phone.wait(lambda m: isinstance(m, Response) and m.cseq == 2 and m.status == 200)
    worker.send(from_worker(worker, "INVITE"), door.sip)
    await phone.request("INVITE")
    worker.send(from_worker(worker, "BYE"), door.sip)
    await worker.response(200, "BYE")


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
    dying.die()  # three were tried: the caller hears that nobody is there
    assert (await phone.response(503, "INVITE")).get("Retry-After") == "5"


async def test_the_next_worker_gets_the_call(stage) -> None:
    door = await stage.open()
    for said in ((0,), (100, 486), (100, 500), (100, 180, 503)):
        first = await stage.worker(*said)
        await door.until("idle", 1)
        good, phone = await stage.worker(100, 180, 200), await stage.phone()
        await door.until("idle", 2)
        phone.ask("INVITE")
        ok = await phone.response(200, "INVITE")
        assert first.invite is not None
        assert ok.to_tag == good.tag
        phone.inside("BYE", ok, 2)
        await good.request("BYE")
        first.tell("busy")
        good.tell("busy")
        await door.until("idle", 0)


async def test_other_refusals_are_the_callers(stage) -> None:
    door = await stage.open()
    worker, other, phone = await stage.worker(100, 488), await stage.worker(200), await stage.phone()
    await door.until("idle", 2)
    phone.ask("INVITE")
    await phone.response(488, "INVITE")
    assert (worker.invite is None, other.invite is None) == (False, True)


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


async def test_a_caller_who_heard_something_is_told_when_the_worker_is_lost(stage) -> None:
    door = await stage.open()
    dying = await stage.worker(183)
    await door.until("idle", 1)
    good, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 2)
    phone.ask("INVITE")
    await phone.response(183, "INVITE")
    dying.die()
    await phone.response(500, "INVITE")
    assert good.invite is None


async def test_a_full_door_says_when_to_come_again(stage) -> None:
    door = await stage.open(max_calls=1)
    await stage.worker(200)
    await stage.worker(200)
    await door.until("idle", 2)
    phone, other = await stage.phone(), await stage.phone()
    phone.ask("INVITE")
    ok = await phone.response(200, "INVITE")
    other.ask("INVITE")
    assert (await other.response(503, "INVITE")).get("Retry-After") == "5"
    phone.inside("ACK", ok, 1)
    phone.inside("BYE", ok, 2)
    await phone.response(200, "BYE")
    await door.until("calls", 0)
    again = other.ask("INVITE")
    await other.response(200, "INVITE", again)


async def test_calls_older_than_the_door_count(stage) -> None:
    door = await stage.open(max_calls=1)
    await stage.worker(200, state="busy")
    await door.until("busy", 1)
    await stage.worker(200)
    await door.until("idle", 1)
    phone = await stage.phone()
    phone.ask("INVITE")
    assert (await phone.response(503, "INVITE")).get("Retry-After") == "5"


async def test_without_a_worker_the_caller_hears_it_in_the_end(stage) -> None:
    await stage.open()
    phone = await stage.phone()
    phone.ask("INVITE")
    await phone.response(100, "INVITE")
    assert (await phone.response(503, "INVITE")).get("Retry-After") == "5"


async def test_a_call_waits_for_the_next_worker(stage) -> None:
    await stage.open()
    phone = await stage.phone()
    phone.ask("INVITE")
    await phone.response(100, "INVITE")
    await stage.worker(200)
    await phone.response(200, "INVITE")


async def test_after_a_refusal_a_call_waits_for_the_next_worker_too(stage) -> None:
    door = await stage.open()
    refusing, phone = await stage.worker(100, 486), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    await refusing.request("ACK")
    good = await stage.worker(200)
    ok = await phone.response(200, "INVITE")
    assert ok.to_tag == good.tag


async def test_a_worker_that_ended_is_offered_to_nobody(stage) -> None:
    door = await stage.open()
    ended, good, phone = await stage.worker(200), await stage.worker(200), await stage.phone()
    await door.until("idle", 2)
    ended.die()
    await door.until("idle", 1)
    phone.ask("INVITE")
    ok = await phone.response(200, "INVITE")
    assert ok.to_tag == good.tag


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


async def test_cancel_of_a_call_that_waits(stage) -> None:
    door = await stage.open()
    phone = await stage.phone()
    call_id = phone.ask("INVITE", branch="z9hG4bKwaits")
    await phone.response(100, "INVITE")
    phone.ask("CANCEL", call_id=call_id, branch="z9hG4bKwaits")
    await phone.response(200, "CANCEL")
    await phone.response(487, "INVITE")
    worker = await stage.worker(200)
    await door.until("idle", 1)
    assert worker.invite is None
    await door.until("calls", 0)


async def test_a_caller_by_tcp_from_the_number_of_a_workers_port_is_a_caller(stage) -> None:
    """UDP and TCP count their ports apart: only the address of a worker's UDP socket says that a worker speaks."""
    door = await stage.open()
    worker = await stage.worker(100, 180, 200)
    await door.until("idle", 1)
    reader, writer = await asyncio.open_connection(*door.sip, local_addr=worker.address)
    here = f"{worker.address[0]}:{worker.address[1]}"
    headers = [
        ("Via", f"SIP/2.0/TCP {here};branch=z9hG4bK-same-number;rport"), ("Max-Forwards", "70"),
        ("From", f"<sip:caller@{here}>;tag=c"), ("To", f"<sip:hotline@{door.sip[0]}>"), ("Call-ID", "same-number"),
        ("CSeq", "1 INVITE"), ("Contact", f"<sip:caller@{here};transport=tcp>"),
    ]  # fmt: skip
    writer.write(encode(f"INVITE sip:hotline@{door.sip[0]}:{door.sip[1]} SIP/2.0", headers))
    async with asyncio.timeout(10):
        heard = b""
        while b"SIP/2.0 200" not in heard:
            heard += await reader.read(65536)
            assert b"SIP/2.0 404" not in heard
    writer.close()
