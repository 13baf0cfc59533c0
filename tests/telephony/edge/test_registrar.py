"""REGISTER: who proves to be an account, where its phones are then, and for how long."""

import pytest

from telephony.edge.accounts import Role
from telephony.edge.events import Closed, Hop, Restored
from telephony.edge.message import Response
from tests.telephony.edge.corebench import (
    CALLER,
    STRANGER,
    Bench,
    account_of,
    answer_challenge,
    credentials,
    request,
)

ANNA = Hop("UDP", "203.0.113.1", 5060)
CLIENT = Hop("TCP", "203.0.113.2", 40123)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.accounts(account_of("anna"), account_of("bert"), account_of("boss", role=Role.SUPERVISOR))
    return bench


def challenge(bench: Bench, user: str = "anna", source: Hop = ANNA) -> Response:
    bench.bytes(request("REGISTER", user, source), source)
    bench.take(source)
    asked = bench.last[0]
    assert isinstance(asked, Response)
    return asked


def contacts(bench: Bench) -> list[str]:
    return [contact.uri for contact in bench.told[-1].contacts]


@pytest.mark.parametrize("which", [0, 1])
def test_sha_256_and_md5_are_offered_and_both_are_taken(bench: Bench, which: int) -> None:
    asked = challenge(bench)
    offers = asked.all("WWW-Authenticate")
    assert ["SHA-256" in offers[0], "MD5" in offers[1]] == [True, True]
    assert all('qop="auth"' in offer and "stale" not in offer for offer in offers)
    proof = credentials(asked, "REGISTER", "anna", which=which)
    bench.bytes(request("REGISTER", "anna", ANNA, proof, cseq=2), ANNA)
    assert bench.take() == ["200 REGISTER"]
    assert bench.last[0].get("Contact") == "<sip:anna@203.0.113.1:5060>;expires=300"
    assert contacts(bench) == ["sip:anna@203.0.113.1:5060"]


def test_a_phone_that_stumbles_over_sha_256_is_offered_md5_only(bench: Bench) -> None:
    bench.bytes(request("REGISTER", "anna", ANNA, ("User-Agent", "baresip v1.0.0 (x86_64/linux)")), ANNA)
    bench.take()
    assert [offer.count("algorithm=MD5") for offer in bench.last[0].all("WWW-Authenticate")] == [1]


def test_the_next_count_is_taken_and_a_replay_is_not(bench: Bench) -> None:
    asked = challenge(bench)
    first, second = (credentials(asked, "REGISTER", "anna", nc=nc) for nc in (1, 2))
    for proof, outcome in ((second, "200 REGISTER"), (first, "200 REGISTER"), (second, "401 REGISTER")):
        bench.bytes(request("REGISTER", "anna", ANNA, proof), ANNA)
        assert bench.take() == [outcome]
    assert "stale=true" in bench.last[0].get("WWW-Authenticate")
    assert not bench.counters().get("wrong_credentials")


def test_a_repeated_datagram_gets_the_same_answer(bench: Bench) -> None:
    proof = credentials(challenge(bench), "REGISTER", "anna")
    data = request("REGISTER", "anna", ANNA, proof)
    bench.bytes(data, ANNA)
    bench.bytes(data, ANNA)
    assert bench.take() == ["200 REGISTER"] * 2


def test_an_old_nonce_and_one_of_an_earlier_run_are_stale(bench: Bench) -> None:
    proof = credentials(challenge(bench), "REGISTER", "anna")
    bench.wait(301)
    again = Bench(salt=b"another run")
    again.accounts(account_of("anna"))
    for door in (bench, again):
        door.bytes(request("REGISTER", "anna", ANNA, proof), ANNA)
        assert door.take() == ["401 REGISTER"]
        assert "stale=true" in door.last[0].get("WWW-Authenticate")


@pytest.mark.parametrize(("user", "password"), [("anna", "wrong"), ("nobody", "correct horse"), ("nobody", "wrong")])
def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(bench: Bench, user: str, password: str) -> None:
    proof = credentials(challenge(bench, user), "REGISTER", user, password)
    bench.bytes(request("REGISTER", user, ANNA, proof, name="same"), ANNA)
    assert bench.take() == ["401 REGISTER"]
    refusal = bench.last[0]
    assert [name for name, _ in refusal.headers] == [
        "Via", "From", "To", "Call-ID", "CSeq", "WWW-Authenticate", "WWW-Authenticate", "Content-Length",
    ]  # fmt: skip
    assert "stale" not in refusal.get("WWW-Authenticate")
    assert not bench.told


@pytest.mark.parametrize(
    "change",
    [
        ("qop=auth, ", ""),
        ("qop=auth", "qop=auth-int"),
        ("nc=00000001", "nc=00000000"),
        ('cnonce="cafe"', 'cnonce=""'),
        ('uri="sip:192.0.2.10"', 'uri="sip:elsewhere"'),
        ("algorithm=SHA-256", "algorithm=SHA-512"),
    ],
)
def test_weaker_answers_are_not_taken(bench: Bench, change: tuple[str, str]) -> None:
    header, value = credentials(challenge(bench), "REGISTER", "anna")
    value = value.replace('cnonce="cafe", qop=auth, nc', 'qop=auth, cnonce="cafe", nc')
    assert change[0] in value
    bench.bytes(request("REGISTER", "anna", ANNA, (header, value.replace(*change))), ANNA)
    assert bench.take() == ["401 REGISTER"]
    assert not bench.told


def test_nobody_registers_for_somebody_else(bench: Bench) -> None:
    proof = credentials(challenge(bench, "bert"), "REGISTER", "bert")
    bench.bytes(request("REGISTER", "anna", ANNA, proof), ANNA)
    assert bench.take() == ["403 REGISTER"]
    assert not bench.told


def test_several_phones_are_kept_and_the_oldest_gives_way(bench: Bench) -> None:
    for number in range(1, 8):
        bench.phone("anna", number)
    assert contacts(bench) == [f"sip:anna@203.0.113.{number}:5060" for number in range(3, 8)]


def test_expiry_removal_and_query(bench: Bench) -> None:
    bench.register("anna", ANNA, ("Expires", "60"))
    bench.register("anna", STRANGER, contact="<sip:anna@203.0.113.66:5060>;expires=90")
    bench.bytes(request("REGISTER", "anna", ANNA), ANNA)
    bench.wait(61)
    assert contacts(bench) == ["sip:anna@203.0.113.66:5060"]
    bench.register("anna", STRANGER, ("Expires", "0"))
    assert contacts(bench) == []
    bench.wait(40)
    assert bench.small()


def test_all_contacts_are_removed_by_a_star(bench: Bench) -> None:
    bench.phone("anna", 1)
    bench.phone("anna", 2)
    bench.register("anna", ANNA, ("Expires", "0"), contact="*")
    assert bench.last[0].status == 200
    assert contacts(bench) == []
    bench.register("anna", ANNA, contact="*")
    assert bench.last[0].status == 400, "a star without Expires: 0"


def test_too_short_a_life_is_told(bench: Bench) -> None:
    bench.register("anna", ANNA, ("Expires", "5"))
    assert bench.last[0].status == 423
    assert bench.last[0].get("Min-Expires") == "30"
    bench.register("anna", ANNA, ("Expires", "99999"))
    assert bench.last[0].get("Contact").endswith(";expires=3600")


def test_an_older_register_of_the_same_phone_changes_nothing(bench: Bench) -> None:
    bench.register("anna", ANNA, cseq=7, name="one")
    bench.register("anna", ANNA, ("Expires", "0"), cseq=5, name="one")
    assert bench.last[0].status == 500
    assert contacts(bench) == ["sip:anna@203.0.113.1:5060"]


def test_a_phone_that_comes_back_on_another_port_replaces_itself(bench: Bench) -> None:
    for port in (5060, 5070):
        contact = f'<sip:anna@203.0.113.1:{port}>;+sip.instance="<urn:uuid:1>"'
        bench.register("anna", ANNA._replace(port=port), contact=contact)
    assert contacts(bench) == ["sip:anna@203.0.113.1:5070"]


def test_a_phone_behind_a_nat_is_reached_where_it_came_from(bench: Bench) -> None:
    bench.register("anna", CALLER, contact="<sip:anna@10.0.0.9:5060>;expires=600")
    assert bench.last[0].get("Contact").endswith(";expires=60"), "NATs forget quiet ports"
    assert bench.told[-1].kept[0].hop == CALLER
    assert bench.told[-1].kept[0].nat


def test_a_lost_connection_takes_its_contacts_with_it(bench: Bench) -> None:
    bench.register("anna", CLIENT, contact="<sip:anna@10.0.0.9:5060;transport=tcp>")
    bench.register("bert", CLIENT, contact="<sip:bert@203.0.113.2:5060;transport=tcp>")
    bench.give(Closed(CLIENT))
    assert (bench.told[-1].user, contacts(bench)) == ("anna", []), "bert listens where he said"


def test_what_was_kept_is_known_again(bench: Bench) -> None:
    bench.register("anna", ANNA, ("Expires", "120"))
    bench.register("bert", CLIENT, contact="<sip:bert@10.0.0.9:5060;transport=tcp>")
    kept = tuple(one for told in bench.told for one in told.kept)
    again = Bench()
    again.accounts(account_of("anna"), account_of("bert"))
    again.give(Restored(kept))
    assert {told.user for told in again.told} == {"anna"}, "bert's connection is gone"
    assert 119 < again.told[0].contacts[0].left_s <= 120
    again.wait(121)
    assert contacts(again) == []


def test_an_extension_that_is_required_and_not_known_is_named(bench: Bench) -> None:
    bench.bytes(request("REGISTER", "anna", ANNA, ("Require", "outbound")), ANNA)
    assert bench.take() == ["420 REGISTER"]
    assert bench.last[0].get("Unsupported") == "outbound"


def test_an_account_that_is_no_more_has_no_phone(bench: Bench) -> None:
    bench.phone("anna")
    bench.accounts(account_of("bert"))
    assert (bench.told[-1].user, contacts(bench)) == ("anna", [])


def test_a_third_machine_is_never_a_target(bench: Bench) -> None:
    bench.register("anna", ANNA, contact="<sip:anna@198.51.100.99:5060>")
    assert bench.told[-1].kept[0].nat, "calls go to where the phone is, not to where it points"


def test_challenges_cost_no_memory(bench: Bench) -> None:
    for number in range(50):
        answer_challenge(bench, "REGISTER", f"user{number}", ANNA, password="guess")
    assert bench.core.status()["transactions"] == 0
