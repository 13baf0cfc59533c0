"""The ACD against queueing theory: service level and speed of answer of simulated callers, and the expected wait they
are told.

`scripts/bench erlang [--quick]`. Virtual time, real `decide` and real agents' states: no network, no store.
"""

import argparse
import math
import random
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from bench.centre import Centre
from bench.report import Report, percentile, rows_table
from bench.traffic import Outcome, Textbook, add, lognormal, one_queue, poisson, simulate
from ivr.acd.agents import Event, Signal
from ivr.acd.estimate import places
from ivr.acd.model import QueueSettings, Waiting

LOAD, TALK_S, WITHIN_S = 10.0, 180.0, 20.0
GUESSES = 20_000


@dataclass(frozen=True, slots=True)
class Expected:
    """Erlang C: share of callers who wait, share answered within 20 s, average speed of answer in seconds."""

    waits: float
    service_level: float
    asa_s: float


def erlang_c(load: float, agents: int, talk_s: float = TALK_S, within_s: float = WITHIN_S) -> Expected:
    """Erlang's formula for callers who never hang up; `load` in erlangs, below `agents`. By Erlang B's recursion."""
    blocked = 1.0
    for servers in range(1, agents + 1):
        blocked = load * blocked / (servers + load * blocked)
    waits = blocked / (1 - load / agents * (1 - blocked))
    spare = agents - load
    return Expected(waits, 1 - waits * math.exp(-spare * within_s / talk_s), waits * talk_s / spare)


def one(agents: int, calls: int) -> Outcome:
    """Ten erlangs on so many agents, beside the textbook's queue with the very same calls."""
    return simulate(one_queue(agents), poisson(LOAD, TALK_S, calls, seed=agents), Textbook(agents), GUESSES)


def shared(calls: int) -> Outcome:
    """A busy centre: two queues, 16 agents with one of them, 4 with both, talks of 150 s that vary (as people's do)
    by 70 % and 30 s of wrap-up; the agents are 96 % busy.
    """
    settings = {name: QueueSettings(name, wrapuptime_s=30.0) for name in ("cards", "loans")}
    centre = Centre(settings, random.Random(1).random)
    for number in range(20):
        queues = ["cards"] if number < 10 else ["loans"] if number < 16 else ["cards", "loans"]
        add(centre, f"agent{number:03}", queues)
    loads = {"cards": 0.6 * 20 * 0.96 * 150 / 180, "loans": 0.4 * 20 * 0.96 * 150 / 180}
    return simulate(centre, lognormal(loads, 150.0, 0.7, calls, seed=1), guesses=calls)


def crowd(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of one tick with 500 callers waiting for 200 agents: when one becomes free, when all do; and of all
    positions and expected waits.
    """
    times: dict[str, list[float]] = {"one free": [], "all free": [], "places": []}
    for _ in range(rounds):
        centre = one_queue(200)
        for number in range(200):
            centre.join(Waiting(f"first{number}", "q", 0.0))
        for decision in centre.tick(0.0):
            centre.signal(decision.offers[0], Event(Signal.ANSWER), 0.0)
        for number in range(500):
            centre.join(Waiting(f"c{number:03}", "q", float(number)))
        agents = list(centre.agents)
        centre.signal(agents[7], Event(Signal.OVER), 600.0)
        times["one free"].append(_tick_ms(centre, 600.0))
        began = time.perf_counter()
        places(centre.snapshot(), 600.0)
        times["places"].append((time.perf_counter() - began) * 1e3)
        for name in agents[8:]:
            centre.signal(name, Event(Signal.OVER), 601.0)
        times["all free"].append(_tick_ms(centre, 601.0))
    return times


def _tick_ms(centre: Centre, now: float) -> float:
    began = time.perf_counter()
    assert centre.tick(now)
    return (time.perf_counter() - began) * 1e3


def error_percent(measured: float, expected: float) -> float:
    """How far off, in percent of what was expected."""
    return 100 * abs(measured - expected) / expected


def guess_figures(report: Report, name: str, guesses: Sequence[tuple[float, float]]) -> None:
    """The expected wait against the true one, of callers who found nobody free."""
    errors = [abs(expected - waited) for expected, waited in guesses]
    shares = [100 * error / waited for error, (_, waited) in zip(errors, guesses, strict=True)]
    off = sum(expected - waited for expected, waited in guesses) / len(guesses)
    report.add(f"{name}: expected wait, median error", percentile(errors, 50), "s")
    report.add(f"{name}: the same, of the true wait", percentile(shares, 50), "%")
    report.add(f"{name}: true wait, median", percentile([waited for _, waited in guesses], 50), "s")
    report.add(f"{name}: expected wait too long by, mean", off, "s")


def add_queue(report: Report, agents: int, run: Outcome) -> dict[str, float]:
    """The figures of one run of ten erlangs; the row for the table. Theory is asked about the load that the run really
    had, which differs from ten by chance.
    """
    told, drawn = erlang_c(LOAD, agents), erlang_c(run.load, agents)
    limit = None if report.quick else 2.0
    service_level = error_percent(run.service_level, drawn.service_level)
    report.add(f"{agents} agents: calls within 20 s", 100 * run.service_level, "%")
    report.add(f"{agents} agents: calls within 20 s, off Erlang C", service_level, "%", limit)
    report.add(f"{agents} agents: average speed of answer", run.asa_s, "s")
    report.add(
        f"{agents} agents: average speed of answer, off Erlang C", error_percent(run.asa_s, drawn.asa_s), "%", limit
    )
    report.add(f"{agents} agents: a wait off first come, first served by at most", run.strayed_s, "s", 1e-6)
    guess_figures(report, f"{agents} agents", run.guesses)
    return {
        "agents": agents, "calls": run.calls, "erlangs": round(run.load, 4),
        "SL20": 100 * run.service_level, "SL20 by theory": 100 * drawn.service_level,
        "at 10 erlangs": 100 * told.service_level,
        "ASA": run.asa_s, "ASA by theory": drawn.asa_s, "ASA at 10 erlangs": told.asa_s,
    }  # fmt: skip


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(prog="bench.erlang", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls; too few to hold the limits against theory")
    parser.add_argument("--calls", type=int, help="calls of each run against theory")
    options = parser.parse_args()
    report = Report("erlang", quick=options.quick)
    calls = options.calls or (100_000 if options.quick else 6_000_000)
    with ProcessPoolExecutor(2) as pool:
        runs = {agents: pool.submit(one, agents, calls) for agents in (14, 13)}
        busy = pool.submit(shared, 10_000 if options.quick else 50_000)
        rows = [add_queue(report, agents, run.result()) for agents, run in runs.items()]
        guess_figures(report, "two queues, 96 % busy", busy.result().guesses)
    times = crowd(3 if options.quick else 20)
    report.add("500 waiting, 200 agents: a decision when one is free, median", percentile(times["one free"], 50), "ms")
    report.add("500 waiting, 200 agents: 192 decisions when all are free", percentile(times["all free"], 50), "ms")
    report.add("500 waiting, 200 agents: all positions and expected waits", percentile(times["places"], 50), "ms")
    report.details["against Erlang C"] = rows
    rows_table("against Erlang C", rows)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
