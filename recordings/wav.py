"""The 44-byte RIFF header of mono 16-bit PCM (Microsoft/IBM "Multimedia Programming Interface" 1.0, 1991).

A recording under way carries the largest length, which players read as "until the end of the file"; the true one is
written when it ends. Owns headers only; `recordings.leg` writes the samples.
"""

import os
import struct
from pathlib import Path

from recordings.errors import BundleDamagedError

HEADER_BYTES = 44
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_UNKNOWN = 0xFFFFFFFF


def header(rate_hz: int, data_bytes: int | None = None) -> bytes:
    """Makes the header; without `data_bytes` it is that of a recording under way."""
    size = _UNKNOWN if data_bytes is None else min(data_bytes, _UNKNOWN - 36)
    whole = _UNKNOWN if data_bytes is None else size + 36
    return _HEADER.pack(b"RIFF", whole, b"WAVE", b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16, b"data", size)


def rate_of(path: Path) -> int:
    """The sampling rate of a recording, finished or not.

    Raises BundleDamagedError where the file does not begin with a header of this module.
    """
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
    if len(start) < HEADER_BYTES:
        raise BundleDamagedError(f"{path}: {len(start)} bytes are too few for a WAV header")
    riff, _, wave, _, _, coding, channels, rate_hz, _, _, bits, data, _ = _HEADER.unpack(start)
    if (riff, wave, coding, channels, bits, data) != (b"RIFF", b"WAVE", 1, 1, 16, b"data"):
        raise BundleDamagedError(f"{path}: not a mono 16-bit PCM WAV file")
    return int(rate_hz)


def finish(path: Path, target: Path) -> int:
    """Writes the true length into the header, syncs, renames `path` to `target`; returns the number of samples.

    Half a sample at the end is cut. Idempotent until the rename. Raises OSError, BundleDamagedError.
    """
    rate_hz = rate_of(path)
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        samples = (os.fstat(fd).st_size - HEADER_BYTES) // 2
        os.ftruncate(fd, HEADER_BYTES + samples * 2)
        os.pwrite(fd, header(rate_hz, samples * 2), 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    path.rename(target)
    return samples
