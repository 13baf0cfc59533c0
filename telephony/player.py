"""Plays WAV files into a leg, one after another, natively: no Python on the way of a sample.

Every method must be called on the stack's thread. Pausing takes the file off the bridge, which stops it at the next
20 ms tick of the bridge's clock; the file keeps its place because the bridge reads nothing without a listener.
"""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import pjsua2 as pj

from telephony.legevents import Played, PlayFailed, Playing


class _File(pj.AudioMediaPlayer):  # type: ignore[misc]
    def __init__(self, token: int, on_end: Callable[[int], None]) -> None:
        super().__init__()
        self._token = token
        self._on_end = on_end

    def onEof2(self) -> None:
        """A thread of pjmedia's own calls this when the file is played out."""
        self._on_end(self._token)


class Player:
    """The prompts of one leg. `sinks` gives the bridge ports that hear them (the leg itself, its tap), `post` leads to
    the stack's thread from any other.
    """

    def __init__(
        self,
        sinks: Callable[[], Sequence[pj.AudioMedia]],
        emit: Callable[[Playing | Played | PlayFailed], object],
        post: Callable[[Callable[[], object]], None],
        bury: Callable[[object], None],
    ) -> None:
        self._sinks = sinks
        self._emit = emit
        self._post = post
        self._bury = bury
        self._waiting: deque[tuple[int, str]] = deque()
        self._file: _File | None = None
        self._token = 0
        self._paused = False
        self._held = False

    def play(self, token: int, path: str) -> None:
        """Plays the file after those before it; `Played(token)` or `PlayFailed(token)` follows unless it is stopped."""
        self._waiting.append((token, path))
        if self._file is None:
            self._next()

    def pause(self) -> None:
        """Falls silent at the next tick and remembers the place."""
        if not self._paused:
            self._paused = True
            self._disconnect()

    def resume(self) -> None:
        """Goes on where `pause` stopped."""
        if self._paused:
            self._paused = False
            self._go_on()

    def hold(self, held: bool) -> None:
        """The leg is on hold, or no more: nothing plays meanwhile, whatever else is asked for."""
        self._held = held
        if held:
            self._disconnect()
        else:
            self._go_on()

    def stop(self) -> None:
        """Falls silent at the next tick and forgets every file, those that wait too, and that it was paused."""
        self._waiting.clear()
        self._disconnect()
        self._drop()
        self._paused = False

    def reconnect(self) -> None:
        """Connects the present file to the sinks anew, after a re-INVITE gave the leg another bridge port."""
        if self._file is not None and not self._silent:
            for sink in self._sinks():
                self._file.startTransmit(sink)

    @property
    def _silent(self) -> bool:
        return self._paused or self._held

    def _go_on(self) -> None:
        self.reconnect()
        if self._file is None:
            self._next()

    def _next(self) -> None:
        while self._waiting and self._file is None and not self._silent:
            token, path = self._waiting.popleft()
            file = _File(token, self._played_out)
            try:
                file.createPlayer(path, pj.PJMEDIA_FILE_NO_LOOP)
            except pj.Error as error:
                self._emit(PlayFailed(token, f"{Path(path).name}: {error.reason or error.info()}"))
                continue
            self._file, self._token = file, token
            self.reconnect()
            self._emit(Playing(token))

    def _played_out(self, token: int) -> None:
        self._post(lambda: self._ended(token))

    def _ended(self, token: int) -> None:
        if self._file is None or token != self._token:
            return
        self._disconnect()
        self._drop()
        self._emit(Played(token))
        self._next()

    def _disconnect(self) -> None:
        if self._file is not None:
            for sink in self._sinks():
                self._file.stopTransmit(sink)

    def _drop(self) -> None:
        if self._file is not None:
            self._bury(self._file)
            self._file = None
