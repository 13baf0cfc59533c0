"""Child processes of the launcher: start, wait until ready, start again when they die, end in order."""

import asyncio
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivr.process import EXIT_CANNOT_START

log = logging.getLogger(__name__)
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
STEADY_S = 10.0
TRIES_BEFORE_READY = 3


class CannotStartError(Exception):
    """A child cannot start, and trying again is of no use; it has told why on standard error."""


@dataclass(slots=True)
class Child:
    """One kind of process. `facts` is the JSON that it said when it became ready; `pid` the present one's."""

    name: str
    stop_within_s: float = 5.0
    facts: dict[str, Any] = field(default_factory=dict)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    process: Process | None = None
    stopping: bool = False

    @property
    def pid(self) -> int:
        """The process id, 0 while there is none."""
        return self.process.pid if self.process and self.process.returncode is None else 0

    async def keep(self, config: Path) -> None:
        """Runs the process and starts it again whenever it ends, until `stop`. Raises CannotStartError."""
        pause_s = FIRST_PAUSE_S
        failures = 0
        loop = asyncio.get_running_loop()
        while not self.stopping:
            began = loop.time()
            status = await self._run_once(config)
            if self.stopping:
                return
            failures = 0 if self.facts else failures + 1
            if not self.facts and (status == EXIT_CANNOT_START or failures == TRIES_BEFORE_READY):
                raise CannotStartError(self.name)
            pause_s = FIRST_PAUSE_S if loop.time() - began > STEADY_S else min(2 * pause_s, LONGEST_PAUSE_S)
            log.error("%s ended with status %s; starting it again in %.1f s", self.name, status, pause_s)
            await asyncio.sleep(pause_s)

    async def _run_once(self, config: Path) -> int:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ivr", self.name, "--config", str(config),
            stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, start_new_session=True, env=_environment(self.name),
        )  # fmt: skip
        if self.stopping:  # asked while the process was being made
            self.process.terminate()
        output = self.process.stdout
        assert output is not None
        while line := await output.readline():
            if line.startswith(b'{"ready"'):
                self.facts = json.loads(line)
                self.ready.set()
            else:
                sys.stderr.write(line.decode(errors="replace"))
        return await self.process.wait()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL when it does not end in time."""
        self.stopping = True
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), self.stop_within_s)
        except TimeoutError:
            log.error("%s did not end in %.0f s: killed", self.name, self.stop_within_s)
            self.process.kill()
            await self.process.wait()


def _environment(name: str) -> dict[str, str]:
    """One thread for numpy's linear algebra: a thread pool does not survive a fork. Few malloc arenas: less memory.

    Control seals calls of every length: what it takes for one goes back to the system after it (mallopt(3), fixed
    thresholds instead of ones that grow).
    """
    settings = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "MALLOC_ARENA_MAX": "2"}
    if name == "control":
        settings |= {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    return os.environ | settings
