"""Measures the ACD with its real processes (broker, control) and store; only the workers have no telephone.

`python -m bench.acd [--quick]`. With 500 callers and 200 agents, on SQLite and PostgreSQL: an agent becomes free to the
offer on the bus, and assignments a second. With two control processes: 10,000 assignments, none of them double.
"""

import argparse
import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from bench import postgres
from bench.acdkill import Survival, survive
from bench.acdserver import AcdServer
from bench.acdworkers import Call, Workers
from bench.processes import Process, cpu_s
from bench.report import Report, percentile, rows_table
from ivr.bus import BusError

_LIMIT_MS = 150.0
_SETTLED_S = 5.0  # after everybody has logged in and been rung at once


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    callers: int
    agents: int
    steady_s: float
    rush_s: float
    double: int


FULL = Size(callers=500, agents=200, steady_s=40.0, rush_s=20.0, double=10_000)
QUICK = Size(callers=100, agents=40, steady_s=6.0, rush_s=5.0, double=500)


class Crowd:
    """Keeps so many callers waiting: one who is served is replaced."""

    def __init__(self, workers: Workers, size: int) -> None:
        self.workers = workers
        self.size = size
        self.left: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def fill(self) -> None:
        """All of them join."""
        await asyncio.gather(*(self.workers.join("cards") for _ in range(self.size)))

    def over(self, _call: Call) -> None:
        """A call has ended: the next caller comes."""
        if self.left is not None:
            self.left -= 1
            if self.left < self.size:
                return
        task = asyncio.get_running_loop().create_task(self._next())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _next(self) -> None:
        with suppress(BusError):
            await self.workers.join("cards")


async def log_in(workers: Workers, names: list[str]) -> None:
    """All agents become ready."""
    await asyncio.gather(*(workers.agent(name, "login") for name in names))


async def steady(server: AcdServer, names: list[str], size: Size) -> dict[str, Any]:
    """Everybody talks, callers wait; some ten agents a second become free. When is each rung?"""
    random = Random(1)
    longest_s = size.agents / 10 * 2
    async with Workers(server.find, ring_s=0.02, talk_s=lambda: random.uniform(0.1, longest_s)) as workers:
        crowd = Crowd(workers, size.callers + size.agents)
        workers.over = crowd.over
        await crowd.fill()
        await log_in(workers, names)
        await workers.until(lambda: workers.assigned >= size.agents, 60)
        await asyncio.sleep(_SETTLED_S)
        workers.waits.clear()
        control = [Process(server.pid("control"), "control")]
        before, began = cpu_s(control)["control"], time.monotonic()
        await asyncio.sleep(size.steady_s)
        waits = [1000 * wait for wait in workers.waits]
        cpu = (cpu_s(control)["control"] - before) / (time.monotonic() - began)
        return {
            "offers": len(waits),
            "p50 ms": percentile(waits, 50),
            "p95 ms": percentile(waits, 95),
            "longest ms": max(waits, default=None),
            "control cores": cpu,
            "wrong": len(workers.wrong),
        }


async def rush(server: AcdServer, names: list[str], size: Size) -> dict[str, Any]:
    """Agents answer and hang up at once, callers never run out: how many assignments a second?"""
    async with Workers(server.find, ring_s=0.0, talk_s=lambda: 0.0) as workers:
        crowd = Crowd(workers, size.callers)
        workers.over = crowd.over
        await crowd.fill()
        await log_in(workers, names)
        await workers.until(lambda: workers.assigned >= size.agents, 60)
        before, began = workers.assigned, time.monotonic()
        await asyncio.sleep(size.rush_s)
        rate = (workers.assigned - before) / (time.monotonic() - began)
        return {"assignments a second": rate, "wrong": len(workers.wrong)}


async def two_controls(server: AcdServer, names: list[str], size: Size) -> dict[str, Any]:
    """So many assignments by two control processes at once."""
    async with Workers(server.find, ring_s=0.01, talk_s=lambda: 0.01) as workers:
        crowd = Crowd(workers, min(size.callers, 100))
        workers.over = crowd.over
        crowd.left = size.double
        began = time.monotonic()
        await crowd.fill()
        await log_in(workers, names)
        await workers.until(lambda: workers.assigned >= size.double, 1800)
        took = time.monotonic() - began
        return {"assigned": workers.assigned, "wrong": workers.wrong, "assignments a second": workers.assigned / took}


def recover(url: str, what: str) -> Survival:
    """Kills control or the broker under 50 waiting callers."""
    with AcdServer(url) as server:
        server.start("broker")
        server.start("control")
        names = asyncio.run(server.add_agents(10))

        async def kill() -> None:
            server.kill(what)
            await asyncio.to_thread(server.start, what)

        return asyncio.run(survive(server, names, kill))


def measure(url: str, size: Size) -> dict[str, Any]:
    """The three measurements on one kind of store, each with processes and callers of its own."""
    found: dict[str, Any] = {}
    for name, work, controls in (("steady", steady, 1), ("rush", rush, 1), ("double", two_controls, 2)):
        with AcdServer(url) as server:
            server.start("broker")
            names = asyncio.run(server.add_agents(size.agents))
            for number in range(controls):
                server.start(f"control{number or ''}", "control")
            found[name] = asyncio.run(work(server, names, size))
            print(name, found[name], flush=True)
    return found


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(prog="bench.acd", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer callers, agents and assignments")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    report = Report("acd", quick=options.quick)
    stores = {"SQLite": measure("auto", size)}
    if postgres.Postgres.installed():
        with postgres.running(fsync=True) as server:
            stores["PostgreSQL"] = measure(server.url, size)
    for what in ("control", "broker"):
        survival = recover("auto", what)
        report.add(f"SQLite: {what} killed, started again at once: to the next offer", survival.recovery_s, "s", 2.0)
        harm = len(survival.lost) + len(survival.stuck) + len(survival.wrong)
        report.add(f"SQLite: {what} killed: callers lost, agents stuck or offered two", harm, "", 0)
    for store, found in stores.items():
        report.add(f"{store}: agent free to offer on the bus: p50", found["steady"]["p50 ms"], "ms")
        report.add(f"{store}: agent free to offer on the bus: p95", found["steady"]["p95 ms"], "ms", _LIMIT_MS)
        report.add(f"{store}: assignments a second", found["rush"]["assignments a second"], "")
        report.add(f"{store}: assignments by two control processes", found["double"]["assigned"], "")
        wrong = found["steady"]["wrong"] + found["rush"]["wrong"] + len(found["double"]["wrong"])
        report.add(f"{store}: agents offered two callers", wrong, "", 0)
    rows_table("an agent becomes free", [{"store": store, **found["steady"]} for store, found in stores.items()])
    report.details = stores
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
