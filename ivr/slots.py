"""Slots: which of the machine's places for a call a worker has, and so its RTP ports.

A slot is a lock file that the worker holds open until it ends, so that two zygotes never give out the same ports.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from telephony.stack import RTP_PORTS_PER_PROCESS


@dataclass(frozen=True, slots=True)
class Slot:
    """`lock` is the open file descriptor that holds the slot: whoever has a copy of it keeps the slot."""

    number: int
    rtp_port: int
    lock: int

    def release(self) -> None:
        """Closes this process's copy of the lock."""
        os.close(self.lock)


class Slots:
    """Gives out slots; one thread only."""

    def __init__(self, folder: Path, rtp_ports: tuple[int, int], most: int) -> None:
        self._folder = folder
        first, last = rtp_ports
        self._first = first
        self.count = min(most, (last + 1 - first) // RTP_PORTS_PER_PROCESS)
        self._next = 0
        folder.mkdir(parents=True, exist_ok=True)

    def take(self) -> Slot | None:
        """A slot that no process has, or None. Freed slots come last, so that late RTP of a dead call hits nobody."""
        for offset in range(self.count):
            number = (self._next + offset) % self.count
            lock = os.open(self._folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            self._next = number + 1
            return Slot(number, self._first + number * RTP_PORTS_PER_PROCESS, lock)
        return None
