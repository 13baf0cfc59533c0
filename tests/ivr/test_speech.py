"""The speech process as the launcher runs it, with real espeak-ng: start, kill, restart, end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ivr.config import Config, load
from ivr.speech import client
from tts.client import Clause, SpeechClient

pytestmark = pytest.mark.net

COMMAND = [sys.executable, "-m", "ivr", "speech", "--config"]

FLOW = """
flow = "tiny"
start = "hello"
language = "en"

[step.hello]
type = "say"
prompt = "Welcome to the tiny bank."
next = "name"

[step.name]
type = "say"
prompt = "You are {call.caller}."
next = "bye"

[step.bye]
type = "hangup"
prompt = { en = "Goodbye for now.", zh-CN = "再见，谢谢。" }
"""


@contextmanager
def running(folder: Path, engine: str = "espeak") -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen([*COMMAND, str(settings(folder, engine))], stdout=subprocess.PIPE, text=True)
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


def settings(folder: Path, engine: str = "espeak") -> Path:
    path = folder / "config.toml"
    path.write_text(f'[tts]\nengine = "{engine}"\n[flows]\nfolder = "flows"\n', encoding="utf-8")
    return path


def config(folder: Path, engine: str = "espeak") -> Config:
    return load(settings(folder, engine))


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


def test_what_the_flows_will_say_is_made_before_anybody_calls(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/tiny.toml").write_text(FLOW, encoding="utf-8")
    speaker = client(config(tmp_path))
    wanted = [("Welcome to the tiny bank.", "en"), ("Goodbye for now.", "en"), ("再见，谢谢。", "zh-CN")]
    wanted.append(("I did not hear you.", "en"))
    with running(tmp_path) as process:
        ready(process)
        until = time.monotonic() + 30
        while not all(all(speaker.cached(text, language)) for text, language in wanted):
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_voices_that_do_not_speak_are_named(tmp_path: Path) -> None:
    path = settings(tmp_path)
    path.write_text('[tts.voices]\nen = "en-us"\nde = "klingonese"\n')
    with subprocess.Popen([*COMMAND, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "[tts.voices]" in line)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert "[tts.voices] de = 'klingonese': espeak-ng has no voice" in told


def test_a_data_folder_too_deep_for_a_socket_is_named(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    done = subprocess.run([*COMMAND, str(settings(folder))], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 3
    assert "shorten [ivr] data" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_it_ends_when_its_launcher_dies(tmp_path: Path) -> None:
    launcher = (
        "import subprocess, sys\n"
        "child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", launcher, *COMMAND, str(settings(tmp_path, "fake"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        speech = psutil.Process(int(process.stdout.readline()))
        process.kill()
        assert not psutil.wait_procs([speech], 20)[1]
