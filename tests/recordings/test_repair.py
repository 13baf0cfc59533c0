"""Torn bundles: what a killed process leaves is closed without losing a sample or a whole line."""

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

from recordings import manifest
from recordings.bundle import Bundle
from recordings.errors import BundleBusyError, CallNotFoundError
from recordings.read import State, read
from recordings.repair import repair, repair_torn

CALL = "20261121-031500-7f3a9c"
CALLER = """
    import sys, os, pathlib
    import numpy as np
    from recordings.bundle import Bundle
    bundle = Bundle.create(pathlib.Path(sys.argv[1]), sys.argv[2], {"caller": "1001"})
    bundle.event("call.started", None, None, {"caller": "1001"})
    leg = bundle.leg("caller")
    leg.write(np.arange(4800, dtype=np.int16).tobytes())
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def dead_call(tmp_path: Path) -> Path:
    """The recordings folder after a call's process was killed -9."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CALLER), tmp_path, CALL], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        with pytest.raises(BundleBusyError):
            repair(tmp_path, CALL)
        assert repair_torn(tmp_path) == ([], [])
        process.kill()
    return tmp_path


def test_a_killed_call_is_closed_with_all_its_audio(dead_call: Path) -> None:
    [(call_id, ended)], failed = repair_torn(dead_call)
    assert failed == []
    assert call_id == CALL
    assert ended.data == {"termination": "worker_died", "by": "archive"}
    assert ended.sample == 4800
    record = read(dead_call, CALL)
    assert record.state is State.CLOSED
    assert record.about["termination"] == "worker_died"
    assert record.about["caller"] == "1001"
    assert [event.kind for event in record.events] == ["call.started", "call.ended"]
    audio, rate_hz = soundfile.read(record.path / "caller.wav", dtype="int16")
    assert rate_hz == 8000
    assert np.array_equal(audio, np.arange(4800, dtype=np.int16))
    assert repair_torn(dead_call) == ([], [])
    with pytest.raises(CallNotFoundError):
        repair(dead_call, CALL)


def test_half_a_line_and_half_a_sample_are_cut_and_the_line_is_kept_aside(dead_call: Path) -> None:
    path = dead_call / "open" / CALL
    with (path / "events.jsonl").open("ab") as file:
        file.write(b'{"seq":2,"kind":"utter')
    with (path / "caller.wav.part").open("ab") as file:
        file.write(b"\x01")
    ended = repair(dead_call, CALL)
    assert ended.seq == 2
    closed = dead_call / "closed" / CALL
    assert (closed / "events.torn").read_bytes() == b'{"seq":2,"kind":"utter\n'
    assert [json.loads(line)["kind"] for line in (closed / "events.jsonl").read_text().splitlines()] == [
        "call.started",
        "call.ended",
    ]
    assert soundfile.info(closed / "caller.wav").frames == 4800


@pytest.mark.parametrize("text", [None, "", "{broken"])
def test_a_lost_manifest_is_rebuilt_from_the_events(dead_call: Path, text: str | None) -> None:
    path = dead_call / "open" / CALL / "manifest.json"
    path.unlink() if text is None else path.write_text(text)
    repair(dead_call, CALL)
    about = manifest.read(dead_call / "closed" / CALL)
    assert about["caller"] == "1001"
    assert about["closed"] is True
    assert about["legs"]["caller"]["samples"] == 4800


def test_a_damaged_recording_does_not_hold_up_the_rest(dead_call: Path) -> None:
    (dead_call / "open" / CALL / "hotline.wav.part").write_bytes(b"garbage")
    repair(dead_call, CALL)
    closed = dead_call / "closed" / CALL
    assert (closed / "hotline.wav.damaged").read_bytes() == b"garbage"
    assert list(manifest.read(closed)["legs"]) == ["caller"]


def test_a_call_that_said_why_it_ended_keeps_its_termination(
    make_bundle: Callable[..., Bundle], converse: Callable[[Bundle], None]
) -> None:
    bundle = make_bundle()
    converse(bundle)
    bundle.event("call.ended", 24000, None, {"termination": "caller_hangup", "by": "caller"})
    os.close(bundle._lock_fd)  # as if killed here
    assert repair(bundle.folder, bundle.call_id).data["termination"] == "caller_hangup"
    assert read(bundle.folder, bundle.call_id).about["termination"] == "caller_hangup"


def test_folders_of_killed_makings_are_removed_after_a_while(tmp_path: Path) -> None:
    path = tmp_path / "open" / f".{CALL}.77"
    path.mkdir(parents=True)
    born = path.stat().st_mtime
    repair_torn(tmp_path, wall=lambda: born + 1)
    assert path.exists()
    repair_torn(tmp_path, wall=lambda: born + 100)
    assert not path.exists()


def test_a_call_that_begins_during_the_look_does_not_break_it(tmp_path: Path) -> None:
    building = tmp_path / "open" / f".{CALL}.77"
    building.mkdir(parents=True)

    def renamed_meanwhile() -> float:
        building.rename(tmp_path / "open" / "elsewhere")
        return 0.0

    assert repair_torn(tmp_path, wall=renamed_meanwhile) == ([], [])


def test_a_bundle_that_cannot_be_closed_does_not_hold_up_the_others(dead_call: Path) -> None:
    stuck = "20261121-031400-000000"
    (dead_call / "open" / stuck).mkdir()
    (dead_call / "closed" / stuck / "in the way").mkdir(parents=True)
    assert repair_torn(dead_call, leave={stuck, CALL}) == ([], [])
    done, failed = repair_torn(dead_call)
    assert [call_id for call_id, _ in done] == [CALL]
    assert [call_id for call_id, _ in failed] == [stuck]
