"""The recording of one leg while the call is up: raw samples straight to the disk, on the call's sample clock."""

import threading
from collections.abc import Callable
from pathlib import Path

from recordings import wav
from recordings.patient import PatientFile

_MEMORY_BYTES = 8 << 20  # 8.7 minutes at 8 kHz


class LegWriter:
    """Writes `<leg>.wav.part`. One thread writes, any one; a write takes 2 µs and never raises for the disk."""

    def __init__(self, part: Path, rate_hz: int, on_failure: Callable[[OSError], None]) -> None:
        self.part = part
        self.rate_hz = rate_hz
        self._file = PatientFile(part, _MEMORY_BYTES, on_failure)
        self._lock = threading.Lock()
        self._samples = 0
        self._open = True
        self._file.write(0, wav.header(rate_hz))

    @property
    def samples(self) -> int:
        """The leg's clock: how many samples were written or left silent until now."""
        return self._samples

    @property
    def lost_samples(self) -> int:
        """Samples that are silence in the recording because neither disk nor memory had room for them."""
        return self._file.lost_bytes // 2

    def write(self, pcm: bytes) -> None:
        """Appends mono `int16` samples (little endian) of the leg's rate."""
        self.write_at(self._samples, pcm)

    def write_at(self, sample: int, pcm: bytes) -> None:
        """Puts `pcm` where `sample` says: a gap before it is silence, what overlaps earlier samples is dropped."""
        with self._lock:
            if not self._open:
                return
            if sample < self._samples:
                pcm = pcm[(self._samples - sample) * 2 :]
                sample = self._samples
            if not pcm:
                return
            self._samples = sample + len(pcm) // 2
        # A gap is a hole in the file, which reads as zeros.
        self._file.write(wav.HEADER_BYTES + sample * 2, pcm)

    def close(self) -> None:
        """Writes what waits for room, if there is any now. Later writes are ignored: the media thread may be late."""
        with self._lock:
            self._open = False
        self._file.flush()
        self._file.close()
