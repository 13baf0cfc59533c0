"""The contract of a front door, held by both: calls between stand-in phones and workers, over real sockets."""

import re

import pytest

from telephony.edge.message import Request, Response, encode

pytestmark = pytest.mark.net

_RELAY = "application/dtmf-relay"
INFOS = [  # the answer, Content-Type, body; those with 200 and a body reach the worker, in one plain form
    (415, "text/plain", b"5"),
    (400, _RELAY, b"Signal=Q"),
    (200, _RELAY, b"Signal=5"),
    (200, _RELAY, b"Signal= 7\r\nDuration= 250\r\n"),
    (200, _RELAY, b"Duration=250\nsignal=10\n"),
    (200, "application/dtmf", b"3"),
    (200, "application/dtmf", b"#\r\n"),
    (400, "application/dtmf", b"55"),
    (200, _RELAY, b""),
]


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


@pytest.mark.parametrize("said", [(0,), (100, 486), (100, 500), (100, 180, 503)], ids=str)
async def test_the_next_worker_gets_the_call(stage, said) -> None:
    door = await stage.open()
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


async def test_what_the_door_answers_itself(stage) -> None:
    await stage.open()
    phone = await stage.phone()
    options = await phone.response(200, "OPTIONS", phone.ask("OPTIONS"))
    assert "INVITE" in options.get("Allow")
    for method, status in (("BYE", 481), ("INFO", 481), ("MESSAGE", 405), ("REFER", 405), ("FROBNICATE", 501)):
        await phone.response(status, method, phone.ask(method))
    await phone.response(481, "CANCEL", phone.ask("CANCEL", branch="z9hG4bKnothing"))
    await phone.response(481, "BYE", phone.ask("BYE", to_tag="unknown"))


async def test_extensions_that_no_worker_knows_are_refused(stage) -> None:
    await stage.open()
    phone = await stage.phone()
    refused = await phone.response(420, "INVITE", phone.ask("INVITE", ("Require", "timer, levitation")))
    assert refused.get("Unsupported") == "levitation"


async def test_a_request_whose_hops_are_used_up_is_refused(stage) -> None:
    await stage.open()
    phone = await stage.phone()
    call_id, data = phone.build("INVITE")
    phone.send(data.replace(b"Max-Forwards: 70", b"Max-Forwards: 0"), phone.door)
    await phone.response(483, "INVITE", call_id)


async def test_nobody_is_relayed_for(stage) -> None:
    """Routes of a stranger's own making, the waymark of another call: no way to anywhere (RFC 3261 section 16.4)."""
    door = await stage.open()
    worker, phone, stranger = await stage.worker(200), await stage.phone(), await stage.phone()
    victim = await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    ok = await phone.response(200, "INVITE")
    there = f"sip:victim@{victim.address[0]}:{victim.address[1]}"
    route = ("Route", f"<sip:{door.sip[0]}:{door.sip[1]};lr>")
    for routes in ([route], [route, ("Route", f"<{there};lr>")], [("Route", r) for r in ok.all("Record-Route")]):
        call_id = stranger.ask("BYE", *routes, uri=there, to_tag="x")
        await stranger.response(481, "BYE", call_id)
    marks = [("Route", value) for value in reversed(ok.all("Record-Route"))]
    inside = stranger.ask("BYE", *marks, ("Route", f"<{there};lr>"), uri=there, to_tag=ok.to_tag, call_id=ok.call_id)
    await worker.request("BYE")  # the right waymark leads to its own worker and nowhere else
    await stranger.response(200, "BYE", inside)
    assert victim.seen == []


async def test_only_what_workers_understand_reaches_them_in_a_call(stage) -> None:
    """pjsua2 would call whatever number a REFER names, and pjsip aborts over some bodies of INFO and some SDP."""
    door = await stage.open()
    worker, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE")
    ok = await phone.response(200, "INVITE")
    phone.inside("ACK", ok, 1)
    phone.inside("REFER", ok, 2)
    await phone.response(405, "REFER")
    for cseq, (status, kind, body) in enumerate(INFOS, 3):
        await phone.wait(answered(status, within(phone, ok, cseq, "INFO", ("Content-Type", kind), body=body)))
    keys = [m for m in worker.seen if isinstance(m, Request) and m.method == "INFO"]
    assert [m.body for m in keys] == [b"Signal=%s\r\nDuration=160\r\n" % key for key in (b"5", b"7", b"*", b"3", b"#")]
    assert {tuple(m.all("Content-Type")) for m in keys} == {("application/dtmf-relay",)}
    long = b"v=0\r\nc=IN IP4 " + b"1" * 254 + b"\r\n"
    await phone.wait(answered(400, within(phone, ok, 20, "INVITE", ("Content-Type", "application/sdp"), body=long)))
    assert [m.cseq for m in worker.seen if isinstance(m, Request) and m.method in ("INVITE", "REFER")] == [1]


async def test_headers_of_our_own_are_taken_off_what_comes_from_outside(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 1)
    phone.ask("INVITE", ("X-Hotline-User", "anna"), ("x-hotline-anything", "1"), ("X-Other", "stays"))
    await phone.response(200, "INVITE")
    assert worker.invite is not None
    names = [name.lower() for name, _ in worker.invite.headers if name.lower().startswith("x-")]
    assert names == ["x-other"]


def within(phone, ok: Response, cseq: int, method: str, *extra: tuple[str, str], body: bytes = b"") -> int:
    """A request inside the dialog with headers and a body; gives back its CSeq."""
    routes = [("Route", value) for value in reversed(ok.all("Record-Route"))]
    uri = re.search("<(.*?)>", ok.get("Contact"))
    assert uri
    phone.ask(
        method, *routes, *extra, call_id=ok.call_id, uri=uri[1], cseq=cseq, to_tag=ok.to_tag, body=body,
    )  # fmt: skip
    return cseq


def answered(status: int, cseq: int):
    """Whether a message is this answer to this request."""
    return lambda m: isinstance(m, Response) and (m.status, m.cseq) == (status, cseq)


def from_worker(worker, method: str) -> bytes:
    """A request inside the dialog from the worker's side."""
    invite = worker.invite
    contact = re.search("<(.*?)>", invite.get("Contact"))
    headers = [
        ("Via", f"SIP/2.0/UDP {worker.address[0]}:{worker.address[1]};branch=z9hG4bKworker{method}"),
        *(("Route", value) for value in invite.all("Record-Route")),
        ("From", f"{invite.get('To')};tag={worker.tag}"),
        ("To", invite.get("From")),
        ("Call-ID", invite.call_id),
        ("CSeq", f"7 {method}"),
        ("Max-Forwards", "70"),
        worker.contact(),
    ]
    return encode(f"{method} {contact[1]} SIP/2.0", headers)
