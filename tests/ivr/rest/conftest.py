"""A real control with its broker and SQLite, and REST on a free port; one for all tests of the folder."""

import asyncio
import contextlib
import io
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from ivr.__main__ import main
from ivr.config import Config, load
from ivr.tokens import ApiRole

SETTINGS = """
[ivr]
data = "var"
[rest]
port = {port}
[queues.cards]
joinempty = "yes"
wrapuptime = "1h"
[queues.support]
joinempty = "yes"
"""


@dataclass
class Hotline:
    """`control` and `broker` are running processes; `tokens` by role."""

    file: Path
    config: Config
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def start(self, name: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "ivr", name, "--config", str(self.file)], stdout=subprocess.PIPE, text=True
        )
        self.processes[name] = process
        assert process.stdout is not None
        assert process.stdout.readline(), f"{name} ended before it was ready"

    def end(self, name: str, number: int = signal.SIGTERM) -> int:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        status = process.wait(20)
        assert process.stdout is not None
        process.stdout.close()
        return status

    def ivr(self, *arguments: str, typed: str = "") -> str:
        """Runs a command that must succeed; returns what it printed."""
        out = io.StringIO()
        before = sys.stdin
        sys.stdin = io.StringIO(typed)
        try:
            with contextlib.redirect_stdout(out):
                assert main([*arguments, "--config", str(self.file)]) == 0
        finally:
            sys.stdin = before
        return out.getvalue()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.config.rest.port}"

    def client(self, role: str = "", **more: object) -> httpx.AsyncClient:
        """A client with the token of a role."""
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        transport = httpx.AsyncHTTPTransport(retries=3)
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=30, transport=transport, trust_env=False, **more
        )


@pytest.fixture(scope="session")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotline]:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    file = tmp_path_factory.mktemp("rest") / "config.toml"
    file.write_text(SETTINGS.format(port=port))
    made = Hotline(file, load(file))
    for folder in (made.config.data_folder, made.config.run_folder, made.config.recordings_folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("anna", "bert"):
        made.ivr("agents", "add", name, "--queue", "cards", typed="correct horse\n")
    for role in ApiRole:
        agent = ["--agent", "anna"] if role is ApiRole.AGENT else []
        made.tokens[role] = made.ivr("token", "add", f"the-{role}", "--role", role, *agent).strip()
    try:
        for name in ("broker", "control"):
            made.start(name)
        asyncio.run(_served(made))
        yield made
    finally:
        for name in list(made.processes):
            made.end(name, signal.SIGKILL)


async def _served(hotline: Hotline) -> None:
    """Until REST answers and control is on the bus."""
    async with asyncio.timeout(40), hotline.client() as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/health")).status_code == 200:
                    return
            await asyncio.sleep(0.05)
