"""Who hears whom in one process: pairs of parties, kept as connections of pjsua2's conference bridge.

Sound goes from one to the other natively, mixed where several speak to one. Every method must be called on the stack's
thread.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import pjsua2 as pj


class Party(Protocol):
    """Somebody who speaks and hears: a leg, or a console's microphone."""

    @property
    def voice(self) -> pj.AudioMedia | None:
        """What the party says; None while there is no sound of it (before the answer, on hold, after the end)."""

    def ears(self) -> Sequence[pj.AudioMedia]:
        """Where what the party hears goes."""


Pair = tuple[Party, Party]


class Bridge:
    """The matrix. A pair is (who speaks, who hears it); what a leg's own player plays to it is no part of this."""

    def __init__(self) -> None:
        self._wanted: frozenset[Pair] = frozenset()
        self._made: set[Pair] = set()

    def connect(self, pairs: Iterable[Pair]) -> None:
        """From the next tick of 20 ms on these hear each other, and nobody else."""
        self._wanted = frozenset(pairs)
        self.refresh()

    def refresh(self) -> None:
        """Makes the connections anew: a leg's media changed (answer, re-INVITE, hold, end)."""
        for speaker, hearer in self._made - self._wanted:
            if (voice := speaker.voice) is not None:
                for ear in hearer.ears():
                    voice.stopTransmit(ear)
        self._made = set(self._wanted) | {pair for pair in self._made if _is_silent(pair)}
        for speaker, hearer in self._wanted:
            if (voice := speaker.voice) is not None:
                for ear in hearer.ears():
                    voice.startTransmit(ear)


def _is_silent(pair: Pair) -> bool:
    """Whether the connection could not be undone: the leg's port may come back with it, after a hold."""
    return pair[0].voice is None or not pair[1].ears()
