"""The contract of a front door, held by both: accounts register, and who may reach whom."""

from collections.abc import Callable

import pytest

from telephony.edge.message import Request, Response, encode
from tests.doors.account import AccountPhone

pytestmark = pytest.mark.net


@pytest.fixture
async def account(stage) -> Callable:
    """Makes a phone of an account at the door that is open."""

    async def make(user: str, **options) -> AccountPhone:
        phone = AccountPhone(stage.door.sip, user, **options)
        await phone.open()
        stage.ends.append(phone)
        return phone

    return make


async def test_a_phone_registers_with_its_password(stage, account) -> None:
    door = await stage.open("anna")
    phone = await account("anna")
    first = await phone.answer_to(phone.make("REGISTER", phone.contact()))
    assert first.status == 401
    assert 'realm="hotline"' in first.get("WWW-Authenticate")
    assert "qop=" in first.get("WWW-Authenticate")
    ok = await phone.register()
    assert ok.status == 200
    assert ok.get("Contact").startswith(phone.contact()[1])
    await door.until("contacts", 1)
    assert (await phone.register(expires=0)).status == 200
    await door.until("contacts", 0)


async def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(stage, account) -> None:
    door = await stage.open("anna")
    answers = []
    for user, password in (("anna", "wrong"), ("nobody", "correct horse")):
        phone = await account(user, password=password)
        refused = await phone.register()
        assert "stale" not in refused.get("WWW-Authenticate").lower()
        answers.append((refused.status, refused.reason, [name for name, _ in refused.headers]))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert (await door.status())["contacts"] == 0


async def test_a_replayed_proof_is_stale(stage, account) -> None:
    await stage.open("anna")
    phone, thief = await account("anna"), await account("anna")
    asked = await phone.answer_to(phone.make("REGISTER", phone.contact()))
    proof = phone.proof(asked, "REGISTER")
    assert (await phone.answer_to(phone.make("REGISTER", proof, phone.contact()))).status == 200
    again = await thief.answer_to(thief.make("REGISTER", proof, thief.contact()))
    assert again.status == 401
    assert "stale=true" in again.get("WWW-Authenticate").lower()
    assert (
        await phone.answer_to(phone.make("REGISTER", phone.proof(asked, "REGISTER"), phone.contact()))
    ).status == 200


async def test_weak_and_doubled_credentials_are_not_taken(stage, account) -> None:
    door = await stage.open("anna", "bert")
    phone = await account("bert")
    asked = await phone.answer_to(phone.make("REGISTER", phone.contact()))
    name, good = phone.proof(asked, "REGISTER")
    for bad in (good.replace("qop=auth, ", "").replace(", nc=00000001", ""), good.replace('uri="sip:', 'uri="sip:x@')):
        assert (await phone.answer_to(phone.make("REGISTER", (name, bad), phone.contact()))).status == 401
    # The answer is right for bert's password; the header that comes with it names anna.
    anna = phone.proof(asked, "REGISTER")[1].replace('username="bert"', 'username="anna"')
    other = 'Digest username="bert", realm="x", nonce="n", uri="sip:x", response="0"'
    for headers in ((("Authorization", other), (name, anna)), ((name, anna), ("Authorization", other))):
        data = phone.make("REGISTER", *headers, phone.contact())
        assert (await phone.answer_to(data.replace(b"<sip:bert@", b"<sip:anna@"))).status == 401
    assert (await door.status())["contacts"] == 0


async def test_nobody_registers_for_another(stage, account) -> None:
    door = await stage.open("anna", "bert")
    phone = await account("bert")
    asked = await phone.answer_to(phone.make("REGISTER", phone.contact()))
    data = phone.make("REGISTER", phone.proof(asked, "REGISTER"), phone.contact())
    assert (await phone.answer_to(data.replace(b"To: <sip:bert@", b"To: <sip:anna@"))).status == 403
    assert (await door.status())["contacts"] == 0


async def test_a_worker_rings_an_agent_and_both_ends_can_hang_up(stage, account) -> None:
    door = await stage.open("anna")
    worker, phone = await stage.worker(200), await account("anna")
    assert (await phone.register()).status == 200
    await door.until("idle", 1)
    for who in ("worker", "phone"):
        ok = await dial(worker, door, "anna", who, ("X-Hotline-Call", "17"))
        asked = await phone.wait(
            lambda m, who=who: isinstance(m, Request) and m.method == "INVITE" and who in m.call_id
        )
        assert isinstance(asked, Request)
        assert asked.get("X-Hotline-Call") == "17"
        worker.send(in_call(worker, ok, "ACK", 1), door.sip)
        await phone.wait(lambda m, who=who: isinstance(m, Request) and m.method == "ACK" and who in m.call_id)
        if who == "worker":
            worker.send(in_call(worker, ok, "BYE", 2), door.sip)
            await worker.response(200, "BYE", ok.call_id)
            await phone.request("BYE")
        else:
            phone.send(from_phone(phone, asked, "BYE"), door.sip)
            await phone.response(200, "BYE", ok.call_id)
            await worker.request("BYE")
    await door.until("relays", 0)


async def test_a_phone_behind_a_nat_is_reached_also_through_a_door_started_again(stage, account) -> None:
    door = await stage.open("anna")
    worker, phone = await stage.worker(200), await account("anna", behind="10.1.2.3:5060")
    await phone.register()
    await door.until("contacts", 1)
    await door.until("idle", 1)
    ok = await dial(worker, door, "anna", "first")
    worker.send(in_call(worker, ok, "ACK", 1), door.sip)
    assert (await phone.request("ACK")).uri == "sip:anna@10.1.2.3:5060"
    await again(door)
    later = await stage.worker(200)
    await door.until("idle", 1)
    worker.send(in_call(worker, ok, "BYE", 2), door.sip)
    await phone.request("BYE")
    await door.until("contacts", 1)
    assert (await dial(later, door, "anna", "second")).to_tag == phone.tag


async def again(door) -> None:
    """Kills the door and starts it again on the same port."""
    door.process.kill()
    await door.process.wait()
    door.config.write_text(door.config.read_text().replace("port = 0", f"port = {door.sip[1]}"))
    await door.start()


async def test_all_phones_of_an_agent_ring_and_the_first_to_answer_wins(stage, account) -> None:
    door = await stage.open("anna")
    worker = await stage.worker(200)
    ringing, answering = await account("anna", answers=(180,)), await account("anna")
    await ringing.register()
    await answering.register()
    await door.until("contacts", 2)
    await door.until("idle", 1)
    ok = await dial(worker, door, "anna", "both")
    assert ok.to_tag == answering.tag
    await ringing.request("CANCEL")


async def test_who_has_no_phone_and_who_does_not_exist(stage) -> None:
    door = await stage.open("anna")
    worker = await stage.worker(200)
    await door.until("idle", 1)
    for user, status in (("anna", 480), ("nobody", 404)):
        worker.send(from_worker(worker, door, user, user), door.sip)
        await worker.response(status, "INVITE", f"{user}@worker")


async def test_a_cancelled_call_stops_ringing(stage, account) -> None:
    door = await stage.open("anna")
    worker, phone = await stage.worker(200), await account("anna", answers=(180,))
    await phone.register()
    await door.until("idle", 1)
    data = from_worker(worker, door, "anna", "cancelled")
    worker.send(data, door.sip)
    await worker.response(180, "INVITE", "cancelled@worker")
    worker.send(data.replace(b"INVITE sip", b"CANCEL sip").replace(b"1 INVITE", b"1 CANCEL"), door.sip)
    await worker.response(487, "INVITE", "cancelled@worker")
    await phone.request("CANCEL")


@pytest.mark.parametrize("answers", [(180,), (180, 200)], ids=["ringing", "talking"])
async def test_the_phone_of_a_lost_worker_is_hung_up(stage, account, answers) -> None:
    door = await stage.open("anna")
    worker, phone = await stage.worker(200), await account("anna", answers=answers)
    await phone.register()
    await door.until("idle", 1)
    worker.send(from_worker(worker, door, "anna", "lost"), door.sip)
    await worker.response(answers[-1], "INVITE", "lost@worker")
    if answers[-1] == 200:
        (ok,) = [m for m in worker.seen if isinstance(m, Response) and m.status == 200]
        worker.send(in_call(worker, ok, "ACK", 1), door.sip)
        await phone.request("ACK")
    worker.die()
    ended = await phone.request("BYE" if answers[-1] == 200 else "CANCEL")
    if ended.method == "BYE":
        assert "worker lost" in ended.get("Reason")


async def test_agents_call_each_other_with_a_proof(stage, account) -> None:
    door = await stage.open("anna", "bert")
    anna, bert = await account("anna"), await account("bert")
    await bert.register()
    _, ok = await anna.call("bert", ("X-Hotline-User", "boss"))
    assert ok.status == 200
    asked = await bert.request("INVITE")
    assert not asked.get("Proxy-Authorization")
    assert not asked.get("X-Hotline-User")
    anna.send(in_call(anna, ok, "ACK", ok.cseq), door.sip)
    await bert.request("ACK")
    anna.send(in_call(anna, ok, "BYE", 10), door.sip)
    await bert.request("BYE")
    await door.until("relays", 0)


async def test_a_stranger_reaches_no_agent(stage, account) -> None:
    """Not by the name of an agent, not by a wrong password; who only asks for an agent reaches the hotline."""
    door = await stage.open("anna", "bert")
    worker, bert = await stage.worker(200), await account("bert")
    await bert.register()
    await door.until("idle", 1)
    guesser = await account("anna", password="guess")
    assert (await guesser.call("bert"))[1].status == 407
    phone = await stage.phone()
    phone.ask("INVITE", uri=f"sip:bert@{door.sip[0]}:{door.sip[1]}")
    await phone.response(200, "INVITE")
    assert worker.invite is not None
    assert [m for m in bert.seen if isinstance(m, Request)] == []


async def test_a_phone_of_this_house_is_asked_by_whatever_domain_it_names_itself(stage, account) -> None:
    await stage.open("anna")
    anna = await account("anna")
    await anna.register()
    data = anna.make("INVITE", anna.contact(), to="*45")
    data = data.replace(b"From: <sip:anna@127.0.0.1>", b"From: <sip:anna@elsewhere.example>")
    assert (await anna.answer_to(data)).status == 407


async def test_an_agent_calls_a_star_code_and_is_named_to_the_worker(stage, account) -> None:
    door = await stage.open("anna")
    worker, anna = await stage.worker(200), await account("anna")
    await door.until("idle", 1)
    _, ok = await anna.call("*45", ("X-Hotline-User", "boss"))
    assert ok.status == 200
    assert worker.invite is not None
    assert worker.invite.all("X-Hotline-User") == ["anna"]
    assert not worker.invite.get("Proxy-Authorization")


async def test_nobody_calls_in_the_name_of_another(stage, account) -> None:
    door = await stage.open("anna", "bert")
    anna = await account("anna")
    asked = await anna.answer_to(anna.make("INVITE", anna.contact(), to="*45"))
    assert asked.status == 407
    data = anna.make("INVITE", anna.proof(asked, "INVITE", "*45"), anna.contact(), to="*45", sender="bert")
    assert (await anna.answer_to(data)).status == 403
    assert (await door.status())["calls"] == 0


async def test_guessers_are_met_with_silence(stage, account) -> None:
    guard = '[telephony.guard]\nfailures = 3\ntrusted = ["192.0.2.0/24"]\n'
    await stage.open("anna", "bert", tables=guard)
    guesser = await account("anna", password="guess")
    for _ in range(3):
        guesser.count = 0
        asked = await guesser.answer_to(guesser.make("REGISTER", guesser.contact()))
        assert asked.status == 401
        guesser.send(guesser.make("REGISTER", guesser.proof(asked, "REGISTER"), guesser.contact()), guesser.door)
        await guesser.wait(lambda m: isinstance(m, Response) and m.cseq == guesser.cseq)
    seen = len(guesser.seen)
    for _ in range(3):
        guesser.send(guesser.make("OPTIONS"), guesser.door)
    async with stage.quiet_door():
        assert len(guesser.seen) == seen


async def test_strangers_get_no_answer_where_callers_are_named(stage) -> None:
    door = await stage.open(callers='["198.51.100.0/24"]', tables='[telephony.guard]\ntrusted = ["192.0.2.0/24"]\n')
    worker = await stage.worker(200)
    await door.until("idle", 1)
    phone = await stage.phone()
    for method in ("OPTIONS", "INVITE", "REGISTER"):
        phone.ask(method)
    async with stage.quiet_door():
        assert phone.seen == []
    assert worker.invite is None


async def test_phones_are_still_known_after_the_door_was_killed(stage, account) -> None:
    door = await stage.open("anna")
    phone = await account("anna")
    await phone.register()
    await door.until("contacts", 1)
    await again(door)
    await door.until("contacts", 1)
    worker = await stage.worker(200)
    await door.until("idle", 1)
    ok = await dial(worker, door, "anna", "after")
    assert ok.to_tag == phone.tag


def from_worker(worker, door, user: str, name: str, *extra: tuple[str, str]) -> bytes:
    """A worker's INVITE for an agent."""
    headers = [
        ("Via", f"SIP/2.0/UDP {worker.address[0]}:{worker.address[1]};branch=z9hG4bK{name};rport"),
        ("From", "<sip:hotline@127.0.0.1>;tag=leg"), ("To", f"<sip:{user}@{door.sip[0]}>"),
        ("Call-ID", f"{name}@worker"), ("CSeq", "1 INVITE"), ("Max-Forwards", "70"), worker.contact(), *extra,
    ]  # fmt: skip
    return encode(f"INVITE sip:{user}@{door.sip[0]}:{door.sip[1]} SIP/2.0", headers)


async def dial(worker, door, user: str, name: str, *extra: tuple[str, str]) -> Response:
    """A worker calls an agent; gives the 200."""
    worker.send(from_worker(worker, door, user, name, *extra), door.sip)
    return await worker.response(200, "INVITE", f"{name}@worker")


def in_call(worker, ok: Response, method: str, cseq: int) -> bytes:
    """A worker's request inside the dialog that it made."""
    mark = f"z9hG4bK{method}{ok.call_id.partition('@')[0]}"
    headers = [
        ("Via", f"SIP/2.0/UDP {worker.address[0]}:{worker.address[1]};branch={mark};rport"),
        *(("Route", value) for value in reversed(ok.all("Record-Route"))),
        ("From", ok.get("From")), ("To", ok.get("To")), ("Call-ID", ok.call_id), ("CSeq", f"{cseq} {method}"),
        ("Max-Forwards", "70"),
    ]  # fmt: skip
    return encode(f"{method} {ok.get('Contact').strip('<>')} SIP/2.0", headers)


def from_phone(phone, asked: Request, method: str) -> bytes:
    """The called phone's request inside the dialog."""
    mark = f"z9hG4bKcallee{asked.call_id.partition('@')[0]}"
    headers = [
        ("Via", f"SIP/2.0/UDP {phone.address[0]}:{phone.address[1]};branch={mark};rport"),
        *(("Route", value) for value in asked.all("Record-Route")),
        ("From", f"{asked.get('To')};tag={phone.tag}"), ("To", asked.get("From")), ("Call-ID", asked.call_id),
        ("CSeq", f"5 {method}"), ("Max-Forwards", "70"),
    ]  # fmt: skip
    return encode(f"{method} {asked.get('Contact').strip('<>')} SIP/2.0", headers)
