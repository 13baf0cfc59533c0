"""`ivr agents`, as typed."""

import asyncio
import io
import json
from pathlib import Path

import pytest

from ivr.__main__ import main
from ivr.accounts import ha1, pin_fits
from ivr.config import Config
from ivr.store.accounts import Accounts
from ivr.store.database import Database


@pytest.fixture
def ivr(config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    file = config.root / "config.toml"
    file.write_text('[ivr]\ndata = "var"\n')

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        status = main([*arguments, "--config", str(file)])
        out = capsys.readouterr()
        return status, out.out, out.err

    return run


async def kept(config: Config, user: str):
    database = Database(config.store_url)
    account = await Accounts(database).get(user)
    await database.close()
    return account


def test_an_agent_is_added_shown_changed_and_removed(ivr, config: Config) -> None:
    assert ivr("agents", "list")[1].startswith("No accounts yet")
    assert ivr("agents", "add", "anna", "--queue", "cards", "--skill", "cards=3", typed="correct horse\n")[0] == 0
    shown = json.loads(ivr("agents", "list", "--json")[1])
    assert [(each["name"], each["queues"], each["skills"]) for each in shown] == [("anna", {"cards": 0}, {"cards": 3})]
    assert "correct" not in json.dumps(shown)
    assert ivr("agents", "add", "anna", "--queue", "support:2")[1] == "changed anna\n"
    assert "support:2" in ivr("agents", "list")[1]
    assert ivr("agents", "remove", "anna")[0] == 0
    status, _, error = ivr("agents", "remove", "anna")
    assert (status, error) == (1, "ivr agents: there is no account anna; `ivr agents list` shows all\n")


async def test_password_and_pin_are_read_from_a_pipe(ivr, config: Config, tmp_path: Path) -> None:
    for arguments, typed in (
        (("add", "anna"), "correct horse\n"),
        (("password", "anna"), "battery staple\n"),
        (("password", "anna", "--pin"), "4711\n"),
    ):
        assert (await asyncio.to_thread(ivr, "agents", *arguments, typed=typed))[0] == 0
    account = await kept(config, "anna")
    assert (account.ha1_md5, account.ha1_sha256) == ha1("anna", "battery staple")
    assert pin_fits("4711", account.pin_hash)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("agents", "add", "anna"), "at least 8 characters"),
        (("agents", "add", "a b"), "a name is"),
        (("agents", "add", "anna", "--queue", "nope"), "there is no [queues.nope]"),
        (("agents", "password", "nobody"), "there is no account nobody"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(ivr, arguments: tuple[str, ...], complaint: str) -> None:
    status, _, error = ivr(*arguments, typed="short\n")
    assert status == 1
    assert complaint in error


@pytest.mark.parametrize(
    "option", [("--queue", ":2"), ("--queue", "a:b"), ("--skill", "cards"), ("--skill", "cards=11")]
)
def test_options_that_are_mistyped_say_how_they_are_written(ivr, option: tuple[str, str], capsys) -> None:
    with pytest.raises(SystemExit):
        ivr("agents", "add", "anna", *option)
    assert "like cards" in capsys.readouterr().err
