"""The launcher, `ivr serve`: starts the processes of a hotline, says when it is ready, ends them in order."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from ivr.children import CannotStartError, Child
from ivr.config import Config
from ivr.process import EXIT_CANNOT_START
from ivr.runfolder import RunFolderError, claim

log = logging.getLogger(__name__)
READY_WITHIN_S = 60.0


class Hotline:
    """The running processes. They end in the order of the list: callers first, what they stand on last."""

    def __init__(self, config: Config, config_path: Path) -> None:
        self._config_path = config_path
        names = ["zygote", "door", "control", "speech"]
        if config.ivr.bus.url == "auto":
            names.append("broker")
        self.children = {name: Child(name) for name in names}

    async def run(self, stop: asyncio.Event, on_ready: "asyncio.Event | None" = None) -> int:
        """Serves until `stop` is set; returns the exit code."""
        keepers = [
            asyncio.create_task(child.keep(self._config_path), name=f"keep {child.name}")
            for child in self.children.values()
        ]
        stopped = asyncio.create_task(stop.wait(), name="stop")
        ready = asyncio.create_task(self._all_ready(), name="ready")
        try:
            await asyncio.wait([*keepers, stopped, ready], return_when=asyncio.FIRST_COMPLETED, timeout=READY_WITHIN_S)
            if ready.done() and not stop.is_set():
                self._say_ready()
                if on_ready is not None:
                    on_ready.set()
                await asyncio.wait([*keepers, stopped], return_when=asyncio.FIRST_COMPLETED)
            return self._exit_code(keepers, stop)
        finally:
            if stop.is_set():
                sys.stderr.write("ending: hanging up and closing recordings ...\n")
            stopped.cancel()
            ready.cancel()
            for child in self.children.values():
                await child.stop()
            await asyncio.gather(*keepers, stopped, ready, return_exceptions=True)

    def _exit_code(self, keepers: list[asyncio.Task[None]], stop: asyncio.Event) -> int:
        for keeper in keepers:
            if keeper.done() and isinstance(keeper.exception(), CannotStartError):
                return EXIT_CANNOT_START
        if stop.is_set():
            return 0
        for keeper in keepers:
            if keeper.done() and (error := keeper.exception()) is not None:
                log.error("%s is not looked after any more", keeper.get_name(), exc_info=error)
                return 1
        late = [name for name, child in self.children.items() if not child.ready.is_set()]
        log.error("not ready after %.0f s: %s", READY_WITHIN_S, ", ".join(late))
        return 1

    async def _all_ready(self) -> None:
        for child in self.children.values():
            await child.ready.wait()

    def _say_ready(self) -> None:
        address, port = self.children["door"].facts["sip"]
        workers = self.children["zygote"].facts["idle"]
        flows = ", ".join(self.children["zygote"].facts["flows"]) or "none, every call is refused (see `ivr check`)"
        sys.stdout.write(
            f"ready sip:hotline@{address}:{port}  {workers} workers waiting, flows: {flows}. Ctrl-C ends.\n"
        )
        sys.stdout.flush()


def main(config: Config, config_path: Path) -> int:
    """Runs a hotline in the foreground; SIGINT and SIGTERM end it cleanly. What it writes only this user may read."""
    os.umask(0o077)
    for folder in (config.data_folder, config.run_folder, config.recordings_folder, config.prompts_folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            sys.stderr.write(f"{folder} cannot be made: {error.strerror}. Change [ivr] data or the folder's owner.\n")
            return EXIT_CANNOT_START
    try:
        lock = claim(config.run_folder)
    except RunFolderError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CANNOT_START

    async def serve() -> int:
        stop = asyncio.Event()
        ends = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
            ends.append(signal.SIGHUP)  # the terminal is gone
        for number in ends:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await Hotline(config, config_path).run(stop)

    try:
        return asyncio.run(serve())
    finally:
        os.close(lock)
