"""Figures against their limits: a table for people, JSON beside the others, and the facts of the machine."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parent / "results"
_CPU_NAME = "model name"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `limit` is the most that is allowed, or with `at_least` the least."""

    name: str
    value: float | None
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def held(self) -> bool | None:
        """Whether the limit is; None without one. What could not be measured holds no limit."""
        if self.limit is None:
            return None
        if self.value is None:
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(slots=True)
class Report:
    """One benchmark's outcome. Make it first: the machine's facts are those at the start."""

    name: str
    quick: bool
    machine: dict[str, Any] = field(default_factory=lambda: machine_facts())  # noqa: PLW0108 - it is defined below
    figures: list[Figure] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def add(
        self, name: str, value: float | None, unit: str, limit: float | None = None, at_least: bool = False
    ) -> None:
        """Notes one figure."""
        self.figures.append(Figure(name, value, unit, limit, at_least))

    def finish(self) -> int:
        """Prints the table, writes bench/results/NAME.json; returns the exit code, 0 where every limit is held."""
        self._show()
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.name}.json").write_text(json.dumps(self._as_json(), indent=1) + "\n")
        return 0 if all(figure.held is not False for figure in self.figures) else 1

    def _show(self) -> None:
        facts = self.machine
        title = f"{self.name}: {facts['cores']} cores ({facts['cpu']}), load {facts['load_at_start']:.1f} at start"
        table = Table(title=title + (", quick" if self.quick else ""), title_justify="left")
        table.add_column("figure")
        for column in ("value", "limit", "value / limit"):
            table.add_column(column, justify="right")
        for figure in self.figures:
            table.add_row(figure.name, _number(figure.value, figure.unit), _limit(figure), _ratio(figure))
        _console().print(table)

    def _as_json(self) -> dict[str, Any]:
        figures = [
            {"name": f.name, "value": _rounded(f.value), "unit": f.unit}
            | ({} if f.limit is None else {"at_least" if f.at_least else "limit": f.limit, "held": f.held})
            for f in self.figures
        ]
        return {
            "bench": self.name,
            "quick": self.quick,
            "machine": self.machine,
            "figures": figures,
            "details": self.details,
        }


def machine_facts() -> dict[str, Any]:
    """Where and when: cores, load, versions."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith(_CPU_NAME)), "unknown"
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    commit = subprocess.run(
        ["git", "-C", str(RESULTS.parent), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "cpu": cpu,
        "memory_gib": round(int(memory) / (1 << 20), 1),
        "load_at_start": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": commit,
    }


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The percentile with linear interpolation; None of nothing."""
    return float(np.percentile(values, percent)) if values else None


def rows_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Prints dictionaries with the same keys as a table."""
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()))
    _console().print(table)


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=140)


def _number(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{_rounded(value)} {unit}".strip()


def _limit(figure: Figure) -> str:
    return "" if figure.limit is None else f"{'≥' if figure.at_least else '≤'} {figure.limit:g} {figure.unit}".strip()


def _ratio(figure: Figure) -> str:
    if figure.limit is None:
        return ""
    colour = "green" if figure.held else "red"
    ratio = f"{figure.value / figure.limit:.2f}" if figure.value is not None and figure.limit else ""
    return f"[{colour}]{ratio or ('held' if figure.held else 'missed')}[/]"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3 if abs(value) < 1 else 1)


def _lines(path: str) -> list[str]:
    return Path(path).read_text(errors="replace").splitlines()
