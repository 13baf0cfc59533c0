"""When the far end speaks and when it has finished, seen from a phone's two directions on one sample clock."""

import array
import asyncio
from collections.abc import Callable

LOUD = 200  # of 32767: above comfort noise and codec noise, below any prompt
TURN_ENDS_AFTER = 6400  # 0.8 s of silence: longer than the pauses between a prompt's sentences
WINDOW = 160


class Replies:
    """Fed with frames; tells when it is this phone's turn. One event loop, one waiter."""

    def __init__(self) -> None:
        self._sample = 0
        self._last_heard = -1
        self._last_said = -1
        self._first_reply = -1
        self._news = asyncio.Event()

    def frame(self, sample: int, heard8k: bytes, said8k: bytes) -> None:
        """Takes 60 ms of both directions."""
        if (last := _last_loud(said8k)) >= 0:
            self._last_said, self._first_reply = sample + last, -1
        if (first := _first_loud(heard8k)) >= 0:
            if self._first_reply < 0 and sample + first > self._last_said:
                self._first_reply = sample + first
            self._last_heard = sample + _last_loud(heard8k)
        self._sample = sample + len(heard8k) // 2
        self._news.set()

    def spoke(self, sample: int) -> None:
        """This phone's turn ended at `sample` without sound of its own: keys."""
        self._last_said, self._first_reply = sample, -1

    @property
    def reply_ms(self) -> int | None:
        """Milliseconds from the end of this phone's turn to the far end's first sound; None while there is none."""
        return (self._first_reply - self._last_said) // 8 if self._first_reply >= 0 else None

    async def reply(self, patience_s: float) -> bool:
        """Waits for the far end's first sound after this phone's turn."""
        return await self._until(lambda: self._first_reply >= 0, patience_s)

    async def silence(self, patience_s: float) -> bool:
        """Waits until the far end has spoken, since this phone's turn, and fallen silent."""
        return await self._until(
            lambda: self._last_heard > self._last_said and self._sample - self._last_heard > TURN_ENDS_AFTER, patience_s
        )

    async def _until(self, condition: Callable[[], bool], patience_s: float) -> bool:
        try:
            async with asyncio.timeout(patience_s):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True


def _first_loud(pcm8k: bytes) -> int:
    return next((index for index, value in enumerate(array.array("h", pcm8k)) if abs(value) > LOUD), -1)


def _last_loud(pcm8k: bytes) -> int:
    samples = array.array("h", pcm8k)
    return next((index for index in range(len(samples) - 1, -1, -1) if abs(samples[index]) > LOUD), -1)
