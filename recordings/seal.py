"""From closed to sealed: one stereo FLAC (caller left, hotline right), a transcript, and a place by date.

Each step may be done again after a kill at any point. The WAV files go only after the FLAC was read back and was the
same sample by sample. Agents and others have a FLAC each (`recordings.tracks`); messages stay as they are.
"""

import json
import os
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from recordings import lock, manifest, tracks, wav
from recordings.errors import BundleDamagedError
from recordings.event import parse_lines
from recordings.layout import AUDIO, EVENTS, closed_place, sealed_place, unstored_mark
from recordings.read import call_ids
from recordings.summary import summarise
from recordings.transcript import lines_of, text_of

CHANNELS = ("caller", "hotline")
_BLOCK = 1 << 16

Pcm = NDArray[np.int16]


def seal(folder: Path, call_id: str) -> Path:
    """Seals one closed bundle and returns its place; the call is marked as not yet in the store.

    Takes 30 ms for a minute of call: run it in a thread. Raises BundleBusyError, CallNotFoundError, BundleDamagedError,
    OSError; then the bundle stays in `closed/` as whole as it was.
    """
    path, target = closed_place(folder, call_id), sealed_place(folder, call_id)
    with lock.held(path):
        about = manifest.read(path)
        if not about.get("sealed"):
            try:
                about["audio"] = _encode(path)
                if kept := tracks.encode(path):
                    about["tracks"] = kept
            except soundfile.LibsndfileError as error:
                raise BundleDamagedError(f"{path}: {error}") from error
            _write_transcript(path, about)
            about["sealed"] = True
            manifest.write(path, about)
        for recorded in [*(path / f"{name}.wav" for name in CHANNELS), *tracks.waves(path)]:
            recorded.unlink(missing_ok=True)
        mark_unstored(folder, call_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        (target / lock.LOCK).unlink(missing_ok=True)
    return target


def mark_unstored(folder: Path, call_id: str) -> None:
    """Notes that a sealed call is not in the store. Raises OSError."""
    mark = unstored_mark(folder, call_id)
    mark.parent.mkdir(exist_ok=True)
    mark.touch()


def mark_all_unstored(folder: Path) -> int:
    """Notes that no sealed call is in the store, which is new; returns how many there are. Raises OSError."""
    count = 0
    for call_id in call_ids(folder):
        if sealed_place(folder, call_id).is_dir():
            mark_unstored(folder, call_id)
            count += 1
    return count


def _encode(bundle: Path) -> dict[str, Any] | None:
    """Writes call.flac and compares it with the WAV files; None when the call has no audio."""
    legs = [path for path in (bundle / f"{name}.wav" for name in CHANNELS) if path.exists()]
    rate_hz = max((wav.rate_of(path) for path in legs), default=0)  # also refuses what is no recording
    if not any(path.stat().st_size > wav.HEADER_BYTES for path in legs):
        return None
    part, target = bundle / f".{AUDIO}", bundle / AUDIO
    samples = 0
    with soundfile.SoundFile(part, "w", rate_hz, len(CHANNELS), "PCM_16", format="FLAC") as file:
        for block in _stereo(bundle, rate_hz):
            file.write(block)
            samples += len(block)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    _compare(part, _stereo(bundle, rate_hz), samples)
    part.rename(target)
    return {"file": AUDIO, "rate_hz": rate_hz, "samples": samples, "channels": list(CHANNELS)}


def _compare(path: Path, expected: Iterator[Pcm], samples: int) -> None:
    with soundfile.SoundFile(path) as file:
        if len(file) != samples:
            raise BundleDamagedError(f"{path}: has {len(file)} samples instead of {samples}")
        for block in expected:
            if not np.array_equal(file.read(len(block), dtype="int16"), block):
                raise BundleDamagedError(f"{path}: differs from the recording before sample {file.tell()}")


def _stereo(bundle: Path, rate_hz: int) -> Iterator[Pcm]:
    """The two legs side by side, `int16[n, 2]`; the shorter one ends in silence."""
    legs = (_blocks(bundle / f"{name}.wav", rate_hz) for name in CHANNELS)
    for left, right in zip_longest(*legs, fillvalue=np.zeros(0, np.int16)):
        block = np.zeros((max(len(left), len(right)), 2), np.int16)
        block[: len(left), 0] = left
        block[: len(right), 1] = right
        yield block


def _blocks(path: Path, rate_hz: int) -> Iterator[Pcm]:
    """One leg at `rate_hz`, in blocks of `_BLOCK` samples but the last; nothing for a leg that is not there."""
    if not path.exists():
        return
    held = np.zeros(0, np.int16)
    for block in _resampled(path, rate_hz):
        held = np.concatenate([held, block])
        while len(held) >= _BLOCK:
            yield held[:_BLOCK]
            held = held[_BLOCK:]
    if len(held):
        yield held


def _resampled(path: Path, rate_hz: int) -> Iterator[Pcm]:
    with soundfile.SoundFile(path) as file:
        if file.samplerate == rate_hz:
            yield from file.blocks(_BLOCK, dtype="int16")
            return
        stream = soxr.ResampleStream(file.samplerate, rate_hz, 1, dtype="int16")
        for block in file.blocks(_BLOCK, dtype="int16"):
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros(0, np.int16), last=True)


def _write_transcript(bundle: Path, about: dict[str, Any]) -> None:
    events, _ = parse_lines((bundle / EVENTS).read_bytes())
    lines = lines_of(events)
    value = {
        "call_id": bundle.name,
        "language": summarise(bundle.name, about, events).language,
        "lines": [line.to_json() for line in lines],
    }
    for name, text in (
        ("transcript.json", json.dumps(value, ensure_ascii=False, indent=1) + "\n"),
        ("transcript.txt", text_of(lines)),
    ):
        temporary = bundle / f".{name}"
        temporary.write_text(text, encoding="utf-8")
        temporary.rename(bundle / name)
