"""Calls by trunks: who may call what, how the door proves itself, and what ends a call that costs too much."""

import ipaddress
from dataclasses import replace

import pytest

from telephony.edge.accounts import digest_of
from telephony.edge.dialplan import DialPlan, Rule, Trunk, number_of
from telephony.edge.digest import fits, read_answer
from telephony.edge.events import CallsOutBefore, Hop, Spent, SpentBefore, TrunkAt
from telephony.edge.message import Request, Response
from tests.telephony.edge.corebench import (
    Bench,
    account_of,
    answer_challenge,
    in_dialog,
    invite,
    request,
    say,
    worker_hop,
)

WORKER = worker_hop(1)
CARRIER = Hop("UDP", "198.51.100.200", 5060)
NETWORKS = (ipaddress.IPv4Network("198.51.100.192/26"),)
TRUNK = Trunk("carrier", NETWORKS, "sip.carrier.example", 5060, "UDP", "hotline", "s3cret", "+4930")


def bench_with(*rules: Rule, trunk: Trunk = TRUNK) -> Bench:
    bench = Bench(plan=DialPlan((trunk,), rules, wall_at_zero=86400.0 * 20_000 - 100))
    bench.accounts(account_of("anna"), account_of("bert"))
    bench.worker(1)
    bench.give(TrunkAt("carrier", CARRIER.host))
    return bench


def dial(bench: Bench, number: str, name: str = "leg") -> Request | None:
    bench.sent = []
    bench.bytes(request("INVITE", "hotline", WORKER, ("X-Hotline-Call", "17"), to=number, name=name), WORKER)
    asked = [message for hop, message in bench.sent if hop == CARRIER and isinstance(message, Request)]
    return asked[0] if asked else None


def up(bench: Bench, number: str = "0123", name: str = "leg") -> Response:
    asked = dial(bench, number, name)
    assert asked
    say(bench, asked, 200, CARRIER)
    ok = bench.sent[-1][1]
    assert isinstance(ok, Response)
    assert ok.status == 200
    bench.sent = []
    return ok


def refused(bench: Bench) -> tuple[int, str]:
    bench.take(WORKER)
    last = bench.last[-1]
    assert isinstance(last, Response)
    return last.status, last.get("Reason")


def test_a_rule_rewrites_the_number_and_the_trunk_learns_nothing_of_the_house() -> None:
    asked = dial(bench_with(Rule("de", "0", 1, "+49", "carrier")), "030-123%234")
    assert asked
    assert asked.uri == "sip:+4930123%234@sip.carrier.example:5060"
    assert asked.get("From") == "<sip:+4930@sip.carrier.example>;tag=fhotline"
    assert not [name for name, _ in asked.headers if name.startswith("X-Hotline")]


@pytest.mark.parametrize(
    ("number", "rules", "goes"),
    [
        ("0123", (), False),
        ("0123", (Rule("a", "1", trunk="carrier"),), False),
        ("0900", (Rule("dear", "0900"), Rule("all", "0", trunk="carrier")), False),
        ("0901", (Rule("dear", "0900"), Rule("all", "0", trunk="carrier")), True),
        ("0123", (Rule("a", "0", trunk="carrier", who=frozenset(("agents",))),), False),
        ("0123", (Rule("a", "0", trunk="nowhere"),), False),
    ],
)
def test_nothing_goes_out_unless_the_first_fitting_rule_allows_it(number: str, rules: tuple, goes: bool) -> None:
    bench = bench_with(*rules)
    assert bool(dial(bench, number)) is goes
    if not goes:
        assert refused(bench) == (403, 'SIP;cause=403;text="no rule allows this number"')


def test_accounts_call_out_by_name_and_role() -> None:
    bench = bench_with(Rule("anna", "0", trunk="carrier", who=frozenset(("anna",))))
    for user, status in (("anna", 100), ("bert", 403)):
        answer_challenge(bench, "INVITE", user, Hop("UDP", "203.0.113.7", 5060), to="0123", name=user)
        assert bench.last[-1].status == status


def test_a_number_is_read_through_its_separators() -> None:
    assert number_of("+49 (30) 12-34.5") == "+4930 12345".replace(" ", "")
    assert number_of("0123;phone-context=+49") == "0123"
    assert [number_of(text) for text in ("anna", "", "0" * 40, "12a")] == [""] * 4


def test_rate_and_concurrency_are_held() -> None:
    bench = bench_with(Rule("a", "0", trunk="carrier", rate=3, concurrency=2))
    for name in "ab":
        assert dial(bench, "0123", name)
    assert not dial(bench, "0123", "c")
    assert refused(bench) == (503, 'SIP;cause=503;text="too many calls at once"')
    bench.wait(7)
    assert dial(bench, "0123", "d")
    bench.wait(7)
    assert not dial(bench, "0123", "e")
    assert refused(bench)[1] == 'SIP;cause=503;text="too many calls a minute"'
    bench.wait(60)
    assert dial(bench, "0123", "f")


def test_the_longest_call_ends_with_bye_both_ways() -> None:
    bench = bench_with(Rule("a", "0", trunk="carrier", max_duration_s=90))
    ok = up(bench)
    bench.bytes(in_dialog(ok, "INFO", 5), WORKER)
    bench.wait(85)
    assert "BYE" not in bench.take()
    bench.wait(5.1)
    byes = {hop: message for hop, message in bench.sent if isinstance(message, Request) and message.method == "BYE"}
    assert set(byes) == {CARRIER, WORKER}
    assert byes[CARRIER].cseq == 6
    assert byes[CARRIER].uri == "sip:anna@198.51.100.200:5060"
    assert bench.core.status()["relays"] == 0


def test_the_days_money_ends_calls_and_refuses_more_until_tomorrow() -> None:
    bench = bench_with(Rule("a", "0", trunk="carrier", price=0.5, daily_cost=1.2))
    up(bench)
    bench.wait(61)
    assert not dial(bench, "0123", "more")
    assert refused(bench) == (403, 'SIP;cause=403;text="the day\'s money is spent"')
    bench.wait(60)
    assert {hop for hop, message in bench.sent if getattr(message, "method", "") == "BYE"} == {CARRIER, WORKER}
    assert bench.core.status()["spent"] == {"a": 1.0}
    bench.wait(86400)
    assert dial(bench, "0123", "tomorrow")


def test_calls_that_ring_hold_their_first_minute_back() -> None:
    bench = bench_with(Rule("a", "0", trunk="carrier", price=0.5, daily_cost=1.2))
    first = dial(bench, "0123", "one")
    assert first
    assert dial(bench, "0123", "two")
    assert not dial(bench, "0123", "three")
    assert refused(bench)[0] == 403
    say(bench, first, 486, CARRIER)
    assert dial(bench, "0123", "four"), "a call that came to nothing costs nothing"


def test_money_spent_before_a_restart_is_remembered() -> None:
    bench = bench_with(Rule("a", "0", trunk="carrier", price=0.5, daily_cost=1.2))
    spent: list[Spent] = []
    give = bench.core.step
    bench.core.step = lambda event, now: [  # type: ignore[method-assign]
        action for action in give(event, now) if not (isinstance(action, Spent) and not spent.append(action))
    ]
    up(bench)
    assert (spent[0].day, spent[0].amounts) == (20_000, {"a": 0.5})
    again = bench_with(Rule("a", "0", trunk="carrier", price=0.5, daily_cost=1.2))
    again.give(SpentBefore(20_000, {"a": 1.0}))
    assert not dial(again, "0123")


def test_a_door_started_again_ends_the_calls_of_the_one_before() -> None:
    rule = Rule("a", "0", trunk="carrier", max_duration_s=90, price=0.5, daily_cost=5.0)
    bench = bench_with(rule)
    ok = up(bench)
    (kept,) = bench.calls_out
    assert kept.left_s == 90
    again = bench_with(rule)
    again.give(CallsOutBefore((replace(kept, left_s=80.0),)))
    again.bytes(in_dialog(ok, "INFO", 5), WORKER)
    again.take()
    again.wait(79)
    assert again.core.status()["spent"] == {"a": 1.0}
    again.wait(2)
    byes = {hop: message for hop, message in again.sent if isinstance(message, Request) and message.method == "BYE"}
    assert set(byes) == {CARRIER, WORKER}
    assert byes[CARRIER].cseq > 1000
    assert byes[CARRIER].to_tag == ok.to_tag
    assert again.calls_out == ()


@pytest.mark.parametrize(
    ("status", "asks", "answers", "challenge"),
    [
        (401, "WWW-Authenticate", "Authorization", 'Digest realm="c", nonce="n", algorithm=MD5, qop="auth,auth-int"'),
        (
            407,
            "Proxy-Authenticate",
            "Proxy-Authorization",
            'Digest realm="c", nonce="n", algorithm=SHA-256, qop="auth"',
        ),
        (407, "Proxy-Authenticate", "Proxy-Authorization", 'Digest realm="c", nonce="n", opaque="o"'),
    ],
)
def test_a_challenge_is_answered_and_the_dialog_keeps_its_own_numbers(status, asks, answers, challenge) -> None:
    bench = bench_with(Rule("a", "0", trunk="carrier"))
    first = dial(bench, "0123")
    assert first
    bench.sent = []
    unknown = (asks, 'Digest realm="c", nonce="n", algorithm=SHA-512-256, qop="auth"')
    say(bench, first, status, CARRIER, "phone", unknown, (asks, challenge))
    assert bench.take(CARRIER) == ["ACK", "INVITE"]
    second = bench.last[1]
    assert isinstance(second, Request)
    assert second.cseq == 2
    proof = second.get(answers)
    answer = read_answer(proof)
    assert answer
    assert answer.algorithm
    if "qop" in challenge:
        ha1 = digest_of(answer.algorithm, "hotline", "c", "s3cret")
        wanted = read_answer(proof.replace('realm="c"', 'realm="hotline"'))
        assert wanted
        assert fits(wanted, ha1, "INVITE", second.uri)
    else:
        assert 'opaque="o"' in proof
    say(bench, second, 180, CARRIER)
    say(bench, second, 200, CARRIER)
    bench.take(WORKER)
    assert [message.cseq for message in bench.last] == [1, 1]
    ok = bench.last[-1]
    bench.bytes(in_dialog(ok, "ACK", 1), WORKER)
    assert bench.take(CARRIER) == ["ACK"]
    assert bench.last[0].cseq == 2
    again = bench_with()
    again.bytes(in_dialog(ok, "BYE", 2), WORKER)
    assert again.take(CARRIER) == ["BYE"]
    assert again.last[0].cseq == 3, "a door started again still counts as the trunk does"
    bench.bytes(in_dialog(ok, "BYE", 9, callee=True), CARRIER)
    assert bench.take(WORKER) == ["BYE"]
    assert bench.last[0].cseq == 9


def test_a_trunk_that_does_not_take_the_password_is_told_as_out_of_service() -> None:
    bench = bench_with(Rule("a", "0", trunk="carrier"))
    asked = dial(bench, "0123")
    challenge = ("WWW-Authenticate", 'Digest realm="c", nonce="n", algorithm=MD5, qop="auth"')
    for _ in range(2):
        assert asked
        bench.sent = []
        say(bench, asked, 401, CARRIER, "phone", challenge)
        asked = next((message for _, message in bench.sent if getattr(message, "method", "") == "INVITE"), None)
    assert bench.take(WORKER) == ["503 INVITE"]
    assert not bench.last[0].get("WWW-Authenticate")
    assert bench.counters()["trunk_refuses_password"] == 1


def test_a_bye_that_the_trunk_challenges_is_sent_again() -> None:
    bench = bench_with(Rule("a", "0", trunk="carrier"))
    ok = up(bench)
    bench.bytes(in_dialog(ok, "BYE", 2), WORKER)
    assert bench.take(CARRIER) == ["BYE"]
    say(bench, bench.last[0], 407, CARRIER, "x", ("Proxy-Authenticate", 'Digest realm="c", nonce="n", qop="auth"'))
    assert bench.take() == ["BYE"]
    assert bench.last[0].cseq == 3
    say(bench, bench.last[0], 200, CARRIER)
    assert bench.take(WORKER) == ["200 BYE"]
    assert bench.last[0].cseq == 2


def test_a_trunks_calls_are_callers_whatever_name_they_bear() -> None:
    bench = bench_with()
    moved = Hop("UDP", "203.0.113.200", 5060)
    for name, source in (("a", CARRIER), ("b", moved)):
        bench.give(TrunkAt("carrier", source.host))
        bench.bytes(invite(name).replace(b"sip:caller@example.com", b"sip:anna@192.0.2.10"), source)
        assert bench.take(source) == ["100 INVITE"]


def test_a_trunk_whose_name_is_not_resolved_is_out_of_service() -> None:
    bench = Bench(plan=DialPlan((TRUNK,), (Rule("a", "0", trunk="carrier"),)))
    bench.worker(1)
    assert not dial(bench, "0123")
    assert refused(bench)[0] == 503
