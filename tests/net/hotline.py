"""A running hotline as tests see it: its processes, its calls in the archive, its rows in the store."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


def settings(
    data: Path, *, rtp: int, flows: Path, port: int = -1, max_calls: int = 30, telephony: str = "", more: str = ""
) -> str:
    """A config.toml for a test. Port -1: one that is free now, and stays when the door restarts; 0: any, each time."""
    return f"""
[ivr]
data = "{data}"
[telephony]
address = "127.0.0.1"
port = {free_port() if port < 0 else port}
idle_workers = 3
max_calls = {max_calls}
rtp_ports = [{rtp}, {rtp + 16 * (max_calls + 10) - 1}]
{telephony}
[telephony.lines]
"*" = "bank-en"
"bank-zh" = "bank-zh"
"quick" = "quick"
"patient" = "patient"
"tones" = "tones"
[flows]
folder = "{flows}"
{more}
"""


def free_port(first: int = 5070) -> int:
    """A port of 127.0.0.1 that is free for UDP and TCP, outside of the range that Linux gives out by itself."""
    for port in range(first + os.getpid() % 1000 * 4, first + 5000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            try:
                udp.bind(("127.0.0.1", port))
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")


def wait_for(look: Callable[[], object], within_s: float = 20):
    """Polls until `look` gives something true; fails when it does not in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {within_s} s: {look}")


@dataclass
class Archived:
    """A call as its bundle has it."""

    path: Path

    @cached_property
    def events(self) -> list[dict]:
        lines = (self.path / "events.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def data(self, kind: str) -> list[dict]:
        """The data of the events of one kind."""
        return [event["data"] for event in self.events if event["kind"] == kind]

    @property
    def started(self) -> dict:
        return next(iter(self.data("call.started")), {})

    @property
    def ended(self) -> dict:
        ended = self.data("call.ended")
        assert len(ended) == 1, self.events
        assert self.events[-1]["kind"] == "call.ended"
        return ended[0]

    @property
    def termination(self) -> str:
        return self.ended["termination"]

    @property
    def heard(self) -> list[str]:
        """What the caller was understood to say."""
        return [data["text"] for data in self.data("utterance") if data["text"]]

    @property
    def keys(self) -> str:
        return "".join(data["key"] for data in self.data("key"))

    @property
    def said(self) -> str:
        """Every prompt's text."""
        return " ".join(data["text"] for data in self.data("prompt.started"))

    @property
    def steps(self) -> list[str]:
        """The steps of the flow, in order."""
        return [data["step"] for data in self.data("step.entered")]

    @property
    def flow_events(self) -> list[str]:
        return [data["event"] for data in self.data("flow.event")]

    @cached_property
    def audio(self) -> NDArray[np.float64]:
        """`[samples, 2]` at 8 kHz: the caller, the hotline; full scale is 1."""
        audio, rate_hz = soundfile.read(self.path / "call.flac", always_2d=True)
        assert rate_hz == 8000
        assert audio.shape[1] == 2
        return audio

    def assert_recorded_whole(self) -> None:
        """The recording is as long as the call was by the wall clock, give or take what a busy machine is late."""
        began = next(event["wall"] for event in self.events if event["kind"] == "media.started")
        length_s = self.events[-1]["wall"] - began
        assert abs(len(self.audio) / 8000 - length_s) < 0.5 + 0.1 * length_s


@dataclass
class Hotline:
    """A running hotline. `uri` is its address for SIP phones."""

    process: subprocess.Popen
    config: Path
    data: Path
    uri: str
    address: tuple[str, int]
    _known: dict[Path, Archived] = field(default_factory=dict)

    def ivr(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess:
        """Runs `ivr ...` with this hotline's settings."""
        return ivr(self.config, *arguments, timeout=timeout)

    def dial(self, *arguments: str, user: str = "", timeout: float = 90) -> dict:
        """Calls the hotline with the test phone; gives its JSON."""
        uri = re.sub(r"sip:[^@]*@", f"sip:{user}@", self.uri) if user else self.uri
        phone = self.ivr("dial", uri, "--json", *arguments, timeout=timeout)
        assert phone.stdout, phone.stderr
        return json.loads(phone.stdout)

    def dialled(self, *arguments: str, user: str = "", timeout: float = 90) -> tuple[dict, Archived]:
        """The same, with the call as the archive has it in the end."""
        before = {call.path for call in self.archived()}
        outcome = self.dial(*arguments, user=user, timeout=timeout)

        def look() -> list[Archived]:
            fresh = [call for call in self.archived() if call.path not in before]
            return [call for call in fresh if call.started.get("caller") == "phone"]

        return outcome, wait_for(look)[0]

    def child(self, name: str) -> int:
        """The process id of a child of the launcher; 0 when there is none."""
        found = [pid for pid in children_of(self.process.pid) if f"\0ivr\0{name}\0" in command_of(pid)]
        return found[0] if found else 0

    @property
    def workers(self) -> list[int]:
        """Process ids of the zygote's workers."""
        return children_of(self.child("zygote"))

    def door(self) -> dict:
        """The front door's status; empty while it does not answer."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(2)
                line.connect(str(self.data / "run/door.sock"))
                line.sendall(b'{"ask": "status"}\n')
                return json.loads(line.makefile().readline() or "{}")
        except OSError:
            return {}

    def up(self) -> list[Archived]:
        """The calls that are up."""
        folders = (self.data / "recordings/open").glob("2*")
        return [Archived(path) for path in folders if (path / "events.jsonl").exists()]

    def archived(self) -> list[Archived]:
        """The sealed calls, oldest first."""
        for path in (self.data / "recordings").glob("2*/*/*/*"):
            if path not in self._known:
                self._known[path] = Archived(path)
        return sorted(self._known.values(), key=lambda call: call.path.name)

    def calls(self, sip_call_id: str) -> list[Archived]:
        """The sealed calls whose SIP Call-ID begins so."""
        return [call for call in self.archived() if call.started.get("sip_call_id", "").startswith(sip_call_id)]

    def call(self, sip_call_id: str, within_s: float = 20) -> Archived:
        """Waits until the call with this SIP Call-ID is sealed."""
        return wait_for(lambda: self.calls(sip_call_id), within_s)[0]

    def live_call(self, sip_call_id: str) -> Archived | None:
        """The call with this SIP Call-ID if it is up."""
        return next((call for call in self.up() if call.started.get("sip_call_id") == sip_call_id), None)

    def rows(self, call: Archived, within_s: float = 20) -> list[int]:
        """Waits until the store has the call from the archive; gives the numbers of its events there."""
        with sqlite3.connect(f"file:{self.data}/hotline.db?mode=ro", uri=True) as store:
            name = (call.path.name,)
            made = "select 1 from sqlite_master where name = 'calls'"
            whole = "select 1 from calls where call_id = ? and archived"
            wait_for(lambda: store.execute(made).fetchall() and store.execute(whole, name).fetchall(), within_s)
            found = store.execute("select seq from events where call_id = ? order by seq", name).fetchall()
        store.close()
        return [seq for (seq,) in found]

    def log(self) -> str:
        """What the processes wrote on standard error."""
        return log_of(self.data).read_text()


def log_of(data: Path) -> Path:
    return data.parent / f"{data.name}.log"


def ivr(config: Path, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess:
    """Runs `ivr COMMAND --config CONFIG ...`."""
    command, *rest = arguments
    return subprocess.run(
        [sys.executable, "-m", "ivr", command, "--config", str(config), *rest],
        cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


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


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def start(config: Path, data: Path, ready_within_s: float = 60) -> Hotline:
    """Starts `ivr serve` and waits for its ready line."""
    with log_of(data).open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ivr", "serve", "--config", str(config)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
            env=os.environ | {"HOTLINE_VERBOSE": "1"},
        )  # fmt: skip
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
        raise AssertionError(f"no ready line but {line!r}:\n{log_of(data).read_text()[-4000:]}")
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
