"""The zygote as a process of its own, with workers that only wait: who is ended when, and who is left alone."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ZYGOTE = """
    import functools, os, signal, sys, time
    from pathlib import Path
    from ivr.slots import Slots
    from ivr import zygote
    from ivr.zygote import Zygote

    zygote.SILENT_S = float(sys.argv[2])
    zygote.BUSY_SILENT_S = float(sys.argv[3])

    folder = Path(sys.argv[1])

    def work(slot, tell):
        (folder / str(slot.number)).write_text(str(os.getpid()))
        os.write(tell, b"ib" if slot.number == 0 else b"i")
        while True:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            time.sleep(0.05)
            try:
                os.write(tell, b"b" if slot.number == 0 else b"i")
            except BrokenPipeError:
                (folder / f"{slot.number}.orphan").touch()
                os._exit(0)

    pool = Zygote(Slots(folder / "slots", (30000, 30031), 2), 2, work, lambda: None, os.getppid())
    (folder / "zygote").write_text(str(os.getpid()))
    pool.run()
"""
LAUNCHER = """
    import subprocess, sys, time
    subprocess.Popen([sys.executable, "-c", *sys.argv[1:]])
    time.sleep(60)
"""


def runs(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


class Scene:
    """A launcher, its zygote, and the two workers of that, by their process ids."""

    def __init__(self, folder: Path, silent_s: float = 60, busy_silent_s: float = 60) -> None:
        self.folder = folder
        code = [textwrap.dedent(text) for text in (LAUNCHER, ZYGOTE)]
        self.launcher = subprocess.Popen(
            [sys.executable, "-c", *code, str(folder), str(silent_s), str(busy_silent_s)], cwd=Path(__file__).parents[2]
        )

    def pid(self, name: str) -> int:
        path = self.folder / name
        return int(path.read_text() or 0) if path.exists() else 0

    def end(self) -> None:
        self.launcher.kill()
        self.launcher.wait()
        for name in ("zygote", "0", "1"):
            if pid := self.pid(name):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture
async def scene(tmp_path: Path, eventually: Callable) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    await eventually(lambda: scene.pid("0") and scene.pid("1"))
    yield scene
    scene.end()


async def test_when_the_launcher_dies_calls_go_on_and_idle_workers_end(scene: Scene, eventually: Callable) -> None:
    scene.launcher.kill()
    scene.launcher.wait()
    await eventually(lambda: not runs(scene.pid("1")))
    assert runs(scene.pid("0")), "it has a call"
    assert runs(scene.pid("zygote")), "it waits for the call"
    os.kill(scene.pid("0"), signal.SIGKILL)
    await eventually(lambda: not runs(scene.pid("zygote")))


async def test_a_worker_notices_that_the_zygote_was_killed_when_it_next_speaks(
    scene: Scene, eventually: Callable
) -> None:
    os.kill(scene.pid("zygote"), signal.SIGKILL)
    await eventually((scene.folder / "1.orphan").exists)


async def test_sigterm_ends_the_zygote_and_every_worker(scene: Scene, eventually: Callable) -> None:
    os.kill(scene.pid("zygote"), signal.SIGTERM)
    await eventually(lambda: not any(runs(scene.pid(name)) for name in ("zygote", "0", "1")))


async def test_an_idle_worker_that_hangs_is_replaced_and_one_in_a_call_is_not(
    tmp_path: Path, eventually: Callable
) -> None:
    scene = Scene(tmp_path, silent_s=2)
    await eventually(lambda: scene.pid("0") and scene.pid("1"))
    busy, idle = scene.pid("0"), scene.pid("1")
    os.kill(busy, signal.SIGSTOP)
    os.kill(idle, signal.SIGSTOP)
    await eventually(lambda: scene.pid("1") not in (0, idle))
    assert runs(busy)
    assert not runs(idle)
    scene.end()


async def test_a_worker_that_hangs_in_a_call_gives_its_slot_back_in_the_end(
    tmp_path: Path, eventually: Callable
) -> None:
    scene = Scene(tmp_path, busy_silent_s=2)
    await eventually(lambda: scene.pid("0") and scene.pid("1"))
    busy = scene.pid("0")
    os.kill(busy, signal.SIGSTOP)
    await eventually(lambda: not runs(busy))
    scene.end()
