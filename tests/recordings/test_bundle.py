"""The open bundle: what is on disk while the call is up, and after it."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile

from recordings import lock, manifest
from recordings.bundle import Bundle
from recordings.callid import is_call_id, new_call_id
from recordings.errors import BundleBusyError, BundleCreateError, CallNotFoundError
from recordings.termination import Termination

Make = Callable[..., Bundle]
Noise = Callable[[int, int], bytes]


def samples_of(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="int16")[0]


def events_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]


def test_call_ids_sort_by_time_and_are_safe_in_paths() -> None:
    first, second = new_call_id(0, Random(1)), new_call_id(1795230000, Random(1))
    assert first.startswith("19700101-000000-")
    assert first < second
    assert is_call_id(second)
    assert not is_call_id("../../etc")


def test_everything_is_on_disk_while_the_call_is_up(make_bundle: Make, noise: Noise) -> None:
    bundle = make_bundle()
    bundle.leg("caller").write(noise(480, 1))
    event = bundle.event("note", 480, "caller", {"text": "你好"})
    assert events_of(bundle.path) == [event]
    assert event["seq"] == 1
    assert manifest.read(bundle.path)["closed"] is False
    part = bundle.path / "caller.wav.part"
    assert np.array_equal(samples_of(part), np.frombuffer(noise(480, 1), np.int16))


def test_the_lock_is_held_while_the_call_is_up(make_bundle: Make) -> None:
    bundle = make_bundle()
    with pytest.raises(BundleBusyError):
        lock.take(bundle.path)
    bundle.close(Termination.COMPLETED, "hotline")
    with pytest.raises(CallNotFoundError):
        lock.take(bundle.path)


def test_gaps_are_silence_and_overlaps_are_dropped(make_bundle: Make) -> None:
    bundle = make_bundle()
    leg = bundle.leg("hotline")
    ones = np.ones(10, np.int16).tobytes()
    leg.write_at(5, ones)
    leg.write_at(10, (2 * np.ones(10, np.int16)).tobytes())
    leg.write_at(0, ones)
    assert leg.samples == 20
    bundle.close(Termination.COMPLETED, "hotline")
    path = bundle.folder / "closed" / bundle.call_id / "hotline.wav"
    assert samples_of(path).tolist() == [0] * 5 + [1] * 10 + [2] * 5


def test_closing_finishes_and_moves_the_bundle(make_bundle: Make, noise: Noise) -> None:
    bundle = make_bundle()
    bundle.leg("caller").write(noise(800, 1))
    bundle.leg("hotline", rate_hz=16000).write(noise(1600, 2))
    bundle.event("call.started", None, None, {})
    event = bundle.close(Termination.CALLER_HANGUP, "caller", {"rtp": {"lost": 0}})
    assert bundle.close(Termination.SHUTDOWN, "hotline") == event
    bundle.leg("caller").write(noise(10, 3))
    path = bundle.folder / "closed" / bundle.call_id
    assert not bundle.path.exists()
    assert event["data"] == {"termination": "caller_hangup", "by": "caller", "rtp": {"lost": 0}}
    assert event["sample"] == 800
    assert [item["kind"] for item in events_of(path)] == ["call.started", "call.ended"]
    about = manifest.read(path)
    assert about["closed"] is True
    assert about["caller"] == "1001"
    assert about["termination"] == "caller_hangup"
    assert about["events"] == 2
    assert about["legs"]["hotline"] == {
        "file": "hotline.wav", "rate_hz": 16000, "samples": 1600, "lost_samples": 0,
    }  # fmt: skip
    assert sorted(item.name for item in path.iterdir()) == [
        "caller.wav", "events.jsonl", "hotline.wav", "lock", "manifest.json",
    ]  # fmt: skip
    assert len(samples_of(path / "caller.wav")) == 800
    assert soundfile.info(path / "hotline.wav").samplerate == 16000


def test_two_bundles_of_one_call_are_refused(make_bundle: Make) -> None:
    bundle = make_bundle()
    with pytest.raises(BundleCreateError):
        Bundle.create(bundle.folder, bundle.call_id, {})
    with pytest.raises(ValueError):
        Bundle.create(bundle.folder, "../evil", {})
    assert [item.name for item in (bundle.folder / "open").iterdir()] == [bundle.call_id]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BundleCreateError, match="file"):
        Bundle.create(tmp_path / "file", "20261121-031500-7f3a9c", {})


@pytest.mark.net
def test_a_full_disk_loses_nothing_once_there_is_room(small_disk: Path, make_bundle: Make, noise: Noise) -> None:
    ballast = small_disk / "ballast"
    bundle = make_bundle(small_disk / "recordings")
    ballast.write_bytes(b"x" * (150 << 10))
    caller, hotline = bundle.leg("caller"), bundle.leg("hotline")
    for number in range(100):  # 94 KiB a leg
        caller.write(noise(480, number))
        hotline.write_at(number * 480, noise(480, 1000 + number))
        if number % 10 == 0:
            bundle.event("note", number * 480, None, {"number": number})
    assert shutil.disk_usage(small_disk).free == 0
    ballast.unlink()
    bundle.close(Termination.COMPLETED, "hotline")
    path = bundle.folder / "closed" / bundle.call_id
    assert samples_of(path / "caller.wav").tobytes() == b"".join(noise(480, n) for n in range(100))
    assert samples_of(path / "hotline.wav").tobytes() == b"".join(noise(480, 1000 + n) for n in range(100))
    events = events_of(path)
    assert [item["seq"] for item in events] == list(range(1, 13))
    errors = [item["data"]["code"] for item in events if item["kind"] == "error"]
    assert errors == ["recording.disk_full"]


@pytest.mark.net
def test_a_disk_that_stays_full_costs_what_the_manifest_counts(
    small_disk: Path, make_bundle: Make, noise: Noise
) -> None:
    bundle = make_bundle(small_disk / "recordings")
    caller = bundle.leg("caller")
    caller.write(noise(480, 0))
    fill(small_disk / "ballast")
    for number in range(1, 101):
        caller.write(noise(480, number))
    bundle.event("note", 0, None, {})
    event = bundle.close(Termination.CALLER_HANGUP, "caller")
    assert event["data"]["termination"] == "caller_hangup"
    path = bundle.folder / "closed" / bundle.call_id
    about = manifest.read(path)
    assert about["termination"] == "caller_hangup"
    lost = about["legs"]["caller"]["lost_samples"]
    assert 0 < lost <= 480 * 100
    audio = samples_of(path / "caller.wav")
    assert len(audio) == 480 * 101
    assert audio[:480].tobytes() == noise(480, 0)
    assert events_of(path)[-1] == event


def fill(path: Path) -> None:
    """Takes all the room there is."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 1024)
