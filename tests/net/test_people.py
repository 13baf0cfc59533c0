"""The whole way to a person: a phone registers, its agent logs in by a star code, a caller is queued, both talk."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import soundfile

from tests.net import sound
from tests.net.baresip import SAID_HZ, Baresip
from tests.net.hotline import ROOT, Hotline, wait_for
from tests.net.phones import Phones, Says, keys, packets, quiet

pytestmark = [pytest.mark.net, pytest.mark.timeout(180), pytest.mark.needs("baresip")]
CALLER_HZ = 600
PASSWORD = "correct-horse"
QUEUES = "[queues.cards]\n[queues.support]\n"
DOORS = ["embedded", pytest.param("kamailio", marks=pytest.mark.needs("kamailio"))]


def add_agent(hotline: Hotline, name: str, *options: str) -> None:
    """Makes an account as the README tells."""
    command = [sys.executable, "-m", "ivr", "agents", "--config", str(hotline.config), "add", name, *options]
    done = subprocess.run(command, cwd=ROOT, input=PASSWORD, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    known = hotline.data / "accounts.json"  # the door's copy
    wait_for(lambda: known.exists() and f'"{name}"' in known.read_text())


def state_of(hotline: Hotline, name: str) -> str:
    """The agent's state as control keeps it; empty before control has made the store."""
    with closing(sqlite3.connect(f"file:{hotline.data}/hotline.db?mode=ro", uri=True)) as store:
        return next(iter(store.execute("select state from agents where name = ?", (name,)).fetchone() or ()), "")


@pytest.fixture
def phone_of(tmp_path: Path) -> Iterator[Callable[..., Baresip]]:
    """Starts an agent's phone: it registers and answers by itself."""
    running: list[Baresip] = []

    def start(hotline: Hotline, name: str, *commands: str) -> Baresip:
        host, port = hotline.address
        account = f"<sip:{name}@{host}:{port}>;auth_user={name};auth_pass={PASSWORD};regint=60;answermode=auto"
        running.append(Baresip(tmp_path / name, "PCMA", *commands, said_s=60, account=account))
        return running[-1]

    yield start
    for phone in running:
        phone.hang_up()


@pytest.mark.parametrize("door", DOORS)
def test_a_caller_talks_with_an_agent_whose_phone_has_registered(make_hotline, phone_of, door):
    hotline = make_hotline(telephony=f'door = "{door}"', more=QUEUES)
    add_agent(hotline, "anna", "--queue", "cards")
    host, port = hotline.address
    phone = phone_of(hotline, "anna", f"/dial sip:*41@{host}:{port}")
    wait_for(lambda: state_of(hotline, "anna") == "ready", 30)
    with Phones(hotline.address) as callers:
        said = [*quiet(1.5), *keys("0"), *packets(sound.tone(CALLER_HZ, 30))]
        caller = callers.call("bank-en", Says(said))
        callers.until(lambda: sound.tone_seconds(caller.heard(), SAID_HZ) > 2, 60)
        callers.until(lambda: state_of(hotline, "anna") == "answered", 30)
        phone.hang_up()
        callers.until(lambda: any("anything_else" in call.steps for call in hotline.up()), 30)
        caller.hang_up()
        (call,) = callers.until(lambda: hotline.calls(caller.call_id), 30)
    heard, _ = soundfile.read(max(phone.folder.glob("dump-*-dec.wav"), key=lambda file: file.stat().st_mtime))
    assert sound.tone_seconds(heard, CALLER_HZ) > 1.5, "the agent hears the caller"
    assert call.data("queue.answered")[0]["agent"] == "anna"
    assert sound.tone_seconds(call.audio[:, 1], SAID_HZ) > 1.5, "what the caller heard is on the right"
    assert sound.tone_seconds(call.audio[:, 0], SAID_HZ) == 0
    shown = hotline.ivr("show", call.path.name).stdout
    assert "talks with anna" in shown
