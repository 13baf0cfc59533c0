"""The processes that an ACD needs and no others: a broker and control processes, to be killed and started."""

import json
import signal
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Self

from ivr.accounts import Account, Role
from ivr.busaddress import address_finder
from ivr.config import load
from ivr.store.accounts import Accounts
from ivr.store.store import Store

ROOT = Path(__file__).resolve().parents[1]


class AcdServer:
    """A context manager; `url` is that of the store, "auto" for SQLite. `queue`: lines of the one queue, cards;
    `bus`: a broker elsewhere.
    """

    def __init__(self, url: str = "auto", queue: str = 'joinempty = "yes"', bus: str = "auto") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="hotline-acd-")
        self.file = Path(self._folder.name) / "config.toml"
        parts = ('[ivr]\ndata = "var"', f'[ivr.bus]\nurl = "{bus}"', f'[ivr.store]\nurl = "{url}"', "[rest]\nport = 0")
        self.file.write_text("\n".join([*parts, "[queues.cards]", queue, ""]))
        self.config = load(self.file)
        self.find = address_finder(self.config)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._children):
            self.kill(name, signal.SIGTERM)
        self._folder.cleanup()

    def start(self, name: str, program: str = "", log: Path | None = None) -> None:
        """Starts `ivr PROGRAM` (NAME without one) and waits until it serves. It writes to `log`, or where we do."""
        command = [sys.executable, "-m", "ivr", program or name, "--config", str(self.file)]
        with log.open("ab") if log else nullcontext() as errors:
            child = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )  # fmt: skip
        self._children[name] = child
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line or json.loads(line)["ready"] != (program or name):
            raise RuntimeError(f"{name} did not start: {line!r}")

    def pid(self, name: str) -> int:
        """The process's id."""
        return self._children[name].pid

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends a process, without a word or by SIGTERM, and waits for its end."""
        child = self._children.pop(name)
        child.send_signal(number)
        child.wait(20)
        assert child.stdout is not None
        child.stdout.close()

    async def add_agents(self, count: int) -> list[str]:
        """Agents of the queue; returns their names."""
        names = [f"agent{number:03}" for number in range(count)]
        store = Store(self.config.store_url)
        try:
            await store.migrate()
            accounts = Accounts(store.database)
            for name in names:
                await accounts.put(Account(name, Role.AGENT, "hotline", "0" * 32, "0" * 64, name), 1.0)
                await accounts.assign(name, {"cards": 0}, {"cards": 3})
        finally:
            await store.close()
        return names
