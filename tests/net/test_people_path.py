"""The whole way to a person: registered phones, the flow's queue step, control, the agent's phone, supervision."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from ivr.bus import Bus
from ivr.busaddress import read_address
from tests.net.hotline import ROOT, Archived, Hotline, wait_for
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
QUEUES = """
[queues.cards]
joinempty = "strict"
ring_timeout = "10s"
wrapuptime = "30s"
"""


@pytest.fixture
def hotline(make_hotline: Callable[..., Hotline], tmp_path) -> Hotline:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "quick.toml").write_text(FLOW)
    return make_hotline(flows=folder, more=QUEUES)


@pytest.fixture
def phone(hotline: Hotline, tmp_path) -> Iterator[Callable[..., Party]]:
    """Makes phones, registered where they have an account."""
    made: list[Party] = []

    def make(name: str, *account: str) -> Party:
        made.append(party := Party(name, tmp_path))
        if account:
            added = subprocess.run(
                [sys.executable, "-m", "ivr", "agents", "--config", str(hotline.config), "add", name, *account],
                input=f"secret-{name}", cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert added.returncode == 0, added.stderr
            address = "{}:{}".format(*hotline.address)

            def registered() -> bool:
                seen = len(party.lines)
                party.tell(do="register", address=address, user=name, password=f"secret-{name}")
                return party.until(after=seen, event="registered")["status"] == 200

            wait_for(registered)
        return party

    yield make
    for party in made:
        party.end()


def pin(hotline: Hotline, name: str, digits: str) -> None:
    set_pin = subprocess.run(
        [sys.executable, "-m", "ivr", "agents", "--config", str(hotline.config), "password", name, "--pin"],
        input=digits, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert set_pin.returncode == 0, set_pin.stderr


def dial(party: Party, hotline: Hotline, called: str) -> None:
    party.tell(do="dial", uri=re.sub("sip:[^@]*@", f"sip:{called}@", hotline.uri), headers={})


def test_a_caller_reaches_a_registered_agent_who_logged_in_by_phone_and_a_supervisor_helps(
    hotline: Hotline, phone: Callable[..., Party]
) -> None:
    anna = phone("anna", "--queue", "cards", "--skill", "cards=3")
    boss = phone("boss", "--role", "supervisor")
    pin(hotline, "boss", "4711")
    caller = phone("caller")
    dial(anna, hotline, "*41")
    anna.until(event="answered")
    assert anna.until(event="ended")["by_far_end"]
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
    anna.tell(do="hang_up")
    assert caller.until(event="ended", within_s=30)["by_far_end"]
    (call,) = wait_for(lambda: [one for one in hotline.archived() if one.data("queue.answered")])
    check(call)
    dial(anna, hotline, "*441")
    anna.until(after=3, event="answered")


def test_control_dies_while_a_caller_waits_and_the_caller_still_gets_the_agent(
    hotline: Hotline, phone: Callable[..., Party]
) -> None:
    anna = phone("anna", "--queue", "cards", "--skill", "cards=3")
    anna.tell(do="manner", manner="ring")
    caller = phone("caller")
    dial(anna, hotline, "*41")
    anna.until(event="answered")
    anna.until(event="ended")
    dial(caller, hotline, "quick")
    anna.until(event="incoming")
    os.kill(hotline.child("control"), signal.SIGKILL)
    anna.tell(do="hang_up")  # declined: whoever is control now must find somebody
    anna.tell(do="manner", manner="answer")
    seen = len(anna.lines)
    anna.until(after=seen, event="incoming")
    caller.hears("anna")
    anna.hears("caller")
    os.kill(hotline.child("control"), signal.SIGKILL)
    caller.listen(1.0)
    caller.hears("anna")
    caller.tell(do="hang_up")
    anna.until(after=seen, event="ended")
    (call,) = wait_for(lambda: [one for one in hotline.archived() if one.data("queue.answered")])
    assert call.termination == "caller_hangup"
    assert len(call.data("queue.offered")) == 2
    assert sorted(path.name for path in call.path.glob("agent-*.flac")) == ["agent-2.flac"]
    shown = hotline.ivr("show", call.path.name).stdout
    assert "talks with anna" in shown
    assert "agent-2.flac" in shown


async def command(hotline: Hotline, **data) -> dict:
    """Has control do something."""
    async with Bus(lambda: read_address(hotline.data / "run/bus.json"), "test") as bus:
        return await bus.request("acd", data, 20)


def test_a_callback_rings_the_agent_and_then_the_number(hotline: Hotline, phone: Callable[..., Party]) -> None:
    anna = phone("anna", "--queue", "cards", "--skill", "cards=3")
    ben = phone("ben", "--role", "agent")
    dial(anna, hotline, "*41")
    anna.until(event="answered")
    anna.until(event="ended")
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
    anna.until(event="ended", after=3)
    (call,) = wait_for(lambda: [one for one in hotline.archived() if one.started.get("ticket")])
    assert call.termination == "caller_hangup"
    assert call.started["caller"] == "ben"
    assert [data["outcome"] for data in call.data("transfer.ended")] == ["answered"]
    assert tones_in(call.audio[-8000:, 0]) == {"ben"}
    assert (call.path / "agent-1.flac").exists()


def check(call: Archived) -> None:
    """What the archive has of it."""
    assert call.termination == "completed"
    assert call.data("queue.joined")[0]["queue"] == "cards"
    assert call.data("queue.offered")[0]["agent"] == "anna"
    assert [data["state"] for data in call.data("agent.talk")] == ["talking", "over"]
    assert [data["what"] for data in call.data("supervised")] == ["listen", "whisper", "left"]
