"""The prompt cache: whole files only, bounded, shared by many processes, on a disk that may be full."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tts.cache import PromptCache, memory_cache

KEY = "ab" * 32
PCM = np.arange(800, dtype="<i2").tobytes()


def test_what_is_kept_is_found_as_a_wav_file(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path / "prompts")
    assert cache.find(KEY) is None
    kept = cache.keep(KEY, PCM)
    assert cache.find(KEY) == kept
    assert kept.samples == 800
    pcm, rate_hz = soundfile.read(kept.file, dtype="int16")
    assert rate_hz == 8000
    assert pcm.astype("<i2").tobytes() == PCM
    assert [path.name for path in (tmp_path / "prompts").iterdir()] == [f"{KEY}.wav"]


@pytest.mark.parametrize("size", [0, 1, 43, 44, 45, 1643])
def test_a_truncated_file_is_not_found_and_is_remade(tmp_path: Path, size: int) -> None:
    cache = PromptCache(tmp_path)
    kept = cache.keep(KEY, PCM)
    os.truncate(kept.file, size)
    assert cache.find(KEY) is None
    assert cache.find(cache.keep(KEY, PCM).file.stem) == kept


def test_a_file_that_lost_its_first_block_is_not_found(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)
    kept = cache.keep(KEY, PCM)
    kept.file.write_bytes(bytes(kept.file.stat().st_size))
    assert cache.find(KEY) is None


def test_a_prompt_of_another_rate_is_not_found(tmp_path: Path) -> None:
    PromptCache(tmp_path, rate_hz=16000).keep(KEY, PCM)
    assert PromptCache(tmp_path, rate_hz=8000).find(KEY) is None


def test_a_folder_in_the_place_of_a_prompt_is_not_found(tmp_path: Path) -> None:
    (tmp_path / f"{KEY}.wav").mkdir()
    assert PromptCache(tmp_path).find(KEY) is None


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_the_prompts_not_heard_for_longest_go_first(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, max_bytes=5 * 1644)
    for number in range(8):
        age(PromptCache(tmp_path).keep(f"{number:064x}", PCM).file, 10_000 - number * 1000)
    assert cache.find(f"{0:064x}")  # heard again: no longer the oldest
    assert cache.trim() == 3
    assert [number for number in range(8) if cache.find(f"{number:064x}")] == [0, 4, 5, 6, 7]


def test_what_was_just_heard_is_never_trimmed(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, max_bytes=1)
    cache.keep(KEY, PCM)
    assert cache.trim() == 0
    assert cache.find(KEY)


def test_keeping_trims_by_itself(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, max_bytes=16 * 1644)
    for number in range(40):
        age(cache.keep(f"{number:064x}", PCM).file, 10_000 - number)
    assert len(list(tmp_path.iterdir())) <= 18


def test_what_a_dead_writer_left_goes_after_an_hour(tmp_path: Path) -> None:
    old, new = tmp_path / "x.part", tmp_path / "y.part"
    old.touch()
    new.touch()
    age(old, 4000)
    assert PromptCache(tmp_path).trim() == 1
    assert not old.exists()
    assert new.exists()


def test_trimming_where_there_is_no_folder_is_nothing(tmp_path: Path) -> None:
    assert PromptCache(tmp_path / "none").trim() == 0


def _write_and_read(folder: str, seed: int) -> int:
    cache = PromptCache(Path(folder), max_bytes=50_000)
    rng = np.random.default_rng(seed)
    torn = 0
    for _ in range(150):
        key = f"{rng.integers(5):064x}"
        if rng.random() < 0.3:
            cache.keep(key, rng.integers(-9, 9, rng.integers(1, 4000), np.int16).tobytes())
        elif kept := cache.find(key):
            torn += len(kept.file.read_bytes()) < 46
    return torn


def test_many_processes_write_and_read_the_same_prompts(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.starmap(_write_and_read, [(str(tmp_path), seed) for seed in range(3)]) == [0, 0, 0]
        pool.close()
        pool.join()
    assert not list(tmp_path.glob("*.part"))


@pytest.fixture
def full_disk(tmp_path: Path) -> Path:
    """A file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system (root)")
    return folder


def test_a_full_disk_is_an_error_that_leaves_nothing_behind(full_disk: Path) -> None:
    try:
        cache = PromptCache(full_disk)
        with pytest.raises(OSError, match="No space left"):
            cache.keep(KEY, bytes(1 << 17))
        assert not list(full_disk.iterdir())
        assert cache.find(cache.keep(KEY, PCM).file.stem)
    finally:
        subprocess.run(["umount", str(full_disk)], check=True)


def test_the_cache_in_memory_is_this_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = memory_cache().keep(KEY, PCM)
    assert kept.file.parent.stat().st_uid == os.getuid()
    kept.file.unlink()
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    (kept.file.parent.parent / f"hotline-prompts-{owner + 1}").mkdir(exist_ok=True)
    try:
        with pytest.raises(PermissionError, match="belongs to someone else"):
            memory_cache()
    finally:
        (kept.file.parent.parent / f"hotline-prompts-{owner + 1}").rmdir()


def test_a_worker_that_speaks_loads_neither_numpy_nor_an_engine() -> None:
    code = (
        "import sys, tts.client, tts.recipe, tts.engines, ivr.speech\n"
        "heavy = {'numpy', 'soxr', 'piper', 'onnxruntime', 'espeakng_loader', 'tts.espeak_engine'} & set(sys.modules)\n"
        "print(', '.join(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "\n"
