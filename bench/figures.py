"""Writes the last figures of every benchmark into bench/README.md, from bench/results. `python -m bench.figures`."""

import json
from pathlib import Path
from typing import Any

from bench.report import RESULTS

README = RESULTS.parent / "README.md"
HEADING = "## Last figures\n"
ORDER = (
    "startup", "setup", "voice", "load-none", "load-vosk", "load-burn", "soak", "engine", "acd", "agent", "erlang",
    "doors", "registrar",
)  # fmt: skip

LEVELS = {
    "calls": "Calls at once", "up": "up", "lost": "lost", "unsent": "unsent", "lost_in": "lost in", "late": "late",
    "deaf": "deaf", "jitter_p95_ms": "jitter p95, ms", "cpu_a_call": "CPU a call, %",
    "pss_mb_a_call": "memory a call, MB",
}  # fmt: skip


def tables(results: Path) -> str:
    """One table for each result, with the machine that it was measured on."""
    parts = []
    for name in ORDER:
        path = results / f"{name}.json"
        if path.is_file():
            result = json.loads(path.read_text())
            facts = result["machine"]
            how = ", quick" if result["quick"] else ""
            load = f"load {facts['load_at_start']} at start"
            parts += [f"\n### {name}\n\n{facts['at'][:10]}, {facts['cores']} cores ({facts['cpu']}), {load}{how}\n"]
            parts += ["\n| Figure | Value | Limit | |\n|---|---:|---:|---|\n", *map(_row, result["figures"])]
            parts += _levels(result.get("details", {}).get("levels", []))
    return "".join(parts)


def _levels(levels: list[dict[str, Any]]) -> list[str]:
    """How it grows with the calls; packets that were lost or late are counted over all of them."""
    if not levels:
        return []
    rows = [[str(level[name]) for name in LEVELS] for level in sorted(levels, key=lambda level: int(level["calls"]))]
    lines = [list(LEVELS.values()), ["---:"] * len(LEVELS), *rows]
    return ["\n", *(f"| {' | '.join(cells)} |\n" for cells in lines)]


def _row(figure: dict[str, Any]) -> str:
    limit = f"≤ {figure['limit']}" if "limit" in figure else f"≥ {figure['at_least']}" if "at_least" in figure else ""
    held = {None: "", True: "held", False: "**missed**"}[figure.get("held")]
    return f"| {figure['name']} | {figure['value']} {figure['unit']} | {limit} | {held} |\n"


def main() -> None:
    """Replaces what follows the heading."""
    text, heading, _ = README.read_text().partition(HEADING)
    README.write_text(text + heading + tables(RESULTS))


if __name__ == "__main__":
    main()
