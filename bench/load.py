"""Measures how many calls a machine carries, with speech coming in and prompts going out, and what each costs.

`python -m bench.load [--engine none|vosk|burn] [--calls N] [--quick]`. "burn" is the stand-in for an official small
model: it costs 0.12 s of CPU for each second of speech.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench import processes, sounds
from bench.call import Call
from bench.caller import Callers
from bench.hotline import Hotline
from bench.report import Report, percentile, rows_table
from bench.talk import Loop

WANTED = {"none": 100, "vosk": 60, "burn": 16}  # calls without loss that each engine must carry on two cores
LEVELS = {"none": (10, 20, 50, 100), "vosk": (10, 20, 50, 60, 100), "burn": (10, 16, 20, 50)}
MOST = 150
STEP = 25
CALLS_A_SECOND = 5.0
SETTLE_S = 5.0
PACKETS_A_SECOND = 50
SLACK_PACKETS = 10
LATE_SHARE = 0.001
SAMPLES_PER_MS = 8


@dataclass(frozen=True, slots=True)
class Level:
    """What so many calls at once were like. CPU in percent of one core.

    Of the hotline's packets: `lost`, `unsent` (a step of its clock without one), `late` (over 60 ms after the last);
    `lost_in`: callers' packets that never came to the hotline's calls. `short`: calls that got less than they should.
    `deaf`: calls whose recogniser gave up; `final_p95_ms`: from the end of a turn to its text.
    """

    calls: int
    up: int
    seconds: float
    lost: int
    unsent: int
    late: int
    short: int
    lost_in: int
    deaf: int
    final_p95_ms: float
    jitter_p95_ms: float
    gap_max_ms: float
    cpu_a_call: float
    pss_mb_a_call: float
    cpu: dict[str, float]
    pss_mb: dict[str, float]
    caller_cpu: float
    caller_late_ms: float
    prompts_heard: int
    not_up: list[str]

    @property
    def good(self) -> bool:
        """Every call was up to the end, heard prompts and was heard, and no packet is missing."""
        return self.up == self.calls == self.prompts_heard and not (
            self.lost or self.unsent or self.short or self.lost_in or self.deaf
        )

    @property
    def smooth(self) -> bool:
        """Good, and almost no packet came too late for a phone's jitter buffer."""
        return self.good and self.late <= LATE_SHARE * PACKETS_A_SECOND * self.seconds * self.calls


@dataclass(frozen=True, slots=True)
class Inside:
    """What the hotline's own archive says of all calls of a level."""

    lost_in: int
    deaf: int
    final_p95_ms: float


def run_level(engine: str, calls: int, seconds: float) -> Level:
    """Starts a hotline, holds so many calls for so long, and measures after they have settled."""
    sound = sounds.speaking_share()
    with Hotline(engine, max_calls=calls + 4) as hotline, Callers(hotline.sip) as callers:
        for number in range(calls):
            callers.call("load", Loop(sound, offset_s=number * 2.3), after_s=number / CALLS_A_SECOND)
        callers.loop.run(lambda: callers.up() == calls, calls / CALLS_A_SECOND + 20)
        callers.loop.run_for(SETTLE_S)
        family = hotline.family()
        callers.loop.late_ms = 0.0
        cpu, caller_cpu, began = processes.cpu_s(family), time.process_time(), time.time()
        callers.loop.run_for(seconds)
        until = time.time()
        cpu = {part: (used - cpu[part]) / (until - began) * 100 for part, used in processes.cpu_s(family).items()}
        caller_cpu = (time.process_time() - caller_cpu) / (until - began) * 100
        late_ms = callers.loop.late_ms
        up = callers.up()
        memory = processes.pss_mb(family)
        callers.hang_up_all(20)
        inside = _inside(hotline)
    return _level(callers.calls, up, began, until, cpu, memory, caller_cpu, late_ms, inside)


def _level(
    calls: Sequence[Call], up: int, began: float, until: float, cpu: dict[str, float], memory: dict[str, list[float]],
    caller_cpu: float, caller_late_ms: float, inside: Inside,
) -> Level:  # fmt: skip
    figures = [call.reception.figures(began, until) for call in calls]
    count = len(calls)
    return Level(
        calls=count,
        up=up,
        seconds=round(until - began, 1),
        lost=sum(f.lost for f in figures),
        unsent=sum(f.unsent for f in figures),
        late=sum(f.late for f in figures),
        short=sum(f.received < PACKETS_A_SECOND * (until - began) - SLACK_PACKETS for f in figures),
        lost_in=inside.lost_in,
        deaf=inside.deaf,
        final_p95_ms=inside.final_p95_ms,
        jitter_p95_ms=round(percentile([f.jitter_ms for f in figures], 95) or 0, 2),
        gap_max_ms=round(max(f.gap_max_ms for f in figures), 1),
        cpu_a_call=round(sum(cpu.values()) / count, 2),
        pss_mb_a_call=round(sum(memory.get("worker", [0])) / count, 1),
        cpu={part: round(used, 1) for part, used in cpu.items()},
        pss_mb={part: round(sum(sizes), 1) for part, sizes in memory.items()},
        caller_cpu=round(caller_cpu, 1),
        caller_late_ms=round(caller_late_ms, 1),
        not_up=[
            f"status {call.status} after {call.times.ended - call.times.invited:.2f} s" for call in calls if call.failed
        ],
        prompts_heard=sum(isinstance(call.talker, Loop) and call.talker.loud_heard > 0 for call in calls),
    )


def _inside(hotline: Hotline) -> Inside:
    until = time.monotonic() + 10
    while hotline.open_bundles() and time.monotonic() < until:
        time.sleep(0.1)
    turns = [turn for turn in hotline.events("turn") if turn["final_sample"] >= 0]
    waits = [(turn["final_sample"] - turn["endpoint_sample"]) / SAMPLES_PER_MS for turn in turns]
    return Inside(
        sum(int(event["rtp"].get("rx_lost", 0)) for event in hotline.events("call.ended")),
        sum(event["code"] == "asr" for event in hotline.events("error")),
        round(percentile(waits, 95) or 0, 1),
    )


def climb(engine: str, seconds: float) -> list[Level]:
    """The usual levels and beyond up to the first bad one, then some between it and the last good one."""
    tried: list[Level] = []

    def good(calls: int) -> bool:
        tried.append(run_level(engine, calls, seconds))
        rows_table(f"recogniser {engine}", [_row(tried[-1])])
        return tried[-1].good

    best, bad = 0, 0
    for calls in (*LEVELS[engine], *range(LEVELS[engine][-1] + STEP, MOST + 1, STEP)):
        if not good(calls):
            bad = calls
            break
        best = calls
    while bad - best > max(2, best // 8):
        middle = (best + bad) // 2
        if good(middle):
            best = middle
        else:
            bad = middle
    return tried


def _row(level: Level) -> dict[str, Any]:
    return {
        "calls": level.calls, "up": level.up, "lost": level.lost, "unsent": level.unsent, "late": level.late,
        "short": level.short,
        "lost in": level.lost_in,
        "deaf": level.deaf, "final p95 ms": level.final_p95_ms,
        "jitter": level.jitter_p95_ms, "gap ms": level.gap_max_ms,
        "CPU %": level.cpu_a_call, "all": round(sum(level.cpu.values())), "PSS MB": level.pss_mb_a_call,
        "caller %": level.caller_cpu, "its late ms": level.caller_late_ms, "": "good" if level.good else "bad",
    }  # fmt: skip


def note(report: Report, engine: str, tried: Sequence[Level]) -> None:
    """Puts one engine's levels into the report."""
    levels = sorted(tried, key=lambda level: level.calls)
    rows_table(f"recogniser {engine}", [_row(level) for level in levels])
    report.details["levels"] = [asdict(level) for level in levels]
    best = max((level for level in levels if level.good), key=lambda level: level.calls, default=None)
    report.add("calls at once without loss", best.calls if best else 0, "", WANTED[engine], at_least=True)
    smooth = max((level.calls for level in levels if level.smooth), default=0)
    report.add("calls at once without loss, 99.9% of the packets in time", smooth, "")
    if best is not None:
        report.add("CPU a call, all processes", best.cpu_a_call, "% of a core")
        report.add("memory a call (PSS of its worker)", best.pss_mb_a_call, "MB")
        report.add("jitter p95", best.jitter_p95_ms, "ms")


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(prog="bench.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 s a level instead of 30 s")
    parser.add_argument("--engine", choices=tuple(WANTED), help="only this recogniser")
    parser.add_argument("--calls", type=int, help="only this many calls at once")
    options = parser.parse_args()
    seconds = 10.0 if options.quick else 30.0
    exits = []
    for engine in [options.engine] if options.engine else WANTED:
        if options.calls:
            level = run_level(engine, options.calls, seconds)
            rows_table(f"recogniser {engine}", [_row(level)])
            exits.append(0 if level.good else 1)
        else:
            report = Report(f"load-{engine}", quick=options.quick)
            note(report, engine, climb(engine, seconds))
            exits.append(report.finish())
    return max(exits)


if __name__ == "__main__":
    raise SystemExit(main())
