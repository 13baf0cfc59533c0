"""The contract of a front door, held by both: what it answers itself, refuses, cleans, and lets through to workers."""

from functools import partial
from pathlib import Path

import pytest

from telephony.edge.message import Request, Response
from telephony.edge.strict import read
from tests.doors.dialog import answered, within

pytestmark = pytest.mark.net

TORTURE = Path(__file__).parents[3] / "shared/data/rfc4475"
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


async def test_what_the_door_answers_itself(stage) -> None:
    await stage.open()
    phone = await stage.phone()
    options = await phone.response(200, "OPTIONS", phone.ask("OPTIONS"))
    assert "INVITE" in options.get("Allow")
    for method, status in (("BYE", 481), ("INFO", 481), ("MESSAGE", 405), ("REFER", 405), ("FROBNICATE", 501)):
        await phone.response(status, method, phone.ask(method))
    await phone.response(481, "CANCEL", phone.ask("CANCEL", branch="z9hG4bKnothing"))
    await phone.response(481, "BYE", phone.ask("BYE", to_tag="unknown"))
    refused = await phone.response(420, "INVITE", phone.ask("INVITE", ("Require", "timer, levitation")))
    assert refused.get("Unsupported") == "levitation"
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


async def test_what_is_too_long_for_a_worker_to_read_is_refused(stage) -> None:
    door = await stage.open()
    worker, phone = await stage.worker(200), await stage.phone()
    await door.until("idle", 1)
    long = ("X-Long", "x" * 3600)
    await phone.response(513, "INVITE", phone.ask("INVITE", long))
    ok = await phone.response(200, "INVITE", phone.ask("INVITE", ("X-Long", "x" * 2000)))
    phone.inside("ACK", ok, 1)
    await phone.wait(answered(513, within(phone, ok, 2, "INVITE", long, long)))
    assert [m.cseq for m in worker.seen if isinstance(m, Request) and m.method == "INVITE"] == [1]


async def test_nothing_broken_reaches_a_worker_and_the_door_lives_on(stage) -> None:
    """Every message of RFC 4475, then a call."""
    door = await stage.open()
    heard: list[bytes] = []

    def hear(take, data: bytes, addr: tuple[str, int]) -> None:
        heard.append(data)
        if isinstance(read(data), Request | Response):
            take(data, addr)

    for _ in range(30):
        worker = await stage.worker(100)
        worker.datagram_received = partial(hear, worker.datagram_received)
    await door.until("idle", 30)
    phone = await stage.phone()
    phone.datagram_received = lambda data, addr: None
    for path in sorted(TORTURE.glob("*.dat")):
        phone.send(path.read_bytes(), door.sip)
    caller = await stage.phone()
    await caller.response(200, "OPTIONS", caller.ask("OPTIONS"))  # the door has read all that came before
    for worker in stage.workers:
        worker.tell("busy")
    await door.until("idle", 0)
    good = await stage.worker(100, 200)
    await door.until("idle", 1)
    await caller.response(200, "INVITE", caller.ask("INVITE"))
    assert good.invite is not None
    assert [read(data) for data in heard if not isinstance(read(data), Request | Response)] == []
