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
