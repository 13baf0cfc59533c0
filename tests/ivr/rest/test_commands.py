"""`ivr top`, `ivr move`, `ivr hangup`, `ivr calls --live` and `ivr token` beside a running control."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import TypeVar

import httpx
import pytest

from bench.acdworkers import Workers
from ivr.__main__ import main
from ivr.busaddress import address_finder
from recordings.bundle import Bundle
from recordings.callid import new_call_id
from recordings.termination import Termination

pytestmark = [pytest.mark.net, pytest.mark.needs("mosquitto"), pytest.mark.timeout(120)]

T = TypeVar("T")


@pytest.fixture
async def workers(hotline) -> AsyncIterator[Workers]:
    async with Workers(address_finder(hotline.config)) as made:
        yield made


async def until(ask: Callable[[], Awaitable[T]], condition: Callable[[T], bool]) -> T:
    """Asks until the answer is as it should be; returns it."""
    async with asyncio.timeout(30):
        while not condition(found := await ask()):  # noqa: ASYNC110 - polls
            await asyncio.sleep(0.05)
    return found


async def test_a_waiting_caller_is_seen_and_moved(hotline, workers: Workers) -> None:
    call = await workers.join("support")
    board = await asyncio.to_thread(hotline.ivr, "top", "--once")
    assert "control up" in board
    assert any(call.call_id in line and "support" in line and "1001" in line for line in board.splitlines())
    told = await asyncio.to_thread(hotline.ivr, "move", call.call_id, "cards")
    assert told == f"moved {call.call_id} to cards, place 1\n"
    await workers.until(lambda: call.queue == "cards")
    await workers.leave(call)


async def test_a_call_that_is_up_is_listed_with_its_step_and_hung_up(hotline, workers: Workers) -> None:
    about = {"caller": "1001", "called": "hotline", "flow": "bank-en"}
    bundle = Bundle.create(hotline.config.recordings_folder, new_call_id(time.time(), Random()), about)
    commands: list[dict] = []

    async def serve(data: dict) -> dict:
        commands.append(data)
        workers.bus.publish_event(bundle.call_id, bundle.close(Termination.COMPLETED, "hotline"))
        return {}

    workers.bus.serve(f"call/{bundle.call_id}", serve)
    for event in (("call.started", None, None, about), ("step.entered", 8000, None, {"step": "greet", "type": "menu"})):
        workers.bus.publish_event(bundle.call_id, bundle.event(*event))

    async def live(*options: str) -> str:
        return await asyncio.to_thread(hotline.ivr, "calls", "--live", *options)

    await until(lambda: live("--json"), lambda text: [line["step"] for line in json.loads(text)] == ["greet"])
    assert "greet" in await asyncio.to_thread(hotline.ivr, "calls", "--live")
    assert await asyncio.to_thread(hotline.ivr, "hangup", bundle.call_id) == f"hung up {bundle.call_id}\n"
    assert [command["command"] for command in commands] == ["hang_up"]
    await until(live, lambda text: text == "No call is up.\n")


async def test_a_call_is_tapped_on_record(hotline, workers: Workers) -> None:
    about = {"caller": "1001", "called": "hotline", "flow": "bank-en"}
    bundle = Bundle.create(hotline.config.recordings_folder, new_call_id(time.time(), Random()), about)
    asked: list[dict] = []

    async def serve(data: dict) -> dict:
        asked.append(data)
        return {"socket": "/run/tap.sock", "token": "once"}

    workers.bus.serve(f"call/{bundle.call_id}", serve)
    workers.bus.publish_event(bundle.call_id, bundle.event("call.started", None, None, about))
    async with hotline.client("supervisor") as client:
        path = f"/api/v1/calls/{bundle.call_id}/tap"

        async def tap() -> httpx.Response:
            return await client.post(path, json={"mode": "listen"})

        answer = await until(tap, lambda found: found.status_code != 404)
        assert answer.json() == {"socket": "/run/tap.sock", "token": "once"}
        assert {key: asked[-1][key] for key in ("command", "mode", "who")} == {
            "command": "tap", "mode": "listen", "who": "token the-supervisor",
        }  # fmt: skip
        assert (await client.post(path, json={"mode": "sing"})).status_code == 422
        workers.bus.publish_event(bundle.call_id, bundle.close(Termination.COMPLETED, "hotline"))
        answer = await until(tap, lambda found: found.status_code != 200)
        assert (answer.status_code, answer.json()["code"]) == (409, "call.over")


def test_what_cannot_be_is_refused_with_a_reason(hotline, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(hotline.file)]
    for arguments, complaint in (
        (("move", "20261121-000000-abcdef", "cards"), "waits in no queue"),
        (("hangup", "20261121-000000-abcdef"), "there is no call"),
        (("token", "add", "x", "--role", "agent", "--agent", "zoe"), "there is no account zoe"),
        (("token", "add", "the-admin", "--role", "admin"), "there is a token the-admin already"),
        (("token", "add", "x", "--role", "admin", "--agent", "anna"), "if its role is agent"),
        (("token", "revoke", "nothing"), "there is no token nothing"),
    ):
        assert main([*arguments, *config]) == 1
        assert complaint in capsys.readouterr().err


def test_tokens_are_listed_without_their_secrets(hotline) -> None:
    listed = json.loads(hotline.ivr("token", "list", "--json"))
    assert {"name": "the-agent", "role": "agent", "agent": "anna"}.items() <= listed[1].items()
    text = hotline.ivr("token", "list")
    assert "the-supervisor" in text
    assert not any(secret in text + json.dumps(listed) for secret in hotline.tokens.values())
    store = (hotline.config.data_folder / "hotline.db").read_bytes()
    assert not any(secret.encode() in store for secret in hotline.tokens.values())


def test_without_a_hotline_the_commands_say_so(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[ivr]\ndata = "var"\n')
    assert main(["top", "--once", "--config", str(file)]) == 1
    assert "no broker" in (board := capsys.readouterr().out)
    assert "hotline.db is not there" in board
