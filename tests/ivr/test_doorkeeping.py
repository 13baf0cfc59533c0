"""What the door keeps beside calls: accounts, registrations, money spent, addresses of trunks."""

import asyncio
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ivr import registrations, trunknames
from ivr.accounts import Account, Role, new_account
from ivr.config import ConfigError, load
from ivr.dooraccounts import DoorAccounts, LateAccounts
from ivr.dooredge import DoorSettingsError, edge_settings, server_tls
from ivr.registrations import Registrations
from ivr.spending import CallsKept, Spending
from ivr.store.errors import StoreUnavailableError
from telephony.edge import accounts as edge
from telephony.edge.dialplan import Trunk
from telephony.edge.events import CallOut, CallsOut, Contact, Hop, Kept, Registered, Spent


class Source:
    """Accounts by hand; None: the store does not answer."""

    def __init__(self, *rows: Account) -> None:
        self.rows: tuple[Account, ...] | None = rows

    async def stamp(self) -> tuple[int, int]:
        if self.rows is None:
            raise StoreUnavailableError("gone")
        return len(self.rows), hash(self.rows)

    async def all(self) -> list[Account]:
        return list(self.rows or ())


class Bus:
    """Remembers what is kept on topics."""

    def __init__(self) -> None:
        self.kept: dict[str, dict] = {}

    def keep(self, topic: str, data: dict) -> None:
        self.kept[topic] = data


def anna() -> Account:
    return new_account("anna", Role.AGENT, "correct horse")


def test_both_sides_mean_the_same_realm_and_roles() -> None:
    assert anna().realm == edge.REALM
    assert {role.value for role in Role} == {role.value for role in edge.Role}


async def test_accounts_come_from_the_store_and_without_it_from_the_copy(tmp_path: Path) -> None:
    copy, told = tmp_path / "accounts.json", []
    source = Source(anna(), new_account("off", Role.AGENT, "correct horse"))
    source.rows = (source.rows[0], Account(**{**_fields(source.rows[1]), "enabled": False}))  # type: ignore[index]
    door = DoorAccounts(source, copy, told.append)
    await door.look()
    await door.look()
    assert [list(known) for known in told] == [["anna"]], "told once, without those that are switched off"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    source.rows = None
    again: list = []
    later = DoorAccounts(source, copy, again.append)
    later.load_copy()
    with pytest.raises(StoreUnavailableError):
        await later.look()
    assert again == told


def _fields(account: Account) -> dict:
    return {name: getattr(account, name) for name in Account.__dataclass_fields__}


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"user": "anna"}]', '[{"user": "a", "role": "king"}]'])
def test_a_copy_that_cannot_be_read_is_left_alone(tmp_path: Path, text: str) -> None:
    copy, told = tmp_path / "accounts.json", []
    copy.write_text(text)
    DoorAccounts(Source(), copy, told.append).load_copy()
    assert not told


async def test_the_real_store_is_opened_when_it_is_there(tmp_path: Path) -> None:
    from ivr.store.accounts import Accounts  # noqa: PLC0415
    from ivr.store.database import Database  # noqa: PLC0415

    file = tmp_path / "hotline.db"
    url = f"sqlite+aiosqlite:///{file}"
    late = LateAccounts(url, file)
    with pytest.raises(StoreUnavailableError):
        await late.stamp()
    database = Database(url)
    await database.migrate()
    await Accounts(database).put(anna(), 1000.0)
    assert (await late.stamp())[0] == 1
    assert [account.user for account in await late.all()] == ["anna"]
    await late.close()
    await database.close()


def kept(user: str, left_s: float, host: str = "192.0.2.1") -> Kept:
    return Kept(
        user, f"sip:{user}@{host}", Hop("UDP", host, 5060), nat=False, instance="", call_id="c", cseq=1, left_s=left_s
    )


def registered(user: str, *lives: float) -> Registered:
    rows = tuple(kept(user, left_s) for left_s in lives)
    return Registered(user, tuple(Contact(row.uri, row.left_s) for row in rows), rows)


async def test_registrations_outlive_the_door_and_are_told_on_the_bus(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(registrations, "PAUSE_S", 0.01)
    path, bus, now = tmp_path / "registrations.json", Bus(), [1000.0]
    first = Registrations(path, bus, lambda: now[0])  # type: ignore[arg-type]
    assert first.load() == ()
    first.note(registered("anna", 60.0, 120.0))
    assert path.exists(), "the first change is on disk before the phone is answered"
    first.note(registered("bert", 30.0))
    first.note(registered("carl", 99.0))
    first.note(registered("carl"))
    first.close()
    assert bus.kept["hotline/registration/carl"] == {"user": "carl", "contacts": [], "registered": False}
    assert bus.kept["hotline/registration/bert"] == {
        "user": "bert", "contacts": [{"uri": "sip:bert@192.0.2.1", "expires": 1030.0}], "registered": True,
    }  # fmt: skip
    now[0] = 1061.0
    later_bus = Bus()
    later = Registrations(path, later_bus, lambda: now[0])  # type: ignore[arg-type]
    (only,) = later.load()
    assert (only.user, only.hop, only.left_s) == ("anna", Hop("UDP", "192.0.2.1", 5060), 59.0)
    assert later_bus.kept["hotline/registration/bert"]["registered"] is False, "it expired while no door was there"


async def test_what_changes_fast_is_written_in_the_end(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(registrations, "PAUSE_S", 0.01)
    path = tmp_path / "registrations.json"
    keeper = Registrations(path, Bus(), lambda: 0.0)  # type: ignore[arg-type]
    for number in range(50):
        keeper.note(registered(f"user{number}", 60.0))
    async with asyncio.timeout(10):
        while path.read_text().count("user49") == 0:  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.005)
    keeper.close()
    assert len(Registrations(path, Bus(), lambda: 0.0).load()) == 50  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "[{}]", '{"a": 1}', '[{"expires": "soon"}]'])
def test_a_file_of_registrations_that_cannot_be_read_starts_afresh(tmp_path: Path, text: str) -> None:
    path = tmp_path / "registrations.json"
    path.write_text(text)
    assert Registrations(path, Bus(), lambda: 0.0).load() == ()  # type: ignore[arg-type]


def test_money_spent_is_kept(tmp_path: Path) -> None:
    spending = Spending(tmp_path / "spending.json")
    assert spending.load().amounts == {}
    spending.note(Spent(20_000, {"abroad": 1.5}))
    assert (spending.load().day, spending.load().amounts) == (20_000, {"abroad": 1.5})
    (tmp_path / "spending.json").write_text("[]")
    assert spending.load().amounts == {}


def test_calls_out_are_kept_with_their_ends(tmp_path: Path) -> None:
    hop = Hop("UDP", "192.0.2.1", 5060)
    call = CallOut(
        "c", "t", hop, 0, "<a>", "sip:a@b", ("<r>",), 1, hop, "<b>", "u", "sip:b@c", (), 0, 1, "anna", "r", 60.0
    )
    now = [1000.0]
    calls = CallsKept(tmp_path / "calls-out.json", lambda: now[0])
    assert calls.load().calls == ()
    calls.note(CallsOut((call, replace(call, call_id="d", left_s=float("inf")))))
    now[0] = 1010.0
    first, second = calls.load().calls
    assert first == replace(call, left_s=50.0)
    assert second.left_s == float("inf")
    (tmp_path / "calls-out.json").write_text('[{"a": 1}]')
    assert calls.load().calls == ()


async def test_addresses_of_trunks_are_found_and_followed(monkeypatch) -> None:
    monkeypatch.setattr(trunknames, "AGAIN_S", 0.001)
    found: asyncio.Queue[str] = asyncio.Queue()
    answers = iter([OSError("no DNS"), "192.0.2.1", "192.0.2.1", "192.0.2.2"])

    async def lookup(trunk: Trunk) -> str | None:
        answer = next(answers, "192.0.2.2")
        return None if isinstance(answer, OSError) else answer

    monkeypatch.setattr(trunknames, "_address", lookup)
    task = asyncio.create_task(trunknames.follow((Trunk("c", host="c.example"),), lambda _, to: found.put_nowait(to)))
    async with asyncio.timeout(10):
        assert [await found.get(), await found.get()] == ["192.0.2.1", "192.0.2.2"]
    task.cancel()


FULL = """
[telephony]
callers = ["192.0.2.0/24"]
domains = ["SIP.example.org"]
[telephony.trunks.carrier]
addresses = ["198.51.100.0/24"]
host = "sip.carrier.example"
transport = "tls"
port = 5061
username = "me"
secret_file = "secret"
[[telephony.dialplan]]
prefix = "00"
trunk = "carrier"
who = ["agents", "boss"]
max_duration = "1h"
price = 0.5
daily_cost = 20
[[telephony.dialplan]]
name = "never"
prefix = "0900"
"""


def test_settings_become_the_edges_values(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(FULL)
    config = load(tmp_path / "config.toml")
    with pytest.raises(DoorSettingsError, match="secret_file cannot be read"):
        edge_settings(config)
    (tmp_path / "secret").write_text("s3cret\n")
    made = edge_settings(config)
    (trunk,) = made.plan.trunks
    assert (trunk.transport, trunk.password, trunk.port) == ("TLS", "s3cret", 5061)
    assert "s3cret" not in repr(made)
    assert [(rule.name, rule.trunk, rule.max_duration_s) for rule in made.plan.rules] == [
        ("rule 1", "carrier", 3600.0), ("never", "", None),
    ]  # fmt: skip
    assert made.plan.rules[0].who == {"agents", "boss"}
    assert made.plan.rules[1].who == {"workers", "agents", "supervisors"}, "who denies, denies to everybody"
    assert made.guard.callers is not None
    assert made.plan.trunk_at("198.51.100.7") is trunk
    assert config.telephony.domains == ("sip.example.org",)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('[telephony]\ncallers = ["here"]\n', "telephony.callers"),
        ("[telephony.trunks.x]\nport = 5060\n", "telephony.trunks.x"),
        ('[telephony.trunks.x]\nhost = "h"\nusername = "me"\n', "username and secret_file belong together"),
        ('[[telephony.dialplan]]\ntrunk = "x"\n', r"there is no \[telephony.trunks.x\]"),
        ('[[telephony.dialplan]]\nprefix = "0"\ndaily_cost = 5.0\n', "daily_cost needs a price"),
        ('[[telephony.dialplan]]\nprefix = "0"\nstrip = 2\n', "strip may not take more"),
        ('[telephony.tls]\ncertificate = "c.pem"\n', "certificate and key belong together"),
    ],
)
def test_mistakes_in_the_doors_tables_are_named(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match=what):
        load(tmp_path / "config.toml")


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[telephony.tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')
    config = load(tmp_path / "config.toml")
    with pytest.raises(DoorSettingsError, match=r"\[telephony.tls\] certificate and key cannot be used"):
        server_tls(config.root, config.telephony.tls)
