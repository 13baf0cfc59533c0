"""Synthetic calls, and a small disk that can be full."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest

from recordings.bundle import Bundle
from recordings.callid import new_call_id

ABOUT = {"caller": "1001", "called": "hotline", "flow": "bank-en", "version": 1, "language": "en"}


def pcm(samples: int, seed: int = 0) -> bytes:
    """Seeded noise."""
    return np.random.default_rng(seed).integers(-8000, 8000, samples, dtype=np.int16).tobytes()


@pytest.fixture
def noise() -> Callable[[int, int], bytes]:
    return pcm


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Bundle]:
    """Makes open bundles below tmp_path/recordings (or `folder`), each with another id."""
    random = Random(7)

    def make(folder: Path | None = None) -> Bundle:
        wall = 1795230000.0
        return Bundle.create(folder or tmp_path / "recordings", new_call_id(wall, random), ABOUT, wall=lambda: wall)

    return make


def talk(bundle: Bundle) -> None:
    """A short conversation: a prompt, barged in by an utterance; an answer; two keys; 3 s of audio on both legs."""
    bundle.leg("caller").write(pcm(24000, 1))
    bundle.leg("hotline").write(pcm(23000, 2))
    bundle.event("call.started", None, None, {**ABOUT, "codec": "PCMA", "sip_call_id": "x@y", "worker_pid": 1})
    bundle.event("media.started", 0, "caller", {"codec": "PCMA"})
    bundle.event("step.entered", 0, None, {"step": "greet", "type": "menu"})
    bundle.event("prompt.started", 80, "hotline", {"prompt": 1, "step": "greet", "text": "Welcome. 欢迎", "file": "a"})
    bundle.event("speech.started", 8000, "caller", {})
    bundle.event("prompt.ended", 8080, "hotline", {"prompt": 1, "reason": "barge_in", "played_ms": 1000})
    bundle.event("speech.ended", 12000, "caller", {})
    said = {
        "text": "balance",
        "confidence": 0.93,
        "start_sample": 7600,
        "end_sample": 11000,
        "words": [],
        "step": "greet",
    }
    bundle.event("utterance", 14400, "caller", said)
    bundle.event("utterance", 14400, "caller", {**said, "text": ""})
    bundle.event("step.entered", 14400, None, {"step": "verify", "type": "gather"})
    bundle.event(
        "prompt.started", 15000, "hotline", {"prompt": 2, "step": "verify", "text": "Your number?", "file": "b"}
    )
    bundle.event("prompt.ended", 20000, "hotline", {"prompt": 2, "reason": "finished", "played_ms": 625})
    turn = {"speech_end_sample": 11000, "endpoint_sample": 14200, "final_sample": 14400, "step_sample": 14404}
    turn |= {"prompt_sample": 15000, "rtp_sample": 15160, "text": "balance", "step": "greet"}
    bundle.event("turn", 15160, None, turn)
    bundle.event("key", 21000, "caller", {"key": "1", "method": "rfc4733"})
    bundle.event("key", 22000, "caller", {"key": "*", "method": "info"})


@pytest.fixture
def converse() -> Callable[[Bundle], None]:
    return talk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    path = tmp_path / "small"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", path], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"mount is not allowed here: {mounted.stderr.decode().strip()}")
    yield path
    subprocess.run(["umount", path], check=True)
