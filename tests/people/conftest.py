"""Phones with tones and a call to bring them into."""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
TONES = {"caller": 400, "anna": 650, "ben": 850, "boss": 1300, "music": 2000, "signal": 3000}
HEARD = 0.02  # of 1: a tone at -20 dBFS has 0.14
WITHIN_S = 20.0


class Process:
    """A child that speaks JSON lines."""

    def __init__(self, said: IO[str], heard: IO[str]) -> None:
        self.lines: list[dict[str, Any]] = []
        self._said, self._heard = said, heard
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._heard:
            with self._news:
                self.lines.append(json.loads(line))
                self._news.notify_all()

    def tell(self, **command: Any) -> None:
        self._said.write(json.dumps(command) + "\n")
        self._said.flush()

    def until(self, within_s: float = WITHIN_S, after: int = 0, **fields: Any) -> dict[str, Any]:
        """Waits for a line that has these fields, the lines before `after` left out."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.lines[after:] if fields.items() <= line.items()), None)

        with self._news:
            if not self._news.wait_for(found, within_s):
                raise AssertionError(f"no {fields} within {within_s} s in {self.lines}")
            line = found()
            assert line is not None
            return line


class Child(Process):
    """One that the tests have started."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self.process.stdin
        assert self.process.stdout
        super().__init__(self.process.stdin, self.process.stdout)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(5)
        self._said.close()
        self._heard.close()


class Party(Child):
    """A phone with a tone."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._before = 0
        self.file = folder / f"{name}.raw"
        super().__init__(str(HERE / "party.py"), str(TONES[name]), str(self.file), "answer")
        self.port = self.until(event="ready")["port"]
        self.uri = f"sip:{name}@127.0.0.1:{self.port}"

    def begin(self, manner: str) -> None:
        """Makes the phone as good as new: without a call, what it told forgotten."""
        until = time.monotonic() + WITHIN_S
        while True:
            self.lines.clear()
            self.tell(do="hang_up")
            self.tell(do="ready")
            if not self.until(event="ready again")["talks"]:
                break
            assert time.monotonic() < until
        self.lines.clear()
        self._before = self.file.stat().st_size // 2 * 2
        self.tell(do="manner", manner=manner)
        self.tell(do="refer", refer="refuse")

    def heard(self, seconds: float) -> np.ndarray:
        """The last seconds of what the phone heard."""
        data = self.file.read_bytes()[self._before :]
        return np.frombuffer(data[: len(data) // 2 * 2], np.int16)[-int(8000 * seconds) :] / 32768

    def now_hears(self) -> set[str]:
        """Whose tones the phone heard in the last 0.3 s."""
        return tones_in(self.heard(0.3))

    def listen(self, seconds: float) -> np.ndarray:
        """Goes on for so long; what the phone heard meanwhile."""
        bytes_then = self.file.stat().st_size
        until = time.monotonic() + WITHIN_S
        while self.file.stat().st_size < bytes_then + 16000 * seconds:
            assert time.monotonic() < until, "no sound comes"
            time.sleep(0.05)
        return self.heard(seconds)

    def hears(self, *names: str, within_s: float = WITHIN_S) -> None:
        """Waits until the phone hears exactly these."""
        until = time.monotonic() + within_s
        while (heard := self.now_hears()) != set(names):
            if time.monotonic() > until:
                raise AssertionError(f"{self.name} hears {heard or 'nothing'}, not {set(names)}")
            time.sleep(0.05)


def tones_in(sound: np.ndarray) -> set[str]:
    """Whose tones are in it."""
    window = np.hanning(len(sound))
    times = np.arange(len(sound)) / 8000
    found = set()
    for name, hz in TONES.items():
        level = 2 * abs(np.dot(sound * window, np.exp(-2j * np.pi * hz * times))) / max(window.sum(), 1)
        if level > HEARD:
            found.add(name)
    return found


class Host(Process):
    """A worker's call."""

    def __init__(self, hosts: Path, folder: Path) -> None:
        folder.mkdir()
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(str(hosts))
        said = self.line.makefile("w")
        said.write(f"{folder}\n")
        said.flush()
        super().__init__(said, self.line.makefile("r"))
        self.port = self.until(event="ready")["port"]
        self.uri = f"sip:hotline@127.0.0.1:{self.port}"

    def ask(self, kind: str, **arguments: Any) -> None:
        """The flow's request."""
        self.tell(ask=kind, arguments=arguments)

    def offer(self, agent: Party, number: int = 1, **more: Any) -> None:
        """Control's offer of an agent."""
        offer = {"command": "offer", "offer": f"o{number}", "agent": agent.uri, "display": agent.name, **more}
        self.tell(command={"ring_timeout_s": 10, **offer})

    def asked(self, command: str, after: int = 0, **fields: Any) -> dict[str, Any]:
        """Waits until control was asked this."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            for line in self.lines[after:]:
                data = line.get("asked", {})
                if data.get("command") == command and fields.items() <= data.items():
                    return data
            time.sleep(0.02)
        raise AssertionError(f"control was not asked {command} {fields}: {[x for x in self.lines if 'asked' in x]}")

    def end(self) -> None:
        self.line.shutdown(socket.SHUT_RDWR)
        self._reader.join(5)
        self._said.close()
        self._heard.close()
        self.line.close()

    def closed(self) -> Path:
        """The bundle, once the call is over."""
        return Path(self.until(event="closed")["path"])


@pytest.fixture(scope="session")
def phones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Party]]:
    """The phones that were needed so far; they serve test after test."""
    made: dict[str, Party] = {}
    yield made
    for phone in made.values():
        phone.end()


@pytest.fixture
def party(phones: dict[str, Party], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Party]]:
    """Makes phones: `party("anna", "ring")`."""
    used: list[Party] = []

    def get(name: str, manner: str = "answer") -> Party:
        if name not in phones:
            phones[name] = Party(name, tmp_path_factory.mktemp("phones"))
        phone = phones[name]
        phone.begin(manner)
        used.append(phone)
        return phone

    yield get
    for phone in used:
        phone.tell(do="hang_up")


@pytest.fixture(scope="session")
def hosts() -> Iterator[Path]:
    """Where workers' calls are made."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hosts.sock"
        child = Child(str(HERE / "callhost.py"), str(path))
        child.until(event="ready")
        yield path
        child.end()


@pytest.fixture
def call(hosts: Path, party: Callable[..., Party], tmp_path: Path) -> Iterator[tuple[Host, Party]]:
    """A call that is up: the worker's side, and the caller's phone."""
    host = Host(hosts, tmp_path / "host")
    caller = party("caller")
    caller.tell(do="dial", uri=host.uri, headers={})
    host.until(event="up")
    yield host, caller
    try:
        caller.tell(do="hang_up")
        host.closed()
    finally:
        host.end()
