"""One sample clock for all legs of a process: that of the leg that was there first, the caller's."""

import time

TICK_SAMPLES = 160  # the bridge's clock: 20 ms at 8 kHz


class TickClock:
    """Used on the bridge's clock thread only."""

    def __init__(self) -> None:
        self._owner: object = None
        self._sample = 0
        self._at = 0.0

    def begin(self, owner: object, frame_samples: int) -> int:
        """Where the first frame of a leg's, which has just been filled, begins on the clock; 0 for the first leg's."""
        if self._owner is None:
            self._owner = owner
            return 0
        ticks = round((time.monotonic() - self._at) * 8000 / TICK_SAMPLES)
        return max(0, self._sample + ticks * TICK_SAMPLES - frame_samples)

    def advance(self, owner: object, sample: int) -> None:
        """A leg has delivered everything before `sample`."""
        if owner is self._owner:
            self._sample, self._at = sample, time.monotonic()
