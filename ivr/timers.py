"""The flow's timers: named, restartable, and frozen while the caller has the call on hold."""

import asyncio
from collections.abc import Callable


class Timers:
    """Calls `fire(name)` on the event loop when a timer runs out. One thread only."""

    def __init__(self, fire: Callable[[str], None]) -> None:
        self._fire = fire
        self._running: dict[str, asyncio.TimerHandle] = {}
        self._frozen: dict[str, float] | None = None

    def start(self, name: str, seconds: float) -> None:
        """Starts a timer; the same name again restarts it."""
        self.cancel(name)
        if self._frozen is not None:
            self._frozen[name] = seconds
            return
        self._running[name] = asyncio.get_running_loop().call_later(seconds, self._run_out, name)

    def cancel(self, name: str) -> None:
        """Forgets a timer, running or not."""
        if handle := self._running.pop(name, None):
            handle.cancel()
        if self._frozen is not None:
            self._frozen.pop(name, None)

    def freeze(self) -> None:
        """Stops time for every timer."""
        if self._frozen is None:
            now = asyncio.get_running_loop().time()
            self._frozen = {name: max(0.0, handle.when() - now) for name, handle in self._running.items()}
            self.cancel_running()

    def thaw(self) -> None:
        """Lets every timer run on with what it had left."""
        frozen, self._frozen = self._frozen or {}, None
        for name, seconds in frozen.items():
            self.start(name, seconds)

    def cancel_running(self) -> None:
        """Forgets every running timer."""
        for handle in self._running.values():
            handle.cancel()
        self._running.clear()

    def _run_out(self, name: str) -> None:
        del self._running[name]
        self._fire(name)
