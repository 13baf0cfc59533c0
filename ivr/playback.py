"""A leg's player as the event loop sees it: each command is posted to the stack's thread."""

from telephony.leg import Leg
from telephony.stack import Stack


class LegPlayback:
    """Commands take effect within some 10 ms; what comes of them arrives as leg events."""

    def __init__(self, stack: Stack, leg: Leg) -> None:
        self._stack = stack
        self._player = leg.player

    def play(self, token: int, path: str) -> None:
        """Plays the file after those before it."""
        self._stack.post(lambda: self._player.play(token, path))

    def pause(self) -> None:
        """Silence; the place is remembered."""
        self._stack.post(self._player.pause)

    def resume(self) -> None:
        """Goes on where `pause` stopped."""
        self._stack.post(self._player.resume)

    def stop(self) -> None:
        """Silence; every file is forgotten."""
        self._stack.post(self._player.stop)
