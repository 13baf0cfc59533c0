"""The whole way to a person: registered phones, the flow's queue step, control, the agent's phone, supervision."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ivr.accounts import Role, hash_pin, new_account
from ivr.bus import Bus
from ivr.busaddress import read_address
from ivr.config import load
from ivr.store.accounts import Accounts
from ivr.store.store import Store
from tests.net.hotline import Archived, Hotline, settings, start, stop, wait_for
from tests.people.conftest import Party, tones_in

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]
FLOW = """flow = "quick"
start = "wait"
[step.wait]
type = "queue"
queue = "cards"
skills = { cards = 2 }
context = { card = "gold" }
on.no_agents = { prompt = "Nobody.", next = "bye" }
next = "bye"
[step.bye]
type = "hangup"
prompt = "Goodbye."
"""
ROLES = {"anna": Role.AGENT, "ben": Role.AGENT, "boss": Role.SUPERVISOR}
QUEUES = """
[queues.cards]
joinempty = "strict"
ring_timeout = "10s"
wrapuptime = "30s"
"""


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotline]:
    """A hotline with one queue."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "flows").mkdir()
    (folder / "flows/quick.toml").write_text(FLOW)
    config = folder / "config.toml"
    config.write_text(settings(folder / "var", rtp=33000, flows=folder / "flows", more=QUEUES))
    hotline = start(config, folder / "var")
    yield hotline
    assert stop(hotline) == 0
    assert "Traceback" not in hotline.log()


@pytest.fixture(scope="module")
def everybody(hotline: Hotline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Party]]:
    """The phones, registered where they have an account."""
    folder = tmp_path_factory.mktemp("phones")
    phones = {name: Party(name, folder) for name in ("caller", *ROLES)}
    asyncio.run(add_accounts(hotline))
    for name in ROLES:
        wait_for(lambda phone=phones[name], name=name: registers(hotline, phone, name))
    yield phones
    for phone in phones.values():
        phone.end()


@pytest.fixture
def phone(hotline: Hotline, everybody: dict[str, Party]) -> Callable[[str], Party]:
    """A phone as good as new; anna's has logged in."""

    def get(name: str) -> Party:
        everybody[name].begin("answer")
        if name == "anna":
            for code in ("*41", "*42"):
                seen = len(everybody[name].lines)
                dial(everybody[name], hotline, code)
                everybody[name].until(after=seen, event="answered")
                assert everybody[name].until(after=seen, event="ended")["by_far_end"]
        everybody[name].lines.clear()
        return everybody[name]

    return get


async def add_accounts(hotline: Hotline) -> None:
    """As `ivr agents add` and `ivr agents password --pin` do."""
    store = Store(load(hotline.config).store_url)
    accounts = Accounts(store.database)
    for name, role in ROLES.items():
        account = new_account(name, role, f"secret-{name}")
        await accounts.put(replace(account, pin_hash=hash_pin("4711")), time.time())
    await accounts.assign("anna", {"cards": 0}, {"cards": 3})
    await store.close()


def registers(hotline: Hotline, phone: Party, name: str) -> bool:
    seen = len(phone.lines)
    phone.tell(do="register", address="{}:{}".format(*hotline.address), user=name, password=f"secret-{name}")
    return phone.until(after=seen, event="registered")["status"] == 200


def dial(party: Party, hotline: Hotline, called: str) -> None:
    party.tell(do="dial", uri=re.sub("sip:[^@]*@", f"sip:{called}@", hotline.uri), headers={})


def test_a_caller_reaches_a_registered_agent_who_logged_in_by_phone_and_a_supervisor_helps(
    hotline: Hotline, phone: Callable[[str], Party]
) -> None:
    anna = phone("anna")
    boss = phone("boss")
    caller = phone("caller")
    dial(caller, hotline, "quick")
    rung = anna.until(event="incoming")
    assert rung["headers"]["x-hotline-queue"] == "cards"
    assert rung["headers"]["x-hotline-card"] == "gold"
    assert rung["caller"] == "party"
    caller.hears("anna")
    anna.hears("caller")
    dial(boss, hotline, "*1anna")
    boss.until(event="answered")
    boss.tell(do="keys", keys="4711#")
    boss.hears("caller", "anna")
    boss.tell(do="keys", keys="2")
    anna.hears("caller", "boss")
    boss.tell(do="hang_up")
    anna.hears("caller")
    ben = phone("ben")  # an agent is no supervisor, whatever the PIN
    dial(ben, hotline, "*1anna")
    ben.until(event="answered")
    ben.tell(do="keys", keys="4711#")
    assert ben.until(event="ended")["by_far_end"]
    assert not tones_in(ben.heard(20))
    anna.tell(do="hang_up")
    assert caller.until(event="ended", within_s=30)["by_far_end"]
    (call,) = wait_for(lambda: [one for one in hotline.archived() if one.data("queue.answered")])
    check(call)
    seen = len(anna.lines)
    dial(anna, hotline, "*441")
    anna.until(after=seen, event="answered")


async def command(hotline: Hotline, **data) -> dict:
    """Has control do something."""
    async with Bus(lambda: read_address(hotline.data / "run/bus.json"), "test") as bus:
        return await bus.request("acd", data, 20)


def test_a_callback_rings_the_agent_and_then_the_number(hotline: Hotline, phone: Callable[[str], Party]) -> None:
    anna = phone("anna")
    ben = phone("ben")
    booked = asyncio.run(
        command(hotline, command="callback", call_id="20261121-101112-abcdef", number="ben", queue="cards")
    )
    rung = anna.until(event="incoming")
    assert rung["caller"] == "ben"
    assert rung["headers"]["x-hotline-callback"] == booked["ticket"]
    assert ben.until(event="incoming")["caller"] == "hotline"
    anna.hears("ben")
    ben.hears("anna")
    anna.tell(do="keys", keys="*1")
    ben.hears()
    wait_for(lambda: abs(ben.heard(0.5)).max() > 0.01)  # music
    anna.tell(do="keys", keys="*1")
    ben.hears("anna")
    ben.listen(1.0)
    ben.tell(do="hang_up")
    anna.until(event="ended")
    (call,) = wait_for(lambda: [one for one in hotline.archived() if one.started.get("ticket")])
    assert call.termination == "caller_hangup"
    assert call.started["caller"] == "ben"
    assert [data["outcome"] for data in call.data("transfer.ended")] == ["answered"]
    assert tones_in(call.audio[-8000:, 0]) == {"ben"}
    assert (call.path / "agent-1.flac").exists()


def test_control_dies_while_a_caller_waits_and_the_caller_still_gets_the_agent(
    hotline: Hotline, phone: Callable[[str], Party]
) -> None:
    anna = phone("anna")
    caller = phone("caller")
    anna.tell(do="manner", manner="ring")
    dial(caller, hotline, "quick")
    anna.until(event="incoming")
    os.kill(hotline.child("control"), signal.SIGKILL)
    anna.tell(do="hang_up")  # declined: whoever is control now must find somebody
    anna.tell(do="manner", manner="answer")
    seen = len(anna.lines)
    anna.until(within_s=60, after=seen, event="incoming")  # a new control needs a while on a busy machine
    caller.hears("anna")
    anna.hears("caller")
    os.kill(hotline.child("control"), signal.SIGKILL)
    caller.listen(1.0)
    caller.hears("anna")
    caller.tell(do="hang_up")
    anna.until(after=seen, event="ended")
    (call,) = wait_for(lambda: [one for one in hotline.archived() if len(one.data("queue.offered")) == 2])
    assert call.termination == "caller_hangup"
    assert call.data("queue.answered")
    assert sorted(path.name for path in call.path.glob("agent-*.flac")) == ["agent-2.flac"]
    shown = hotline.ivr("show", call.path.name).stdout
    assert "talks with anna" in shown
    assert "agent-2.flac" in shown


def check(call: Archived) -> None:
    """What the archive has of it."""
    assert call.termination == "completed"
    assert call.data("queue.joined")[0]["queue"] == "cards"
    assert call.data("queue.offered")[0]["agent"] == "anna"
    assert [data["state"] for data in call.data("agent.talk")] == ["talking", "over"]
    assert [data["what"] for data in call.data("supervised")] == ["listen", "whisper", "left"]
