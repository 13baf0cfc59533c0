"""The call's sample clock: 8 kHz samples of the caller's leg since its media began, read between two frames too."""

import time

SAMPLES_PER_S = 8000


class SampleClock:
    """Advanced by each frame; between frames it runs on by the machine's monotonic clock. One thread only."""

    def __init__(self) -> None:
        self._sample = 0
        self._at = time.monotonic()

    def advance(self, sample: int) -> None:
        """The bridge has just delivered everything before `sample`."""
        self._sample = sample
        self._at = time.monotonic()

    @property
    def now(self) -> int:
        """The present sample."""
        return self._sample + int((time.monotonic() - self._at) * SAMPLES_PER_S)
