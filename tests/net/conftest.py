"""A running hotline for the tests: `ivr serve` with its own folder and ports, ended after the tests."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


def settings(
    data: Path,
    *,
    rtp: int,
    flows: Path | None = None,
    port: int = 0,
    telephony: str = "",
    more: str = "",
    asr: str = "",
) -> str:
    """A config.toml for a test."""
    return f"""
[ivr]
data = "{data}"
[telephony]
address = "127.0.0.1"
port = {port}
idle_workers = 3
max_calls = 30
rtp_ports = [{rtp}, {rtp + 16 * 40 - 1}]
{telephony}
[flows]
folder = "{flows or ROOT / "flows/library"}"
{asr}
{more}
"""


@dataclass
class Hotline:
    """A running hotline. `uri` is its address for SIP phones."""

    process: subprocess.Popen
    config: Path
    data: Path
    uri: str
    address: tuple[str, int]

    def ivr(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess:
        """Runs `ivr ...` with this hotline's settings."""
        command, *rest = arguments
        return subprocess.run(
            [sys.executable, "-m", "ivr", command, "--config", str(self.config), *rest],
            cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def dial(self, *arguments: str, user: str = "", timeout: float = 90) -> dict:
        """Calls the hotline with the test phone; gives its JSON."""
        uri = re.sub(r"sip:[^@]*@", f"sip:{user}@", self.uri) if user else self.uri
        phone = self.ivr("dial", uri, "--json", *arguments, timeout=timeout)
        assert phone.stdout, phone.stderr
        return json.loads(phone.stdout)

    def children(self, name: str) -> list[int]:
        """Process ids of the launcher's children of this name, and for "worker" of the zygote's."""
        if name == "worker":
            return [pid for zygote in self.children("zygote") for pid in children_of(zygote)]
        return [pid for pid in children_of(self.process.pid) if f"\0ivr\0{name}\0" in command_of(pid)]

    def bundles(self) -> list[Path]:
        """Every call's folder, whatever its state, oldest first."""
        found = (self.data / "recordings").glob("**/events.jsonl")
        return sorted({path.parent for path in found}, key=lambda path: path.name)

    def wait_for_bundle(self, fits: Callable[[Path], bool], within_s: float = 20) -> Path:
        """Waits until a call's bundle satisfies the condition."""
        return wait_for(lambda: next((path for path in self.bundles() if fits(path)), None), within_s)


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def wait_for(look: Callable[[], object], within_s: float = 20):
    """Polls until `look` gives something true; fails when it does not in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {within_s} s: {look}")


def events_of(bundle: Path) -> list[dict]:
    """The events of a bundle."""
    return [json.loads(line) for line in (bundle / "events.jsonl").read_text().splitlines() if line.endswith("}")]


def kinds(events: list[dict], kind: str) -> list[dict]:
    """The data of the events of one kind."""
    return [event["data"] for event in events if event["kind"] == kind]


def start(config: Path, data: Path, ready_within_s: float = 60) -> Hotline:
    log = (data.parent / f"{data.name}.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "ivr", "serve", "--config", str(config)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
        env=os.environ | {"HOTLINE_VERBOSE": "1"},
    )  # fmt: skip
    log.close()
    line = ""
    timer = threading.Timer(ready_within_s, process.kill)
    timer.start()
    assert process.stdout
    line = process.stdout.readline()
    timer.cancel()
    match = re.match(r"ready (sip:hotline@([\d.]+):(\d+))", line)
    if match is None:
        process.kill()
        process.wait()
        process.stdout.close()
        raise AssertionError(f"no ready line but {line!r}:\n{Path(log.name).read_text()[-4000:]}")
    return Hotline(process, config, data, match[1], (match[2], int(match[3])))


def stop(hotline: Hotline) -> int:
    """Ends the hotline as Ctrl-C does; returns its exit code."""
    if hotline.process.poll() is None:
        hotline.process.send_signal(signal.SIGINT)
    try:
        code = hotline.process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(hotline.process.pid, signal.SIGKILL)
        code = hotline.process.wait()
    assert hotline.process.stdout
    hotline.process.stdout.close()
    return code


_rtp = iter(range(40000, 60000, 640))


@pytest.fixture(scope="session")
def shared_hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotline]:
    """One hotline with the shipped flows for all tests that leave it running."""
    data = tmp_path_factory.mktemp("hotline") / "var"
    config = data.parent / "config.toml"
    config.write_text(settings(data, rtp=next(_rtp)))
    hotline = start(config, data)
    yield hotline
    assert stop(hotline) == 0


@pytest.fixture
def make_hotline(tmp_path: Path) -> Iterator[Callable[..., Hotline]]:
    """Makes hotlines of one's own, for tests that break them."""
    made: list[Hotline] = []

    def make(**options) -> Hotline:
        data = tmp_path / f"var{len(made)}"
        config = tmp_path / f"config{len(made)}.toml"
        config.write_text(settings(data, rtp=next(_rtp), **options))
        made.append(start(config, data))
        return made[-1]

    yield make
    for hotline in made:
        stop(hotline)
