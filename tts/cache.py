"""Prompts on disk: one WAV file (mono, 16 bits) for each key.

Many processes may read and write at once, and any of them may die at any moment: a file appears whole or not at all,
and one that is not whole is not found. Knows nothing of how prompts are made. Light: no numpy.
"""

import os
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 1 << 30
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_TOUCH_S = 60.0
_SAFE_S = 120.0  # a prompt used this recently may be about to be opened by a player: never removed
_ABANDONED_S = 3600.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A prompt on disk."""

    file: Path
    samples: int


class PromptCache:
    """A folder of prompts. `max_bytes` bounds it: the prompts not heard for the longest time go first."""

    def __init__(self, folder: Path, rate_hz: int = 8000, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._rate_hz = rate_hz
        self._max_bytes = max_bytes
        self._unchecked_bytes = 0

    def find(self, key: str) -> Kept | None:
        """The prompt of this key, None where there is none or where the file is torn. Marks it as heard just now."""
        path = self._path(key)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            state = os.fstat(descriptor)
            data_bytes = state.st_size - _HEADER.size
            if data_bytes <= 0 or os.read(descriptor, _HEADER.size) != self._header(data_bytes):
                return None
            if time.time() - state.st_mtime > _TOUCH_S:
                os.utime(descriptor)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return Kept(path, data_bytes // 2)

    def keep(self, key: str, pcm: bytes) -> Kept:
        """Writes a prompt (int16 little-endian samples), replacing what was there. Raises OSError, leaving no trace."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(key)
        descriptor, part = tempfile.mkstemp(suffix=".part", dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._header(len(pcm)) + pcm)
                file.flush()
                os.fsync(descriptor)
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        self._unchecked_bytes += _HEADER.size + len(pcm)
        if self._unchecked_bytes > self._max_bytes // 16:
            self.trim()
        return Kept(path, len(pcm) // 2)

    def trim(self) -> int:
        """Removes the prompts not heard for the longest time until the rest fits, and what dead writers left.

        Returns how many files went.
        """
        self._unchecked_bytes = 0
        now, removed, total = time.time(), 0, 0
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            try:
                state = path.stat()
            except OSError:  # another process trims too
                continue
            if path.suffix == ".part" and now - state.st_mtime > _ABANDONED_S:
                path.unlink(missing_ok=True)
                removed += 1
            elif path.suffix == ".wav":
                found.append((state.st_mtime, state.st_size, path))
                total += state.st_size
        for heard, size, path in sorted(found):
            if total <= self._max_bytes or now - heard < _SAFE_S:
                break
            path.unlink(missing_ok=True)
            total -= size
            removed += 1
        return removed

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.wav"

    def _header(self, data_bytes: int) -> bytes:
        rate = self._rate_hz
        riff = (b"RIFF", data_bytes + _HEADER.size - 8, b"WAVE")
        return _HEADER.pack(*riff, b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", data_bytes)


def memory_cache(rate_hz: int = 8000, max_bytes: int = 64 << 20) -> PromptCache:
    """A small cache in memory for when the disk is full. Raises OSError where another user took its folder."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder is this user's own, which is checked
    home = memory if memory.is_dir() else Path(tempfile.gettempdir())
    folder = home / f"hotline-prompts-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to someone else")
    return PromptCache(folder, rate_hz, max_bytes)
