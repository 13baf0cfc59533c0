"""Timers that can be frozen while the caller has the call on hold."""

import asyncio

from ivr.timers import Timers


async def test_a_restarted_timer_fires_once_and_a_cancelled_one_never() -> None:
    fired: list[str] = []
    done = asyncio.Event()

    def fire(name: str) -> None:
        fired.append(name)
        if name == "last":
            done.set()

    timers = Timers(fire)
    timers.start("noinput", 0.01)
    timers.start("noinput", 0.02)
    timers.start("gone", 0.01)
    timers.cancel("gone")
    timers.cancel("never started")
    timers.start("last", 0.05)
    await asyncio.wait_for(done.wait(), 5)
    assert fired == ["noinput", "last"]


async def test_no_timer_runs_while_frozen() -> None:
    fired: list[str] = []
    done = asyncio.Event()

    def fire(name: str) -> None:
        fired.append(name)
        if name == "noinput":
            done.set()

    timers = Timers(fire)
    timers.start("noinput", 0.01)
    timers.freeze()
    timers.start("asked while frozen", 0.0)
    timers.start("cancelled while frozen", 0.0)
    timers.cancel("cancelled while frozen")
    await asyncio.sleep(0.05)
    assert fired == []
    timers.thaw()
    await asyncio.wait_for(done.wait(), 5)
    assert sorted(fired) == ["asked while frozen", "noinput"]
