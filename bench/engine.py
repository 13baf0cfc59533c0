"""How fast flows are checked and run: hundreds of flows, 10,000 steps; the time of one engine step.

python -m bench.engine [--json]
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

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


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    check_s, check_cpu_s, steps = checked()
    times = sorted(stepped(500))
    figures = {
        "flows": FLOWS,
        "steps": steps,
        "check_s": round(check_s, 2),
        "check_cpu_s": round(check_cpu_s, 2),
        "step_p50_us": round(statistics.median(times), 1),
        "step_p95_us": round(times[int(len(times) * 0.95)], 1),
    }
    if options.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.writelines(f"{name:12} {value}\n" for name, value in figures.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
