"""The recordings of people beside caller and hotline (agents, who was consulted, where the call was transferred): each
becomes a FLAC file of its own on the call's clock. Messages that callers leave stay WAV: flows name them.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from recordings import wav
from recordings.errors import BundleDamagedError

KINDS = ("agent", "consulted", "transfer")
_BLOCK = 1 << 16


def waves(bundle: Path) -> list[Path]:
    """The tracks of a closed bundle."""
    return sorted(path for path in bundle.glob("*.wav") if path.stem.partition("-")[0] in KINDS)


def flacs(bundle: Path) -> list[Path]:
    """The tracks of a sealed bundle."""
    return sorted(path for path in bundle.glob("*.flac") if path.stem.partition("-")[0] in KINDS)


def encode(bundle: Path) -> list[dict[str, Any]]:
    """Writes a FLAC beside each track and compares the two; what the manifest is to say of them.

    May be done again after a kill. Raises BundleDamagedError, OSError, soundfile.LibsndfileError.
    """
    return [_encode(path) for path in waves(bundle) if path.stat().st_size > wav.HEADER_BYTES]


def _encode(path: Path) -> dict[str, Any]:
    rate_hz = wav.rate_of(path)
    target = path.with_suffix(".flac")
    part = target.with_name(f".{target.name}")
    samples = 0
    with (
        soundfile.SoundFile(path) as recorded,
        soundfile.SoundFile(part, "w", rate_hz, 1, "PCM_16", format="FLAC") as file,
    ):
        for block in recorded.blocks(_BLOCK, dtype="int16"):
            file.write(block)
            samples += len(block)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    with soundfile.SoundFile(path) as recorded, soundfile.SoundFile(part) as kept:
        for block in recorded.blocks(_BLOCK, dtype="int16"):
            if not np.array_equal(kept.read(len(block), dtype="int16"), block):
                raise BundleDamagedError(f"{part}: differs from the recording before sample {kept.tell()}")
    part.rename(target)
    return {"file": target.name, "rate_hz": rate_hz, "samples": samples}
