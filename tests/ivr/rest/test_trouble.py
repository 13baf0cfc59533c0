"""REST while broker or store are away: 503 with words, soon, and all is well when they are back."""

import asyncio
import json
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from ivr.config import Config, IvrSettings, StoreSettings
from ivr.restsettings import RestSettings

pytestmark = [pytest.mark.net, pytest.mark.needs("mosquitto"), pytest.mark.timeout(120)]
SOON_S = 25.0  # the deadline is 8 s; a busy machine takes its time


async def until(client: httpx.AsyncClient, path: str, status: int) -> httpx.Response:
    async with asyncio.timeout(40):
        while (answer := await client.get(path)).status_code != status:  # noqa: ASYNC110 - polls HTTP
            await asyncio.sleep(0.05)
    return answer


async def test_without_a_broker_one_can_look_but_not_act(hotline) -> None:
    async with hotline.client("supervisor") as client:
        await asyncio.to_thread(hotline.end, "broker", signal.SIGKILL)
        health = (await until(client, "/health", 503)).json()
        assert health["status"] == "degraded"
        assert (health["store"], health["bus"]) == ("ok", "the broker cannot be reached")
        assert (await client.get("/api/v1/queues")).status_code == 200
        refused = await client.post("/api/v1/agents/bert/state", json={"do": "login"})
        assert refused.status_code == 503
        assert refused.json()["code"] == "bus.away"
        assert refused.headers["retry-after"] == "1"
        await asyncio.to_thread(hotline.start, "broker")
        await until(client, "/health", 200)
        assert (await client.post("/api/v1/agents/bert/state", json={"do": "logout"})).status_code == 200


async def test_without_a_store_it_says_so_and_goes_on_when_it_is_back(hotline) -> None:
    file = hotline.config.data_folder / "hotline.db"
    away = file.with_name("away.db")
    async with hotline.client("supervisor") as client:
        await asyncio.to_thread(hotline.end, "control")
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.rename(away)
        file.mkdir()
        await asyncio.to_thread(hotline.start, "control")
        await reached(client)
        answer = await client.get("/api/v1/queues")
        assert (answer.status_code, answer.json()["code"]) == (503, "store.unavailable")
        assert "the store cannot be reached" in answer.json()["detail"]
        assert (await client.get("/health")).json()["store"] != "ok"
        file.rmdir()
        away.rename(file)
        await until(client, "/api/v1/queues", 200)


async def test_a_store_that_never_answers_hangs_nobody(make_process, tmp_path: Path, free_port: int) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        url = f"postgresql+asyncpg://x@127.0.0.1:{silent.getsockname()[1]}/x"
        config = Config(
            root=tmp_path,
            ivr=IvrSettings(data=Path("var"), store=StoreSettings(url=url)),
            rest=RestSettings(port=free_port),
        )
        config.run_folder.mkdir(parents=True)
        control = make_process("control", config)
        await asyncio.to_thread(control.start)
        url = f"http://127.0.0.1:{free_port}"
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            await reached(client)
            for path in ("/health", "/api/v1/queues"):
                began = time.monotonic()
                answer = await client.get(path, headers={"Authorization": "Bearer any"})
                assert answer.status_code == 503
                assert json.loads(answer.text)
                assert time.monotonic() - began < SOON_S
        assert control.kill(signal.SIGTERM) == 0


async def test_a_taken_port_is_waited_for(make_process, config: Config, free_port: int) -> None:
    config = config.model_copy(update={"rest": RestSettings(port=free_port)})
    config.run_folder.mkdir(parents=True)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", free_port))
        holder.listen()
        await asyncio.to_thread(make_process("control", config).start)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port}", timeout=30, trust_env=False) as client:
        await reached(client)


async def reached(client: httpx.AsyncClient) -> None:
    """Until somebody serves the port."""
    async with asyncio.timeout(40):
        while True:
            try:
                await client.get("/openapi.json")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
