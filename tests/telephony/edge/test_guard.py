"""Who is answered at all: floods, guesses, strangers."""

import ipaddress

import pytest

from telephony.edge.events import Hop
from telephony.edge.guard import MAX_ADDRESSES, Guard, GuardSettings
from telephony.edge.message import Request
from tests.telephony.edge.corebench import (
    CALLER,
    STRANGER,
    Bench,
    account_of,
    answer_challenge,
    in_dialog,
    invite,
    request,
    worker_hop,
)

ANNA = Hop("UDP", "203.0.113.1", 5060)
HERE = (ipaddress.IPv4Network("198.51.100.0/24"),)


def guarded(**settings: object) -> Bench:
    bench = Bench(guard=GuardSettings(**settings))  # type: ignore[arg-type]
    bench.accounts(account_of("anna"), account_of("bert"))
    bench.worker(1)
    bench.take()
    return bench


def guess(bench: Bench, user: str, source: Hop, password: str = "guess") -> list[int]:
    answer_challenge(bench, "REGISTER", user, source, password=password)
    return [message.status for message in bench.last]  # type: ignore[union-attr]


def test_a_guessing_address_is_met_with_silence_until_its_ban_ends() -> None:
    bench = guarded(failures=3, ban_s=100.0)
    for number in range(3):
        guess(bench, f"user{number}", STRANGER)
    assert guess(bench, "anna", STRANGER, "correct horse") == []
    bench.bytes(invite(), STRANGER)
    bench.bytes(request("OPTIONS", "x", STRANGER), STRANGER)
    assert bench.take() == [], "not even calls and OPTIONS"
    assert bench.core.status()["guard"]["addresses"] == [STRANGER.host]
    bench.wait(101)
    assert guess(bench, "anna", STRANGER, "correct horse") == [200]


def test_a_user_guessed_from_many_addresses_is_banned_but_not_where_it_has_proved_itself() -> None:
    bench = guarded(failures=4)
    bench.phone("anna")
    for number in range(4):
        guess(bench, "anna", Hop("UDP", f"192.0.2.{number + 50}", 5060))
    assert bench.core.status()["guard"]["users"] == ["anna"]
    assert guess(bench, "anna", Hop("UDP", "192.0.2.99", 5060), "correct horse") == [], "asked, but not heard"
    assert guess(bench, "anna", ANNA, "correct horse") == [200]


def test_an_unknown_user_is_banned_as_one_that_exists() -> None:
    bench = guarded(failures=2)
    for user in ("anna", "nobody"):
        said = [guess(bench, user, Hop("UDP", f"192.0.2.{number + 50}", 5060)) for number in range(4)]
        assert said == [[401], [401], [], []], user
    assert set(bench.core.status()["guard"]["users"]) == {"anna", "nobody"}


def test_a_sweep_that_never_answers_a_challenge_is_banned() -> None:
    bench = guarded(failures=5)
    said = []
    for number in range(40):
        bench.bytes(request("REGISTER", str(100 + number), STRANGER), STRANGER)
        said.append(len(bench.take()))
    assert said == [1] * 20 + [0] * 20


def test_a_right_password_forgives_what_went_wrong_before() -> None:
    bench = guarded(failures=3)
    for number in range(6):
        assert guess(bench, f"user{number}", ANNA) == [401]
        assert guess(bench, "anna", ANNA, "correct horse") == [200]


def test_a_ban_does_not_end_a_call_that_is_up() -> None:
    bench = guarded(failures=2)
    bert = bench.phone("bert", 2)
    answer_challenge(bench, "INVITE", "bert", bert, to="hotline", name="call")
    (asked,) = [message for hop, message in bench.sent if hop == worker_hop(1)]
    assert isinstance(asked, Request)
    from tests.telephony.edge.corebench import answer  # noqa: PLC0415

    bench.bytes(answer(asked, 200), worker_hop(1))
    bench.take(bert)
    ok = bench.last[-1]
    for _ in range(3):
        guess(bench, "anna", bert)
    assert bench.core.status()["guard"]["addresses"] == [bert.host]
    bench.bytes(in_dialog(ok, "BYE", 9), bert)
    assert bench.take(worker_hop(1)) == ["BYE"]


def test_strangers_get_silence_where_callers_are_listed() -> None:
    bench = guarded(callers=HERE)
    bench.bytes(invite(), STRANGER)
    bench.bytes(request("REGISTER", "anna", STRANGER), STRANGER)
    bench.bytes(request("CANCEL", "anna", STRANGER), STRANGER)
    bench.bytes(
        request("BYE", "anna", STRANGER).replace(b"To: <sip:anna@192.0.2.10>", b"To: <sip:x@y>;tag=z"), STRANGER
    )
    bench.bytes(invite("x").replace(b"Max-Forwards: 70", b"Max-Forwards: soon"), STRANGER)
    bench.bytes(invite("y").replace(b"Max-Forwards: 70", b"Max-Forwards: 0"), STRANGER)
    assert bench.take() == []
    assert bench.counters()["unwelcome"] == 6
    bench.bytes(invite(), CALLER)
    assert bench.take(CALLER) == ["100 INVITE"]


def test_a_flood_is_not_read_until_it_has_been_over_for_a_while() -> None:
    bench = guarded(rate=10.0, burst=20.0)
    heard = [bench.core.admits(STRANGER, 100.0 + number / 100) for number in range(300)]
    assert 20 <= sum(heard) <= 25
    assert not bench.core.admits(STRANGER, 104.0), "it had not stopped for long enough"
    assert bench.core.admits(STRANGER, 125.0)
    assert bench.core.admits(CALLER, 102.0), "others are heard"
    assert all(bench.core.admits(worker_hop(1), 102.0) for _ in range(100)), "workers always"


@pytest.mark.parametrize("trusted", [True, False])
def test_trusted_addresses_are_never_limited(trusted: bool) -> None:
    guard = Guard(GuardSettings(rate=1.0, burst=2.0, failures=1, trusted=HERE if trusted else ()))
    guard.failed("anna", CALLER.host, 1.0)
    assert all(guard.admits(CALLER.host, 1.0) for _ in range(10)) is trusted
    assert guard.welcomes(CALLER.host, 1.0) is trusted


def test_the_tables_are_bounded() -> None:
    guard = Guard(GuardSettings(rate=1.0, burst=2.0, failures=1))
    guard.failed("anna", "9.9.9.9", 0.0)
    for number in range(MAX_ADDRESSES + 100):
        guard.admits(str(ipaddress.IPv4Address(number)), 1.0)
    assert len(guard._sources) == MAX_ADDRESSES
    assert not guard.welcomes("9.9.9.9", 1.0), "a ban is not flushed out by a flood of addresses"


def test_with_domains_a_name_that_exists_is_asked_as_one_that_does_not() -> None:
    from telephony.edge.desk import Place  # noqa: PLC0415

    bench = Bench(place=Place("192.0.2.10", "127.0.0.1", 5060, domains=frozenset(("sip.example.org",))))
    bench.accounts(account_of("anna"))
    bench.worker(1)
    for user in ("anna", "nobody"):
        data = request("INVITE", user, STRANGER, to="hotline").replace(b"@192.0.2.10>;tag", b"@sip.example.org>;tag")
        bench.bytes(data, STRANGER)
        assert bench.take() == ["407 INVITE"]
