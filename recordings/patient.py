"""A file that waits for room: what a full disk refuses stays in memory and is written, in place, when it can be.

Owns the retrying; what the bytes mean is the caller's. Nothing here raises for a failed write: a call must not end
because a disk did.
"""

import errno
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def failure_code(error: OSError) -> str:
    """The machine-readable code of a failed write."""
    return "recording.disk_full" if error.errno in _FULL else "recording.write_failed"


class PatientFile:
    """Unbuffered writes at given places, oldest first, with at most `memory_bytes` waiting.

    The file is made by the first write. `on_failure(error)` is called whenever writes begin to fail. Safe from any
    thread; a write is one system call.
    """

    def __init__(
        self,
        path: Path,
        memory_bytes: int,
        on_failure: Callable[[OSError], None],
        pwrite: Callable[[int, bytes, int], int] = os.pwrite,
    ) -> None:
        self._path = path
        self._fd = -1
        self._closed = False
        self._memory_bytes = memory_bytes
        self._on_failure = on_failure
        self._pwrite = pwrite
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._waiting_bytes = 0
        self._end = 0
        self._failing = False
        self.lost_bytes = 0

    def write(self, offset: int, data: bytes) -> bool:
        """Writes `data` at `offset` now or later; False when memory is full too and it is lost (a hole: zeros)."""
        with self._lock:
            kept, failure = self._put(offset, data)
        if failure is not None:
            self._on_failure(failure)
        return kept

    def append(self, data: bytes) -> bool:
        """Writes `data` after all that was written, now or later; False when it is lost (and leaves no hole)."""
        with self._lock:
            end = self._end
            kept, failure = self._put(end, data)
            if not kept:
                self._end = end
        if failure is not None:
            self._on_failure(failure)
        return kept

    def flush(self) -> bool:
        """Tries to write what waits; True when nothing waits any more."""
        with self._lock:
            self._drain()
            return not self._waiting

    def give_up(self) -> int:
        """Forgets what waits and cuts the file before it; returns how many writes that were. For `append` only."""
        with self._lock:
            count = len(self._waiting)
            if count:
                self._end = self._waiting[0][0]
                self._forget()
                if self._fd >= 0:
                    with suppress(OSError):
                        os.ftruncate(self._fd, self._end)
            return count

    def close(self) -> None:
        """Counts what waits as lost, makes the file as long as all its writes, closes. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._forget()
            if self._fd >= 0:
                with suppress(OSError):  # then it is as long as what was written
                    os.ftruncate(self._fd, self._end)
                os.close(self._fd)

    def _forget(self) -> None:
        self.lost_bytes += self._waiting_bytes
        self._waiting.clear()
        self._waiting_bytes = 0

    def _put(self, offset: int, data: bytes) -> tuple[bool, OSError | None]:
        if self._closed:
            return False, None
        failure = self._drain() if self._waiting else None
        self._end = max(self._end, offset + len(data))
        if self._waiting_bytes + len(data) > self._memory_bytes:
            self.lost_bytes += len(data)
            return False, failure
        self._waiting.append((offset, data))
        self._waiting_bytes += len(data)
        return True, self._drain() or failure

    def _drain(self) -> OSError | None:
        """Writes as much as the disk takes; returns the error that began a failure, None while one goes on."""
        while self._waiting:
            offset, data = self._waiting[0]
            try:
                if self._fd < 0:
                    self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
                if self._pwrite(self._fd, data, offset) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as the next write will say
            except OSError as error:
                began = not self._failing
                self._failing = True
                return error if began else None
            self._waiting.popleft()
            self._waiting_bytes -= len(data)
        self._failing = False
        return None
