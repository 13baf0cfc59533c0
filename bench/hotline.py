"""The hotline under test: `ivr serve` with settings, flows and a data folder of its own, started and ended cleanly."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench import processes
from bench.processes import Process
from bench.sip import Address
from recordings.read import call_ids, read

ROOT = Path(__file__).resolve().parents[1]
FLOWS = Path(__file__).resolve().parent / "flows"
FIRST_RTP_PORT = 12000
RTP_PORTS_PER_CALL = 16
READY_S = 60.0
STOP_S = 30.0


class HotlineError(Exception):
    """The hotline did not start or did not end; the text has the end of its log."""

    code = "hotline"


class Hotline:
    """A running hotline on 127.0.0.1; a context manager. Lines have the names of the flows in bench/flows."""

    def __init__(self, engine: str = "vosk", max_calls: int = 120, idle_workers: int = 4, rest_port: int = 0) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="hotline-bench-")
        self.data = Path(self._folder.name) / "data"
        self.max_calls = max_calls
        self.ready_s = 0.0
        self.sip: Address = ("", 0)
        self._config = self.config_file = Path(self._folder.name) / "config.toml"
        self._config.write_text(_settings(engine, max_calls, idle_workers, rest_port))
        self._log = Path(self._folder.name) / "log"
        self._launcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            if kind is not None:
                sys.stderr.write(self.log())
            self._folder.cleanup()

    def start(self) -> None:
        """Starts it and waits for the ready line; `ready_s` is how long that took. Raises HotlineError."""
        began = time.monotonic()
        command = [sys.executable, "-m", "ivr", "serve", "--config", str(self._config)]
        with self._log.open("ab") as log:
            self._launcher = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
        line = self._first_line(began + READY_S)
        self.ready_s = time.monotonic() - began
        match = re.match(r"ready sip:\S+@([\d.]+):(\d+)", line)
        if match is None:
            self.kill()
            raise HotlineError(f"the hotline did not become ready: {line!r}\n{self.log()}")
        self.sip = (match[1], int(match[2]))

    def _first_line(self, until: float) -> str:
        assert self._launcher is not None
        assert self._launcher.stdout is not None
        line = b""
        while not line.endswith(b"\n") and time.monotonic() < until:
            if select.select([self._launcher.stdout], [], [], 0.2)[0]:
                piece = os.read(self._launcher.stdout.fileno(), 4096)
                if not piece:
                    break
                line += piece
        return line.decode(errors="replace")

    def stop(self) -> None:
        """Ends it as Ctrl-C does. Raises HotlineError where it or any of its processes goes on."""
        if self._launcher is None:
            return
        before = self.family()
        self._launcher.send_signal(signal.SIGTERM)
        try:
            self._launcher.wait(STOP_S)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise HotlineError(f"the hotline did not end within {STOP_S:.0f} s\n{self.log()}") from error
        finally:
            assert self._launcher.stdout is not None
            self._launcher.stdout.close()
        self._launcher = None
        left = self._still_there(before)
        if left:
            raise HotlineError(f"processes outlived the hotline: {left}\n{self.log()}")

    def _still_there(self, before: list[Process]) -> list[Process]:
        """Those of its processes that do not end within some seconds; they are killed."""
        until = time.monotonic() + 5
        while left := [process for process in before if process.pid in _ours(self._config)]:
            if time.monotonic() > until:
                for process in left:
                    os.kill(process.pid, signal.SIGKILL)
                return left
            time.sleep(0.05)
        return []

    def kill(self) -> None:
        """Ends it at once."""
        for process in self.family()[::-1]:
            os.kill(process.pid, signal.SIGKILL)
        if self._launcher is not None:
            self._launcher.wait()

    def family(self) -> list[Process]:
        """All of its processes."""
        return processes.family(self._launcher.pid) if self._launcher is not None else []

    def workers(self) -> int:
        """How many worker processes there are."""
        return sum(process.part == "worker" for process in self.family())

    def log(self) -> str:
        """The end of what it wrote to standard error."""
        return self._log.read_text(errors="replace")[-3000:]

    def warnings(self) -> int:
        """Lines in its log; a healthy hotline writes none."""
        return sum(
            1 for line in self._log.read_text(errors="replace").splitlines() if " ERROR " in line or " WARNING " in line
        )

    def door(self) -> dict[str, Any]:
        """What the front door says of itself: workers, calls, dialogs, transactions, timers. Raises OSError."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(self.data / "run" / "door.sock"))
            line.sendall(b'{"ask": "status"}\n')
            answer: dict[str, Any] = json.loads(line.makefile().readline())
            return answer

    def slots_taken(self) -> int:
        """Slots whose lock a process holds."""
        held = {line.split()[5] for line in Path("/proc/locks").read_text().splitlines()}
        slots = list((self.data / "run" / "slots").iterdir())
        return sum(_lock_name(slot) in held for slot in slots)

    def open_bundles(self) -> int:
        """Calls whose bundle is not closed."""
        folder = self.data / "recordings" / "open"
        return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0

    def events(self, kind: str) -> Iterator[dict[str, Any]]:
        """The data of each archived event of a kind, of all calls."""
        folder = self.data / "recordings"
        for call_id in list(call_ids(folder)):
            for event in read(folder, call_id).events:
                if event.kind == kind:
                    yield event.data


def _settings(engine: str, max_calls: int, idle_workers: int, rest_port: int) -> str:
    lines = "\n".join(f'"{flow.stem}" = "{flow.stem}"' for flow in sorted(FLOWS.glob("*.toml")))
    last_port = FIRST_RTP_PORT + RTP_PORTS_PER_CALL * max_calls - 1
    return f"""
[ivr]
data = "data"
[telephony]
address = "127.0.0.1"
port = 0
rtp_ports = [{FIRST_RTP_PORT}, {last_port}]
max_calls = {max_calls}
idle_workers = {idle_workers}
[telephony.lines]
{lines}
[rest]
port = {rest_port}
[asr]
engine = "{engine}"
[flows]
folder = "{FLOWS}"
[queues.bench]
ring_timeout = "20s"
"""


def _ours(config: Path) -> set[int]:
    """Every process that was started with this settings file, whoever is its parent now."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str(config).encode() in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue
    return found


def _lock_name(path: Path) -> str:
    """A file as /proc/locks names it."""
    state = path.stat()
    return f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}:{state.st_ino}"
