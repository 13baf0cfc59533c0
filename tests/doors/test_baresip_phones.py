"""baresip phones register at the running door and call each other through it, both ways."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.net import sound
from tests.net.baresip import Baresip
from tests.telephony.edge.corebench import PASSWORD

pytestmark = [pytest.mark.net, pytest.mark.needs("baresip"), pytest.mark.timeout(120)]

HZ = {"anna": 600.0, "bert": 1100.0}


@pytest.fixture
def baresip(tmp_path: Path) -> Iterator[Callable[..., Baresip]]:
    """Starts a phone of an account."""
    running: list[Baresip] = []

    def run(user: str, door: tuple[str, int], *commands: str, transport: str = "udp", more: str = "") -> Baresip:
        account = (
            f'<sip:{user}@{door[0]}:{door[1]};transport={transport}>;auth_pass="{PASSWORD}";regint=60;answermode=auto'
        )
        folder = tmp_path / f"{user}{len(running)}"
        running.append(Baresip(folder, "PCMA", *commands, said_hz=HZ[user], account=account, more=more))
        return running[-1]

    yield run
    for phone in running:
        if phone.process.poll() is None:
            phone.process.kill()
            phone.process.wait()


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """A certificate made now, as a table of config.toml."""
    made = ["-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/cert.pem", "-subj", "/CN=127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *key, "-days", "2", *made], check=True, capture_output=True)
    return '\n[telephony.tls]\nport = 0\ncertificate = "cert.pem"\nkey = "key.pem"\n'


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("caller", "callee", "transport"), [("anna", "bert", "udp"), ("bert", "anna", "tcp"), ("anna", "bert", "tls")]
)
async def test_two_phones_speak_both_ways_through_the_door(
    stage, baresip, certificate, caller, callee, transport
) -> None:
    door = await stage.open("anna", "bert", tables=certificate)
    address = (door.sip[0], door.tls) if transport == "tls" else door.sip
    answering = baresip(callee, address, transport=transport)
    await door.until("contacts", 1)
    calling = baresip(caller, door.sip, f"/dial sip:{callee}@{door.sip[0]}:{door.sip[1]}")
    await door.until("contacts", 2)
    await door.until("relays", 1)
    await both_hear(answering, calling)
    calling.hang_up()
    await door.until("relays", 0)
    answering.hang_up()
    assert sound.tone_seconds(answering.heard(), HZ[caller]) > 1
    assert sound.tone_seconds(calling.heard(), HZ[callee]) > 1
    assert sound.tone_seconds(calling.heard(), HZ[caller]) == 0
    await door.until("contacts", 0)


async def both_hear(*phones: Baresip, seconds: float = 2.0) -> None:
    """Waits until each phone has written so much sound."""
    async with asyncio.timeout(30):
        while not all(heard_s(phone) > seconds for phone in phones):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.1)


def heard_s(phone: Baresip) -> float:
    files = list(phone.folder.glob("dump-*-dec.wav"))
    return files[0].stat().st_size / 16000 if files else 0.0


async def test_a_phone_is_still_known_after_the_door_was_killed(stage, baresip) -> None:
    door = await stage.open("anna", "bert")
    answering = baresip("bert", door.sip)
    await door.until("contacts", 1)
    door.process.kill()
    await door.process.wait()
    door.config.write_text(door.config.read_text().replace("port = 0", f"port = {door.sip[1]}"))
    await door.start()
    assert (await door.status())["contacts"] == 1
    calling = baresip("anna", door.sip, f"/dial sip:bert@{door.sip[0]}:{door.sip[1]}")
    await door.until("relays", 1)
    await both_hear(answering, calling)
    calling.hang_up()
    await door.until("relays", 0)
