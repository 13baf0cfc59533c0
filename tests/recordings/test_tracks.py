"""What agents said is kept as a track of its own, sealed with the call."""

from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from recordings import tracks
from recordings.bundle import Bundle
from recordings.errors import BundleDamagedError
from recordings.read import read
from recordings.seal import seal
from recordings.termination import Termination


def closed(make_bundle: Callable[..., Bundle], noise: Callable[[int, int], bytes]) -> Bundle:
    bundle = make_bundle()
    bundle.leg("caller").write(noise(16000, 1))
    bundle.leg("hotline").write(noise(16000, 2))
    bundle.leg("agent-1").write_at(8000, noise(4000, 3))
    bundle.leg("message-1").write(noise(800, 4))
    bundle.close(Termination.CALLER_HANGUP, "caller")
    return bundle


def test_an_agents_track_becomes_flac_on_the_calls_clock_and_a_message_stays(
    make_bundle: Callable[..., Bundle], noise: Callable[[int, int], bytes]
) -> None:
    bundle = closed(make_bundle, noise)
    path = seal(bundle.folder, bundle.call_id)
    sound, rate_hz = soundfile.read(path / "agent-1.flac", dtype="int16")
    assert rate_hz == 8000
    assert not sound[:8000].any()
    assert sound[8000:].tobytes() == noise(4000, 3)
    assert not (path / "agent-1.wav").exists()
    assert (path / "message-1.wav").exists()
    record = read(bundle.folder, bundle.call_id)
    assert record.about["tracks"] == [{"file": "agent-1.flac", "rate_hz": 8000, "samples": 12000}]
    assert record.audio == [path / "call.flac"]
    assert record.tracks == [path / "agent-1.flac"]


def test_a_track_that_comes_out_otherwise_keeps_its_recording(
    make_bundle: Callable[..., Bundle], noise: Callable[[int, int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = closed(make_bundle, noise)
    with monkeypatch.context() as patched:
        patched.setattr(tracks.np, "array_equal", lambda *_: False)
        with pytest.raises(BundleDamagedError):
            tracks.encode(bundle.folder / "closed" / bundle.call_id)
    path = seal(bundle.folder, bundle.call_id)
    assert np.array_equal(
        soundfile.read(path / "agent-1.flac", dtype="int16")[0][8000:], np.frombuffer(noise(4000, 3), np.int16)
    )
