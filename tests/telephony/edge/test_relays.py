"""Calls that the door relays: workers and phones to phones, forked, won, lost, ended."""

import pytest

from telephony.edge.events import Closed, Hop, WorkerGone
from telephony.edge.message import Request, Response, encode
from tests.telephony.edge.corebench import (
    CALLER,
    STRANGER,
    Bench,
    account_of,
    answer_challenge,
    answered,
    in_dialog,
    invite,
    request,
    say,
    worker_hop,
)

WORKER = worker_hop(1)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.accounts(account_of("anna"), account_of("bert"))
    bench.worker(1)
    return bench


def dial(bench: Bench, to: str = "anna", *extra: tuple[str, str], name: str = "leg") -> list[Request]:
    """A worker calls; gives the INVITEs that went out."""
    bench.sent = []
    bench.bytes(request("INVITE", "hotline", WORKER, *extra, to=to, name=name), WORKER)
    return [message for _, message in bench.sent if isinstance(message, Request)]


def up(bench: Bench, phone: Hop, to: str = "anna") -> Response:
    """A worker's call that a phone has answered."""
    (asked,) = dial(bench, to)
    say(bench, asked, 200, phone)
    ok = bench.sent[-1][1]
    assert isinstance(ok, Response)
    assert ok.status == 200
    bench.sent = []
    return ok


def test_a_worker_reaches_an_agent_and_both_ends_can_hang_up(bench: Bench) -> None:
    phone = bench.phone("anna")
    (asked,) = dial(bench, "anna", ("X-Hotline-Call", "17"))
    assert asked.uri == "sip:anna@203.0.113.1:5060"
    assert asked.get("X-Hotline-Call") == "17", "a worker's word about the call reaches the agent"
    say(bench, asked, 180, phone)
    say(bench, asked, 200, phone)
    assert bench.take(WORKER) == ["100 INVITE", "180 INVITE", "200 INVITE"]
    ok = bench.last[-1]
    bench.bytes(in_dialog(ok, "ACK", 1), WORKER)
    assert bench.take(phone) == ["ACK"]
    assert bench.last[0].all("Route") == []
    bench.bytes(in_dialog(ok, "INVITE", 2), WORKER)
    assert bench.take(phone) == ["INVITE"]
    bench.bytes(in_dialog(ok, "BYE", 5, callee=True), phone)
    assert bench.take(WORKER) == ["BYE"]
    assert bench.core.status()["relays"] == 0


def test_all_phones_ring_the_first_to_answer_wins_and_the_others_stop(bench: Bench) -> None:
    phones = [bench.phone("anna", number) for number in (1, 2, 3)]
    asked = dial(bench)
    assert len(asked) == 3
    say(bench, asked[0], 180, phones[0])
    say(bench, asked[1], 180, phones[1])
    bench.sent = []
    say(bench, asked[1], 200, phones[1], "second")
    assert bench.take() == ["CANCEL", "200 INVITE"]
    bench.bytes(encode("SIP/2.0 487 Gone", [(n, v) for n, v in asked[0].headers if n != "Route"]), phones[0])
    assert bench.take() == ["ACK"]
    say(bench, asked[2], 180, phones[2])
    assert bench.take() == ["CANCEL"], "the third had said nothing yet"
    say(bench, asked[2], 200, phones[2], "late")
    assert bench.take() == ["ACK", "BYE"], "and answered all the same"
    assert bench.last[1].to_tag == "late"
    say(bench, asked[1], 200, phones[1], "second")
    assert bench.take() == ["200 INVITE"], "the winner's repeated answer passes"


@pytest.mark.parametrize(("said", "told"), [((486, 480), 486), ((404, 603), 603), ((503, 486), 486), ((302, 486), 302)])
def test_the_best_refusal_is_told_when_all_have_refused(bench: Bench, said: tuple[int, int], told: int) -> None:
    phones = [bench.phone("anna", number) for number in (1, 2)]
    asked = dial(bench)
    bench.take()
    for phone, one, status in zip(phones, asked, said, strict=True):
        say(bench, one, status, phone)
    assert bench.take() == ["ACK", "ACK", f"{told} INVITE"]
    bench.bytes(request("ACK", "hotline", WORKER, to="anna", name="leg"), WORKER)
    assert bench.core.status()["relays"] == 0


def test_somebody_who_declines_everywhere_is_not_rung_further(bench: Bench) -> None:
    phones = [bench.phone("anna", number) for number in (1, 2)]
    asked = dial(bench)
    say(bench, asked[1], 180, phones[1])
    bench.take()
    say(bench, asked[0], 603, phones[0])
    assert bench.take() == ["ACK", "CANCEL", "603 INVITE"]


def test_who_has_no_phone_and_who_does_not_exist(bench: Bench) -> None:
    assert not dial(bench, "bert")
    assert bench.take() == ["100 INVITE", "480 INVITE"]
    assert not dial(bench, "nobody", name="other")
    assert bench.take() == ["100 INVITE", "404 INVITE"]


def test_a_silent_phone_is_given_up_after_some_seconds(bench: Bench) -> None:
    bench.phone("anna")
    dial(bench)
    bench.take()
    bench.wait(6.2)
    assert bench.take(WORKER) == ["408 INVITE"]


def test_cancel_is_answered_at_once_and_reaches_every_phone(bench: Bench) -> None:
    phones = [bench.phone("anna", number) for number in (1, 2)]
    bench.sent = []
    data = request("INVITE", "hotline", WORKER, to="anna", name="leg")
    bench.bytes(data, WORKER)
    asked = [message for _, message in bench.sent if isinstance(message, Request)]
    say(bench, asked[0], 180, phones[0])
    bench.take()
    bench.bytes(data.replace(b"INVITE sip", b"CANCEL sip").replace(b"1 INVITE", b"1 CANCEL"), WORKER)
    assert bench.take() == ["200 CANCEL", "CANCEL", "487 INVITE"]
    say(bench, asked[1], 200, phones[1], "late")
    assert bench.take() == ["ACK", "BYE"]


def test_an_agent_whose_worker_is_lost_gets_bye(bench: Bench) -> None:
    phone = bench.phone("anna")
    up(bench, phone)
    bench.give(WorkerGone(1))
    bench.wait(0.2)
    assert bench.take(phone) == ["BYE"]
    bye = bench.last[0]
    assert isinstance(bye, Request)
    assert (bye.cseq, bye.to_tag, bye.uri) == (2, "phone", "sip:anna@203.0.113.1:5060")
    assert "worker lost" in bye.get("Reason")


def test_a_phone_stops_ringing_when_the_worker_is_lost(bench: Bench) -> None:
    phone = bench.phone("anna")
    (asked,) = dial(bench)
    say(bench, asked, 180, phone)
    bench.take()
    bench.give(WorkerGone(1))
    bench.wait(0.2)
    assert bench.take(phone) == ["CANCEL"]


def test_phones_call_each_other_with_credentials_only(bench: Bench) -> None:
    anna, bert = bench.phone("anna", 1), bench.phone("bert", 2)
    answer_challenge(bench, "INVITE", "anna", anna, ("X-Hotline-User", "boss"), to="bert", name="talk")
    (asked,) = [message for hop, message in bench.sent if hop == bert]
    assert isinstance(asked, Request)
    assert not asked.get("Proxy-Authorization")
    assert not asked.get("X-Hotline-User"), "from outside nobody says that"
    say(bench, asked, 200, bert)
    bench.take(anna)
    ok = bench.last[-1]
    bench.bytes(in_dialog(ok, "REFER", 3), anna)
    assert bench.take(bert) == ["REFER"], "phones may transfer among themselves"
    bench.bytes(in_dialog(ok, "BYE", 2, callee=True), bert)
    assert bench.take(anna) == ["BYE"]


def test_a_stranger_with_an_agents_name_is_asked_and_reaches_nobody(bench: Bench) -> None:
    bench.phone("bert", 2)
    bench.bytes(request("INVITE", "anna", STRANGER, to="bert"), STRANGER)
    assert bench.take() == ["407 INVITE"]
    answer_challenge(bench, "INVITE", "anna", STRANGER, to="bert", password="guess")
    assert [message.status for message in bench.last if isinstance(message, Response)] == [407]
    assert not bench.sent


def test_a_phone_that_names_itself_by_another_domain_is_asked_all_the_same(bench: Bench) -> None:
    anna = bench.phone("anna")
    data = request("INVITE", "anna", anna, to="bert").replace(b"@192.0.2.10>;tag", b"@pbx.local>;tag")
    bench.bytes(data, anna)
    assert bench.take(anna) == ["407 INVITE"]


def test_credentials_for_somebody_else_are_no_claim_and_pass(bench: Bench) -> None:
    other = ("Proxy-Authorization", 'Digest username="x", realm="other", nonce="n", uri="sip:x", response="0"')
    bench.bytes(invite("a", "UDP", other))
    bench.take(WORKER)
    assert bench.last[0].get("Proxy-Authorization") == other[1]


def test_a_caller_who_asks_for_an_agent_reaches_the_hotline(bench: Bench) -> None:
    bench.phone("anna")
    bench.bytes(invite().replace(b"INVITE sip:hotline@", b"INVITE sip:anna@"))
    assert [hop for hop, message in bench.sent if isinstance(message, Request)][-1] == WORKER


def test_an_account_reaches_lines_and_star_codes_and_is_named_to_the_worker() -> None:
    for to in ("shop", "*45", "%2A45"):
        bench = Bench(lines=frozenset(("shop",)), any_line=False)
        bench.accounts(account_of("anna"))
        bench.worker(1)
        anna = bench.phone("anna")
        answer_challenge(bench, "INVITE", "anna", anna, ("X-Hotline-User", "boss"), to=to)
        (asked,) = [message for hop, message in bench.sent if hop == WORKER]
        assert isinstance(asked, Request)
        assert asked.all("X-Hotline-User") == ["anna"]
        assert asked.uri == f"sip:{to.replace('%2A', '*')}@192.0.2.10"
    answer_challenge(bench, "INVITE", "anna", anna, to="elsewhere", name="no")
    assert bench.last[-1].status == 404


def test_a_door_started_again_leads_a_relayed_call_both_ways(bench: Bench) -> None:
    phone = bench.phone("anna")
    ok = up(bench, phone)
    again = Bench()
    again.worker(1)
    again.take()
    again.bytes(in_dialog(ok, "INVITE", 4), WORKER)
    again.bytes(in_dialog(ok, "BYE", 5, callee=True), phone._replace(port=6000))
    assert [hop for hop, message in again.sent if isinstance(message, Request)] == [phone, WORKER]
    again.take()
    again.bytes(in_dialog(ok, "INVITE", 6), STRANGER)
    assert again.take() == ["481 INVITE"], "a worker speaks from its own address"


def test_an_agents_refer_does_not_reach_the_worker_but_the_progress_of_the_workers_does(bench: Bench) -> None:
    phone = bench.phone("anna")
    ok = up(bench, phone)
    bench.bytes(in_dialog(ok, "REFER", 3, callee=True), phone)
    assert bench.take() == ["405 REFER"]
    bench.bytes(in_dialog(ok, "NOTIFY", 4, callee=True).replace(b"CSeq", b"Event: refer\r\nCSeq"), phone)
    assert bench.take() == ["NOTIFY"]


def test_the_progress_of_a_transfer_reaches_the_worker_from_its_caller(bench: Bench) -> None:
    ok = answered(bench)
    data = in_dialog(ok, "NOTIFY", 3).replace(b"CSeq", b"Event: refer;id=2\r\nCSeq")
    bench.bytes(data, CALLER)
    assert bench.take(WORKER) == ["NOTIFY"]


def test_a_phone_whose_connection_is_lost_while_it_is_asked_is_not_waited_for(bench: Bench) -> None:
    client = Hop("TCP", "203.0.113.9", 40001)
    bench.register("anna", client, contact="<sip:anna@10.0.0.9:5060;transport=tcp>")
    (asked,) = dial(bench)
    assert asked.via.transport == "TCP"
    bench.take()
    bench.give(Closed(client))
    assert bench.take(WORKER) == ["408 INVITE"]


def test_relays_are_bounded_and_forgotten(bench: Bench) -> None:
    small = Bench(max_calls=1)
    small.accounts(account_of("anna"))
    small.worker(1)
    small.phone("anna")
    for number in range(4):
        dial(small, name=f"n{number}")
    assert not dial(small, name="five")
    assert small.take() == ["503 INVITE"]
    small.wait(80)
    assert small.core.status()["relays"] == 0
