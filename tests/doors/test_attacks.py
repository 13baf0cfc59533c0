"""What is tried on every SIP port of the internet, by SIPp against either door; good phones are served as ever."""

import asyncio
from pathlib import Path

import pytest

from tests.doors.account import AccountPhone

pytestmark = [pytest.mark.net, pytest.mark.needs("sipp"), pytest.mark.timeout(120)]

GUARDED = '\n[telephony.guard]\ntrusted = []\nmessages_per_s = {rate}\nfailures = 8\nban = "2s"\n'

ATTACKER = "127.0.0.66"

_SEND = """
<send><![CDATA[

  {method} sip:{target}@[remote_ip] SIP/2.0
  Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport
  From: <sip:{user}@[remote_ip]>;tag=[call_number]
  To: <sip:{target}@[remote_ip]>
  Call-ID: [call_id]
  CSeq: {cseq} {method}
  Contact: <sip:x@[local_ip]:[local_port]>
  User-Agent: baresip v1.0 that SIPp says it is, for it knows MD5 only
  Max-Forwards: 70
  {extra}
  Content-Length: 0

]]></send>"""


def scenario(*steps: str) -> str:
    return '<?xml version="1.0"?>\n<scenario name="attack">' + "\n".join(steps) + "</scenario>"


def send(method: str, user: str = "[field0]", target: str = "[field0]", cseq: int = 1, extra: str = "") -> str:
    return _SEND.format(method=method, user=user, target=target, cseq=cseq, extra=extra).replace("\n  \n", "\n")


ENUMERATION = scenario(send("REGISTER"), '<recv response="401" timeout="400" ontimeout="9"/>', '<label id="9"/>')
CRACKING = scenario(
    send("REGISTER"),
    '<recv response="401" auth="true" timeout="400" ontimeout="9"/>',
    send("REGISTER", cseq=2, extra="[field1]"),
    '<recv response="401" timeout="400" ontimeout="9" optional="false"/>',
    '<label id="9"/>',
)
FLOOD = scenario(send("INVITE", user="flood", target="hotline"))


class Attack:
    """SIPp sending one scenario, line after line of a list."""

    def __init__(self, folder: Path, door: tuple[str, int], xml: str, lines: list[str], rate: int) -> None:
        (folder / "attack.xml").write_text(xml)
        (folder / "list.csv").write_text("SEQUENTIAL\n" + "".join(f"{line}\n" for line in lines))
        self._command = [
            "sipp", f"{door[0]}:{door[1]}", "-i", ATTACKER, "-sf", "attack.xml", "-inf", "list.csv", "-nostdin",
            "-m", str(len(lines)), "-r", str(rate), "-l", "2000", "-timeout", "20", "-nr",
        ]  # fmt: skip
        self._folder = folder

    async def run(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command, cwd=self._folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        await process.wait()


async def counters(stage) -> dict[str, int]:
    found = (await stage.door.status())["counters"]
    assert isinstance(found, dict)
    return found


async def registered(stage, user: str) -> None:
    """A good phone registers, from another address than the attacks come from."""
    phone = AccountPhone(stage.door.sip, user)
    await phone.open()
    stage.ends.append(phone)
    assert (await phone.register()).status == 200


async def test_a_sweep_for_names_learns_nothing_and_is_banned(stage, tmp_path: Path) -> None:
    await stage.open("100", "107", "anna", tables=GUARDED.format(rate=500))
    await Attack(tmp_path, stage.door.sip, ENUMERATION, [str(number) for number in range(100, 200)], 100).run()
    seen = await counters(stage)
    assert seen["answered_401"] == 32, "eight failures' worth of questions, names that exist among them or not"
    assert seen["unwelcome"] >= 60
    assert "registrations" not in seen
    await registered(stage, "anna")


async def test_password_guesses_end_in_silence(stage, tmp_path: Path) -> None:
    await stage.open("anna", tables=GUARDED.format(rate=500))
    lines = [f"anna;[authentication username=anna password=guess{number}]" for number in range(40)]
    await Attack(tmp_path, stage.door.sip, CRACKING, lines, 20).run()
    seen = await counters(stage)
    assert 1 <= seen["wrong_credentials"] <= 8
    assert seen["unwelcome"] + seen.get("banned_user", 0) >= 20
    assert "registrations" not in seen


async def test_a_flood_of_invites_is_not_read_and_the_next_call_is_answered(stage, tmp_path: Path) -> None:
    await stage.open("anna", tables=GUARDED.format(rate=20))
    await stage.worker(100, 180, 200)
    before = float((await stage.door.status())["cpu_s"])
    await Attack(tmp_path, stage.door.sip, FLOOD, ["x"] * 3000, 1500).run()
    status = await stage.door.status()
    assert status["counters"]["flooded"] > 2000
    assert float(status["cpu_s"]) - before < 3
    await stage.door.until("held", 0)
    await stage.worker(100, 180, 200)
    phone = await stage.phone()
    await phone.response(200, "INVITE", phone.ask("INVITE"))
    await registered(stage, "anna")


async def test_strangers_hear_nothing_where_callers_are_listed(stage, tmp_path: Path) -> None:
    await stage.open("anna", tables="\n[telephony.guard]\ntrusted = []\n", callers='["127.0.0.1"]')
    await Attack(tmp_path, stage.door.sip, ENUMERATION, ["100", "anna"], 10).run()
    seen = await counters(stage)
    assert seen["unwelcome"] == 2
    assert not [name for name in seen if name.startswith("answered")]
    await registered(stage, "anna")
