"""The speech process as the launcher runs it, with real espeak-ng: start, kill, restart, end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ivr.config import Config, IvrSettings, TtsSettings
from ivr.speech import client
from tts.client import Clause, SpeechClient

pytestmark = pytest.mark.net

PROGRAM = """
import sys
from pathlib import Path
from ivr.config import Config, IvrSettings, TtsSettings
from ivr.speech import main

sys.exit(main(Config(root=Path(sys.argv[1]), tts=TtsSettings(engine=sys.argv[2]))))
"""


@contextmanager
def running(folder: Path, engine: str = "espeak") -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), engine], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ready(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    answer: dict[str, str] = json.loads(process.stdout.readline())
    return answer


def config(folder: Path, engine: str = "espeak") -> Config:
    return Config(root=folder, ivr=IvrSettings(), tts=TtsSettings(engine=engine))  # type: ignore[arg-type]


async def said(speaker: SpeechClient, text: str, language: str) -> list[Clause]:
    return [clause async for clause in speaker.say(text, language)]


def test_it_speaks_both_languages_and_ends_cleanly(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert ready(process) == {"ready": "speech", "socket": str(tmp_path / "var/run/speech.sock")}
        speaker = client(config(tmp_path))
        english = asyncio.run(said(speaker, "Your balance is $1,250.30. Goodbye, and thank you.", "en-US"))
        mandarin = asyncio.run(said(speaker, "您的余额是1250.30元。", "zh-CN"))
        assert [len(english), len(mandarin)] == [2, 1]
        assert all(8000 < clause.samples < 60000 for clause in english + mandarin)
        children = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not psutil.wait_procs(children, 20)[1]


def test_a_killed_engine_and_a_killed_process_are_not_noticed(tmp_path: Path) -> None:
    speaker = client(config(tmp_path))
    with running(tmp_path) as process:
        ready(process)
        assert asyncio.run(said(speaker, "First prompt.", "en"))
        for child in psutil.Process(process.pid).children():
            child.kill()
        assert asyncio.run(said(speaker, "Second prompt.", "en"))
        engines = psutil.Process(process.pid).children()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
        assert not psutil.wait_procs(engines, 20)[1]  # they end with their input
    assert asyncio.run(said(speaker, "First prompt. Second prompt.", "en"))
    with running(tmp_path) as process:
        ready(process)
        assert asyncio.run(said(speaker, "Third prompt.", "en"))


def test_a_second_one_leaves_the_first_alone(tmp_path: Path) -> None:
    with running(tmp_path, "fake") as first:
        ready(first)
        with running(tmp_path, "fake") as second:
            assert second.wait(20) == 1
        assert asyncio.run(said(client(config(tmp_path, "fake")), "Hello there.", "en"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_it_ends_when_its_launcher_dies(tmp_path: Path) -> None:
    launcher = (
        "import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2], 'fake'],"
        " stdout=subprocess.PIPE)\nchild.stdout.readline()\nprint(child.pid, flush=True)\nsys.stdin.read()"
    )
    command = [sys.executable, "-c", launcher, PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        speech = psutil.Process(int(process.stdout.readline()))
        process.kill()
        assert not psutil.wait_procs([speech], 20)[1]
