"""Brokers to kill and start again, and hotlines' settings in a temporary folder."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from bench import postgres
from bench.postgres import Postgres
from ivr.config import Config, IvrSettings
from ivr.restsettings import RestSettings


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings whose data folder is tmp_path/var."""
    return Config(root=tmp_path, ivr=IvrSettings(data=Path("var")), rest=RestSettings(port=0))


class Process:
    """A child process of Hotline, `ivr.<module>.main(config)`, that can be killed and started again."""

    def __init__(self, module: str, config: Config, path: str | None = None) -> None:
        self.module, self.config = module, config
        self.environment = {**os.environ, **({"PATH": path} if path is not None else {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: dict = {}

    def start(self) -> dict:
        """Returns the ready line."""
        code = f"""
            import sys
            from pathlib import Path
            from ivr.config import Config
            from ivr.{self.module} import main
            sys.exit(main(Config(root=Path(sys.argv[1]), **__import__("json").loads(sys.argv[2]))))
        """
        settings = self.config.model_dump_json(exclude_defaults=True)
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), str(self.config.root), settings],
            stdout=subprocess.PIPE,
            env=self.environment,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "ended before it was ready"
        self.ready = json.loads(line)
        return self.ready

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Ends the process and its children; returns its status."""
        assert self.process is not None
        if number == signal.SIGKILL:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        status = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return status


@pytest.fixture
def make_process(config: Config) -> Iterator[Callable[..., Process]]:
    """Makes child processes of Hotline that are ended with the test."""
    made: list[Process] = []

    def make(module: str, settings: Config | None = None, path: str | None = None) -> Process:
        made.append(Process(module, settings or config, path))
        return made[-1]

    yield make
    for process in made:
        if process.process is not None:
            process.kill()


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request: pytest.FixtureRequest, make_process: Callable[..., Process]) -> Process:
    """The broker process, once with each program."""
    if request.param == "mosquitto" and shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    process = make_process("broker", path=None if request.param == "mosquitto" else "/nonexistent")
    assert process.start()["program"] == request.param
    return process


@pytest.fixture
def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


async def eventually_true(condition: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for may be a file, a row, another process
            await asyncio.sleep(0.01)


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """Waits until a condition holds; fails after 20 s."""
    return eventually_true


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[Postgres]:
    """One running server for the tests of a module."""
    if not Postgres.installed():
        pytest.skip("PostgreSQL is not installed")
    with postgres.running() as server:
        yield server


@pytest.fixture(name="postgres")
async def postgres_database(postgres_server: Postgres) -> Postgres:
    """The server with an empty database."""
    connection = await asyncpg.connect(postgres_server.url.replace("+asyncpg", ""))
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    return postgres_server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.net)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/hotline.db"
    return request.getfixturevalue("postgres").url
