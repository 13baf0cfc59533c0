"""The zygote: loads code and models once, forks workers, reaps and replaces them. Nothing else.

It is single-threaded and opens no socket, database or event loop: whatever is open before a fork is shared after it.
A worker tells it one byte at a time over a pipe: `i` idle, again and again; `b` busy; end of file: it is gone.
"""

import gc
import logging
import math
import os
import selectors
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ivr.slots import Slot, Slots

log = logging.getLogger(__name__)
CRASH_PAUSE_S = 0.5
SILENT_S = 10.0  # an idle worker that says nothing for so long hangs, and is replaced
BUSY_SILENT_S = 60.0  # one in a call has long lost its caller then


class WorkerState(StrEnum):
    """Where a worker is in its one life."""

    STARTING = "starting"
    IDLE = "i"
    BUSY = "b"


@dataclass(slots=True)
class _Child:
    pid: int
    slot: int
    pipe: int
    state: WorkerState = WorkerState.STARTING
    heard: float = 0.0


class Zygote:
    """Keeps `idle_workers` ready, in all at most as many as there are slots. `work` is the child's, never returns.

    `launcher` is the process id of the parent: without it no new calls are taken, and those that are up go on.
    """

    def __init__(
        self,
        slots: Slots,
        idle_workers: int,
        work: Callable[[Slot, int], None],
        on_ready: Callable[[], None],
        launcher: int,
    ) -> None:
        self._slots = slots
        self._wanted = min(idle_workers, slots.count)
        self._work = work
        self._on_ready = on_ready
        self._launcher = launcher
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._ready = False
        self._not_before = 0.0

    def run(self) -> None:
        """Serves until SIGTERM; then ends the idle workers and waits for the busy ones, which got SIGTERM too."""
        wakeup, notify = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)
        self._selector.register(wakeup, selectors.EVENT_READ)
        gc.collect()
        gc.freeze()
        while not self._stopping or self._children:
            if not self._stopping:
                self._fill()
            for key, _ in self._selector.select(0.5):
                if key.fd == wakeup:
                    os.read(wakeup, 4096)
                else:
                    self._hear(key.data)
            self._end_hanging()
            self._reap()
            self._orphaned()

    def _fill(self) -> None:
        while self._missing() > 0 and time.monotonic() >= self._not_before:
            slot = self._slots.take()
            if slot is None:
                return
            self._fork(slot)

    def _missing(self) -> int:
        spare = sum(child.state is not WorkerState.BUSY for child in self._children.values())
        return self._wanted - spare

    def _fork(self, slot: Slot) -> None:
        hear, tell = os.pipe2(os.O_CLOEXEC)
        # A SIGTERM that comes while forking waits until it finds the new worker in the list.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
        pid = os.fork()
        if pid == 0:
            os.close(hear)
            self._become_worker(slot, tell)
        child = _Child(pid, slot.number, hear)
        self._children[pid] = child
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
        os.close(tell)
        slot.release()
        self._selector.register(hear, selectors.EVENT_READ, child)

    def _become_worker(self, slot: Slot, tell: int) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
            self._selector.close()
            os.dup2(2, 1)  # the launcher takes a zygote for alive as long as anybody has its standard output
            for child in self._children.values():
                if child.pipe >= 0:
                    os.close(child.pipe)
            self._work(slot, tell)
        except BaseException:
            log.exception("worker %d in slot %d failed", os.getpid(), slot.number)
            os._exit(70)
        os._exit(0)

    def _hear(self, child: _Child) -> None:
        said = os.read(child.pipe, 64).decode()
        if not said:
            self._selector.unregister(child.pipe)
            os.close(child.pipe)
            child.pipe = -1
            return
        child.state, child.heard = WorkerState(said[-1]), time.monotonic()
        idle = sum(other.state is not WorkerState.STARTING for other in self._children.values())
        if not self._ready and idle >= self._wanted:
            self._ready = True
            self._on_ready()

    def _end_hanging(self) -> None:
        """A worker that hangs takes no call, yet counts as one that waits for it, or keeps its slot for a call that is
        long dead.
        """
        patience_s = {WorkerState.IDLE: SILENT_S, WorkerState.BUSY: BUSY_SILENT_S}
        for child in self._children.values():
            if time.monotonic() - child.heard > patience_s.get(child.state, math.inf):
                log.error("worker %d hangs: killed", child.pid)
                os.kill(child.pid, signal.SIGKILL)
                child.heard = math.inf

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is None:
                continue
            if child.pipe >= 0:
                self._selector.unregister(child.pipe)
                os.close(child.pipe)
            if status != 0:
                log.error("worker %d (%s) ended with %s", pid, child.state.name, _how(status))
            if child.state is WorkerState.STARTING:
                self._not_before = time.monotonic() + CRASH_PAUSE_S

    def _stop(self, _signal: int, _frame: object) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)

    def _orphaned(self) -> None:
        if os.getppid() != self._launcher and not self._stopping:
            log.error("the launcher is gone: no new calls")
            self._stopping = True
            for child in self._children.values():
                if child.state is not WorkerState.BUSY:
                    os.kill(child.pid, signal.SIGTERM)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"exit code {os.waitstatus_to_exitcode(status)}"
