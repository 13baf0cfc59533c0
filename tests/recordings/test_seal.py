"""Sealing: nothing is lost, wherever it is killed."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recordings.bundle import Bundle
from recordings.errors import BundleDamagedError
from recordings.read import State, call_ids, read
from recordings.repair import repair_torn
from recordings.seal import seal
from recordings.termination import Termination

Make = Callable[..., Bundle]
Noise = Callable[[int, int], bytes]
Converse = Callable[[Bundle], None]


def test_a_sealed_call_is_stereo_flac_transcript_and_manifest(
    make_bundle: Make, noise: Noise, converse: Converse
) -> None:
    bundle = make_bundle()
    converse(bundle)
    bundle.close(Termination.CALLER_HANGUP, "caller")
    path = seal(bundle.folder, bundle.call_id)
    assert path == bundle.folder / "2026" / "11" / "21" / bundle.call_id
    audio, rate_hz = soundfile.read(path / "call.flac", dtype="int16")
    assert rate_hz == 8000
    assert audio[:, 0].tobytes() == noise(24000, 1)
    assert audio[:23000, 1].tobytes() == noise(23000, 2)
    assert not audio[23000:, 1].any()
    assert sorted(item.name for item in path.iterdir()) == [
        "call.flac", "events.jsonl", "manifest.json", "transcript.json", "transcript.txt",
    ]  # fmt: skip
    record = read(bundle.folder, bundle.call_id)
    assert record.state is State.SEALED
    assert record.about["audio"] == {
        "file": "call.flac", "rate_hz": 8000, "samples": 24000, "channels": ["caller", "hotline"],
    }  # fmt: skip
    assert record.audio == [path / "call.flac"]
    assert "欢迎" in (path / "transcript.txt").read_text(encoding="utf-8")
    transcript = json.loads((path / "transcript.json").read_text())
    assert transcript["language"] == "en"
    assert [line["who"] for line in transcript["lines"]] == ["hotline", "caller", "hotline", "caller"]
    assert (bundle.folder / "unstored" / bundle.call_id).exists()


def test_a_call_without_media_is_sealed_without_audio(make_bundle: Make) -> None:
    bundle = make_bundle()
    bundle.close(Termination.CANCELLED, "caller")
    path = seal(bundle.folder, bundle.call_id)
    assert not (path / "call.flac").exists()
    assert read(bundle.folder, bundle.call_id).audio == []


def test_an_empty_and_a_missing_leg_are_silence(make_bundle: Make, noise: Noise) -> None:
    bundle = make_bundle()
    bundle.leg("caller")
    bundle.close(Termination.CANCELLED, "caller")
    assert not (seal(bundle.folder, bundle.call_id) / "call.flac").exists()
    bundle = make_bundle()
    bundle.leg("hotline").write(noise(100000, 3))
    bundle.close(Termination.COMPLETED, "hotline")
    audio, _ = soundfile.read(seal(bundle.folder, bundle.call_id) / "call.flac", dtype="int16")
    assert audio[:, 1].tobytes() == noise(100000, 3)
    assert not audio[:, 0].any()


def test_legs_of_two_rates_meet_at_the_higher(make_bundle: Make) -> None:
    bundle = make_bundle()
    tone = (8000 * np.sin(2 * np.pi * 400 * np.arange(16000) / 16000)).astype(np.int16)
    bundle.leg("caller", 16000).write(tone.tobytes())
    bundle.leg("hotline", 8000).write(tone[::2].tobytes())
    bundle.close(Termination.COMPLETED, "hotline")
    audio, rate_hz = soundfile.read(seal(bundle.folder, bundle.call_id) / "call.flac", dtype="int16")
    assert rate_hz == 16000
    assert audio.shape == (16000, 2)
    assert np.array_equal(audio[:, 0], tone)
    assert np.abs(audio[1000:15000, 1].astype(int) - tone[1000:15000]).max() < 40


def test_other_legs_are_kept(make_bundle: Make, noise: Noise) -> None:
    bundle = make_bundle()
    bundle.leg("caller").write(noise(800, 1))
    bundle.leg("message-1").write(noise(800, 2))
    bundle.close(Termination.COMPLETED, "hotline")
    path = seal(bundle.folder, bundle.call_id)
    assert soundfile.read(path / "message-1.wav", dtype="int16")[0].tobytes() == noise(800, 2)


def test_a_flac_that_differs_is_never_trusted(make_bundle: Make, converse: Converse, monkeypatch) -> None:
    bundle = make_bundle()
    converse(bundle)
    bundle.close(Termination.COMPLETED, "hotline")
    write = soundfile.SoundFile.write
    monkeypatch.setattr(
        soundfile.SoundFile, "write", lambda self, data: write(self, data + np.int16(data.shape[0] > 0))
    )
    with pytest.raises(BundleDamagedError, match=r"call\.flac"):
        seal(bundle.folder, bundle.call_id)
    assert (bundle.folder / "closed" / bundle.call_id / "caller.wav").exists()


KILLED = """
    import os, pathlib, signal, sys
    from recordings.repair import repair_torn
    from recordings.seal import seal
    from recordings.read import call_ids
    folder, steps = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    def watch(event, arguments):
        global steps
        if event in {"open", "os.rename", "os.remove", "os.mkdir", "os.truncate", "os.utime"} and inside:
            steps -= 1
            if steps == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    inside = False
    sys.addaudithook(watch)
    inside = True
    repair_torn(folder)
    seal(folder, sys.argv[3])
    inside = False
"""


def test_killed_before_any_step_of_repair_and_sealing_nothing_is_lost(
    make_bundle: Make, noise: Noise, converse: Converse, tmp_path: Path
) -> None:
    """Kills a fresh process before each of its file operations in turn; the next one finishes the work."""
    kills = 0
    for step in range(1, 200):
        folder = tmp_path / str(step)
        bundle = make_bundle(folder)
        converse(bundle)
        with (bundle.path / "events.jsonl").open("ab") as file:
            file.write(b'{"seq":99,"ki')
        os.close(bundle._lock_fd)  # the call's process is dead
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(KILLED), folder, str(step), bundle.call_id], check=False
        )
        kills += done.returncode == -9
        assert done.returncode in {0, -9}
        repair_torn(folder)
        if (folder / "closed" / bundle.call_id).exists():
            seal(folder, bundle.call_id)
        assert list(call_ids(folder)) == [bundle.call_id]
        record = read(folder, bundle.call_id)
        assert record.state is State.SEALED
        audio, _ = soundfile.read(record.path / "call.flac", dtype="int16")
        assert audio[:, 0].tobytes() == noise(24000, 1)
        assert [event.kind for event in record.events].count("call.ended") == 1
        assert (record.path / "events.torn").read_bytes() == b'{"seq":99,"ki\n'
        assert (folder / "unstored" / bundle.call_id).exists()
        assert not list(record.path.glob("*.wav*"))
        if done.returncode == 0:
            break
    assert kills > 20
