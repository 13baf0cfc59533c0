"""The keys by which an agent steers a talk from an ordinary phone. Pure: keys and times in, codes out.

A code is `*` and a digit; those that need a number take digits until `#`. Keys that are no part of a code mean nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

PATIENCE_S = 5.0  # between two keys of a code; later the rest is forgotten
LONGEST_NUMBER = 32


class Code(StrEnum):
    """What an agent can ask for during a talk; the value is the digit after the star."""

    HOLD = "1"
    """Hold, and back to the caller; the one who was consulted stays on the line."""
    CONSULT = "2"
    """Call somebody (number, then #) while the caller hears music."""
    CONFERENCE = "3"
    """Caller, agent and the one who was consulted all together."""
    COMPLETE = "4"
    """Leave: caller and the one who was consulted talk on."""
    BACK = "5"
    """Drop the one who was consulted, back to the caller."""
    TRANSFER = "6"
    """Send the caller to a number (number, then #) without consulting."""
    HANG_UP = "9"
    """End the talk; the caller's flow goes on."""


WITH_NUMBER = frozenset((Code.CONSULT, Code.TRANSFER))
_KNOWN = {str(code): code for code in Code}


@dataclass(frozen=True, slots=True)
class Asked:
    """A whole code; `number` is empty where the code takes none."""

    code: Code
    number: str = ""


class StarCodes:
    """Collects one agent's keys."""

    def __init__(self) -> None:
        self._star = False
        self._code: Code | None = None
        self._number = ""
        self._last = 0.0

    def key(self, key: str, now: float) -> Asked | None:
        """Takes a key pressed at `now` (seconds of any clock); gives the code that it completes."""
        if now - self._last > PATIENCE_S:
            self._forget()
        self._last = now
        if self._code is not None:
            return self._in_number(self._code, key)
        if key == "*":
            self._star = True
            return None
        if not self._star:
            return None
        self._star = False
        code = _KNOWN.get(key)
        if code in WITH_NUMBER:
            self._code, self._number = code, ""
            return None
        return Asked(code) if code is not None else None

    def _in_number(self, code: Code, key: str) -> Asked | None:
        if key == "*":  # a new code: the number was a mistake
            self._forget()
            self._star = True
            return None
        if key != "#":
            self._number = (self._number + key)[:LONGEST_NUMBER]
            return None
        number = self._number
        self._forget()
        return Asked(code, number) if number else None

    def _forget(self) -> None:
        self._star, self._code, self._number = False, None, ""
