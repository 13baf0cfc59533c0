"""How fast flows are checked and run: hundreds of flows, 10,000 steps; one engine step; an http step; the simulator.

python -m bench.engine [--json]
"""

import argparse
import asyncio
import subprocess
import sys
import time
from pathlib import Path

from bench.httpstep import measure
from bench.report import Report, percentile
from flows.checker import check_all
from flows.events import CallStarted, Event, KeyPressed, PromptFinished, SpeechEnded, SpeechStarted
from flows.flow import Flow
from flows.loader import read
from flows.session import Session

FLOWS, STEPS = 200, 50
LIBRARY = Path(__file__).parents[1] / "flows" / "library"


def text_of(number: int) -> str:
    """A flow of STEPS steps: menus, branches, texts with expressions."""
    parts = [f'flow = "f{number}"\nstart = "s0"\n[variables]\ncount = 0\nname = "Ann"\n']
    for place in range(0, STEPS - 2, 4):
        after = f"s{place + 4}" if place + 4 < STEPS - 2 else "end"
        parts.append(
            f'[step.s{place}]\ntype = "menu"\nprompt = "Hello {{name}}, {{count + 1}}. One or two?"\nchoices = [\n'
            f'  {{ key = "1", say = ["balance", "my balance"], next = "s{place + 1}" }},\n'
            f'  {{ key = "2", say = ["lost card"], next = "s{place + 2}" }},\n]\n'
            f'on.noinput = [{{ prompt = "Hello?" }}, {{ next = "end" }}]\n'
            f'[step.s{place + 1}]\ntype = "set"\nvalues.count = "count + 1"\nnext = "s{place + 2}"\n'
            f'[step.s{place + 2}]\ntype = "branch"\ncases = [{{ when = "count > 3", next = "end" }}]\n'
            f'otherwise = "s{place + 3}"\n'
            f'[step.s{place + 3}]\ntype = "say"\nprompt = "So far {{count}}."\nnext = "{after}"\n'
        )
    parts.append('[step.end]\ntype = "hangup"\nprompt = "Bye."\n')
    return "".join(parts)


def checked() -> tuple[float, float, int]:
    """Seconds to read and check everything, by the clock and of CPU, and how many steps there were."""
    texts = [text_of(number) for number in range(FLOWS)]
    began, cpu = time.perf_counter(), time.process_time()
    found: dict[str, Flow] = {}
    for number, text in enumerate(texts):
        flow, problems = read(text, f"f{number}.toml")
        assert flow is not None, problems
        found[flow.name] = flow
    _, problems = check_all(found, {"en": frozenset({"balance", "my", "lost", "card"})})
    assert not problems, problems[0]
    return time.perf_counter() - began, time.process_time() - cpu, sum(len(flow.steps) for flow in found.values())


def stepped(rounds: int) -> list[float]:
    """Microseconds of each engine step in a short call of bank-en."""
    flow, _ = read((LIBRARY / "bank-en.toml").read_text("utf-8"), "bank-en.toml")
    assert flow is not None
    story: list[Event] = [
        CallStarted("c", "a", "b"), PromptFinished(1), SpeechStarted(), SpeechEnded("balance", 1.0),
        *map(KeyPressed, "1234"), PromptFinished(4), PromptFinished(5), SpeechStarted(), SpeechEnded("no", 1.0),
    ]  # fmt: skip
    times = []
    for _ in range(rounds):
        session = Session.start(flow)
        for event in story:
            began = time.perf_counter()
            session.handle(event, 0.0)
            times.append((time.perf_counter() - began) * 1e6)
        assert session.ended
    return times


def started() -> list[float]:
    """Seconds from the command to the end of `ivr flow talk`, its input already over."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "ivr", "flow", "talk", "bank-en"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, cwd=LIBRARY.parents[1],
        )  # fmt: skip
        times.append(time.perf_counter() - began)
    return times


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(prog="bench.engine", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    report = Report("engine", quick=options.quick)
    check_s, check_cpu_s, steps = checked()
    times = stepped(50 if options.quick else 500)
    added = asyncio.run(measure(100 if options.quick else 500))
    report.add(f"reading and checking {FLOWS} flows, {steps} steps", check_s, "s", 2)
    report.add("the same, CPU", check_cpu_s, "s")
    report.add("one engine step: median", percentile(times, 50), "us", 100)
    report.add("one engine step: p95", percentile(times, 95), "us")
    report.add("http step over the service's own time: p50", added["p50"], "ms")
    report.add("http step over the service's own time: p95", added["p95"], "ms", 5)
    report.add("start and end of ivr flow talk: median", percentile(started(), 50), "s", 1)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
