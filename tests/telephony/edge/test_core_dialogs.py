"""The core with a fake clock: calls that are up, lost workers, and what the door answers itself."""

import pytest

from telephony.edge.events import Hop, Stopping, WorkerGone
from telephony.edge.message import Request, Response
from tests.telephony.edge.corebench import (
    CALLER,
    STRANGER,
    TCP_CALLER,
    Bench,
    answer,
    answered,
    inside,
    invite,
    worker_hop,
)


def test_the_caller_of_a_lost_worker_gets_bye_within_a_second() -> None:
    bench = Bench()
    bench.worker(1)
    ok = answered(bench)
    bench.bytes(inside(ok, "INFO", 40, from_worker=True), worker_hop(1))
    bench.take()
    bench.give(WorkerGone(1))
    bench.wait(0.9)
    assert bench.take(CALLER)[0] == "BYE"
    bye = bench.last[0]
    assert isinstance(bye, Request)
    assert (bye.uri, bye.cseq, bye.from_tag, bye.to_tag) == ("sip:caller@10.0.0.5:5060", 41, "w", "caller")
    assert bye.get("Reason") == 'SIP;cause=500;text="worker lost"'
    bench.bytes(answer(bye, 200))
    bench.wait(80)  # the INFO that nobody answered lives longest
    assert bench.small()


def test_a_worker_that_ends_after_its_own_bye_causes_no_second_one() -> None:
    bench = Bench()
    bench.worker(1)
    ok = answered(bench)
    bench.give(WorkerGone(1))  # its end was seen before the BYE it had sent
    bench.bytes(inside(ok, "BYE", 7, from_worker=True), worker_hop(1))
    bench.wait(0.4)
    assert bench.take() == ["BYE"]


def test_a_bye_to_a_worker_that_just_ended_is_answered() -> None:
    bench = Bench()
    bench.worker(1)
    ok = answered(bench)
    bench.bytes(inside(ok, "BYE"))
    bench.take()
    bench.give(WorkerGone(1))
    bench.wait(0.2)
    assert bench.take() == ["200 BYE"]


@pytest.mark.parametrize(("status", "outcome"), [(180, "INVITE"), (183, "500 INVITE")])
def test_a_worker_lost_while_ringing_is_replaced_unless_the_caller_heard_it(status: int, outcome: str) -> None:
    bench = Bench()
    bench.worker(1)
    bench.worker(2)
    bench.bytes(invite())
    bench.take(worker_hop(1))
    bench.bytes(answer(bench.last[0], status), worker_hop(1))
    bench.take()
    bench.give(WorkerGone(1))
    bench.wait(0.2)
    assert bench.take() == [outcome]


def test_a_door_started_again_leads_both_ways_from_the_waymark_alone() -> None:
    first = Bench()
    first.worker(1)
    ok = answered(first)
    again = Bench()
    again.bytes(inside(ok, "INVITE", 2))
    assert again.take(worker_hop(1)) == ["INVITE"]
    again.bytes(inside(ok, "BYE", 7, from_worker=True), worker_hop(1))
    assert again.take(CALLER) == ["BYE"], "to where the call came from, not to its private Contact"
    assert again.last[0].all("Route") == []


def test_a_call_by_tcp_is_record_routed_for_both_transports() -> None:
    bench = Bench()
    bench.worker(1)
    ok = answered(bench, source=TCP_CALLER)
    assert [route.rpartition(":5060")[2] for route in ok.all("Record-Route")] == [";lr>", ";transport=tcp;lr>"]
    bench.bytes(inside(ok, "BYE", from_worker=True), worker_hop(1))
    assert bench.take(TCP_CALLER) == ["BYE"]
    assert bench.last[0].via.transport == "TCP"


def test_upstream_proxies_stay_on_the_way() -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite("a", "UDP", ("Record-Route", "<sip:192.0.2.99:5080;lr>")))
    bench.take(worker_hop(1))
    bench.bytes(answer(bench.last[0], 200), worker_hop(1))
    bench.take(CALLER)
    ok = bench.last[-1]
    assert isinstance(ok, Response)
    bench.bytes(inside(ok, "BYE", from_worker=True), worker_hop(1))
    assert bench.take(Hop("UDP", "192.0.2.99", 5080)) == ["BYE"]
    assert bench.last[0].all("Route") == ["<sip:192.0.2.99:5080;lr>"]


def test_the_door_is_no_open_relay() -> None:
    bench = Bench()
    bench.worker(1)
    ok = answered(bench)
    other = Bench(secret=b"x" * 32)
    for routes in (
        ["<sip:203.0.113.1;lr>"],  # somewhere else
        ["<sip:192.0.2.10:5060;lr>", "<sip:203.0.113.1;lr>"],  # through us to somewhere else
        [],
    ):
        other.bytes(inside(ok, "INVITE", 5, routes=routes), STRANGER)
        assert other.take() == ["481 INVITE"]
    other.bytes(inside(ok, "INVITE", 6), STRANGER)
    assert other.take() == ["481 INVITE"], "a waymark sealed by another door"
    bench.bytes(inside(ok, "INVITE", 8, routes=[*ok.all("Record-Route")[::-1], "<sip:203.0.113.1;lr>"]), STRANGER)
    assert {to for to, message in bench.sent if isinstance(message, Request)} == {worker_hop(1)}


@pytest.mark.parametrize(
    ("method", "extra", "status", "header"),
    [
        ("OPTIONS", (), 200, "Accept"),
        ("OPTIONS", (("Require", "nothing, 100rel"),), 420, "Unsupported"),
        ("INVITE", (("Require", "nothing"),), 420, "Unsupported"),
        ("REGISTER", (), 405, "Allow"),
        ("MESSAGE", (), 405, "Allow"),
        ("NEWMETHOD", (), 501, "Allow"),
        ("BYE", (), 481, "Via"),
        ("OPTIONS", (("Via", "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-hotline-1"),), 482, "Via"),
    ],
)
def test_what_the_door_answers_itself(method: str, extra: tuple, status: int, header: str) -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite("a", "UDP", *extra, method=method))
    assert bench.take() == [f"{status} {method}"]
    assert bench.last[0].get(header)
    assert bench.core.status()["transactions"] == 0


def test_no_hop_left() -> None:
    bench = Bench()
    bench.bytes(invite().replace(b"Max-Forwards: 70", b"Max-Forwards: 0"))
    assert bench.take() == ["483 INVITE"]


def test_the_same_call_by_two_ways_is_taken_once() -> None:
    bench = Bench()
    bench.worker(1)
    bench.worker(2)
    bench.bytes(invite())
    bench.take()
    bench.bytes(invite().replace(b"z9hG4bKa", b"z9hG4bKother"))
    assert bench.take() == ["482 INVITE"]


@pytest.mark.parametrize(
    ("via", "to"),
    [
        ("198.51.100.7:40000;branch=z9hG4bKx;rport", CALLER),
        ("198.51.100.7:5070;branch=z9hG4bKx;rport", CALLER),
        ("198.51.100.7:5070;branch=z9hG4bKx", Hop("UDP", "198.51.100.7", 5070)),
        ("198.51.100.7;branch=z9hG4bKx", Hop("UDP", "198.51.100.7", 5060)),
        ("10.0.0.5:5070;branch=z9hG4bKx", CALLER),  # behind a NAT
    ],
)
def test_responses_go_where_rfc_3581_and_nat_want_them(via: str, to: Hop) -> None:
    bench = Bench()
    bench.bytes(invite(method="OPTIONS").replace(b"198.51.100.7:40000;branch=z9hG4bKa;rport", via.encode()))
    assert [hop for hop, _ in bench.sent] == [to]


def test_stopping_refuses_new_and_waiting_calls() -> None:
    bench = Bench()
    bench.bytes(invite("a"))
    bench.take()
    bench.give(Stopping())
    assert bench.take() == ["503 INVITE"]
    bench.worker(1)
    bench.bytes(invite("b"))
    assert bench.take() == ["503 INVITE"]


@pytest.mark.parametrize(
    ("method", "status"), [("REFER", 405), ("NOTIFY", 481), ("OPTIONS", 200), ("REGISTER", 405), ("MESSAGE", 405)]
)
def test_a_caller_cannot_have_the_worker_call_somebody_by_refer(method: str, status: int) -> None:
    bench = Bench()
    bench.worker(1)
    ok = answered(bench)
    bench.bytes(inside(ok, method))
    assert bench.take() == [f"{status} {method}"]
    assert "REFER" not in bench.last[0].get("Allow")
    bench.bytes(inside(ok, "BYE", 3))
    assert bench.take() == ["BYE"]


def test_what_is_too_long_for_a_worker_is_refused_at_the_door() -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite("a", "UDP", ("X-Long", "x" * 3600)))
    assert bench.take() == ["100 INVITE", "513 INVITE"]
    bench.bytes(invite("b", "UDP", ("X-Long", "x" * 2500)))
    assert bench.take() == ["100 INVITE", "INVITE"]
    bench.bytes(answer(bench.last[1], 200), worker_hop(1))
    bench.take(CALLER)
    ok = bench.last[-1]
    assert isinstance(ok, Response)
    long = inside(ok, "INVITE", 3).replace(b"CSeq", b"X-Long: " + b"x" * 3600 + b"\r\nCSeq")
    bench.bytes(long)
    assert bench.take() == ["513 INVITE"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Require", "100rel, ,"),
        ("Require", "not a tag"),
        ("Proxy-Require", "a;b"),
        ("Replaces", "call;to-tag=1"),
        ("Replaces", "call"),
        ("Authorization", "Digest"),
        ("Authorization", 'Digest username="a'),
        ("Proxy-Authorization", 'Digest username="a", username="b"'),
        ("Content-Type", "application"),
        ("Content-Type", "application/sdp;="),
    ],
)
def test_a_header_that_a_worker_would_drop_without_a_word_is_refused(name: str, value: str) -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite("a", "UDP", (name, value)))
    assert bench.take() == ["400 INVITE"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Require", ""),
        ("Require", "100rel , timer"),
        ("Replaces", "a@b;from-tag=1;to-tag=2;early-only"),
        ("Authorization", "Other scheme=1"),
        ("Content-Type", 'application/sdp; charset="utf-8"'),
    ],
)
def test_the_same_headers_in_good_order_pass(name: str, value: str) -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite("a", "UDP", (name, value)))
    assert bench.take() == ["100 INVITE", "INVITE"]


def test_needless_escapes_in_the_called_name_are_undone() -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite().replace(b"INVITE sip:hotline@", b"INVITE sip:bank%2Dzh%40x@"))
    bench.take(worker_hop(1))
    assert bench.last[0].uri == "sip:bank-zh%40x@192.0.2.10"


def test_an_answer_to_a_call_that_an_earlier_door_gave_away_reaches_its_caller() -> None:
    first = Bench()
    first.worker(1)
    first.bytes(invite())
    first.take(worker_hop(1))
    asked = first.last[0]
    again = Bench()
    again.worker(1, idle=False)
    again.bytes(answer(asked, 200), worker_hop(1))
    assert again.take(CALLER) == ["200 INVITE"]
    ok = again.last[0]
    assert isinstance(ok, Response)
    again.bytes(inside(ok, "ACK", 1))
    again.bytes(inside(ok, "BYE", 2))
    assert again.take(worker_hop(1)) == ["ACK", "BYE"]
    again.bytes(answer(asked, 200), STRANGER)
    assert again.take() == [], "only a worker may say that"


def test_an_answer_that_comes_when_another_worker_has_the_call_is_hung_up() -> None:
    first = Bench()
    first.worker(1)
    first.bytes(invite())
    first.take(worker_hop(1))
    asked = first.last[0]
    again = Bench()
    again.worker(1, idle=False)
    again.worker(2)
    again.bytes(invite())
    again.take()
    for _ in range(2):
        again.bytes(answer(asked, 200, "old"), worker_hop(1))
    assert again.take(worker_hop(1)) == ["ACK", "BYE", "ACK"]
    assert again.last[1].to_tag == "old"


def test_a_caller_without_contact_is_answered_at_its_from() -> None:
    """RFC 2543 knew such INVITEs (RFC 4475 §3.4.1); pjsip refuses them with 400."""
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite().replace(b"Contact: <sip:caller@10.0.0.5:5060>\r\n", b""))
    assert bench.take(worker_hop(1)) == ["INVITE"]
    assert bench.last[0].all("Contact") == ["<sip:caller@example.com>"]
