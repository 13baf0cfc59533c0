"""Which steps and ways of a flow no conversation has walked."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from flows.flow import Flow
from flows.steps.base import Exit


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was walked of a flow, and what was not."""

    flow: Flow
    steps: frozenset[str]
    ways: frozenset[tuple[str, str]]

    @property
    def missed_steps(self) -> list[str]:
        """The steps that no conversation came to."""
        return [name for name in self.flow.steps if name not in self.steps]

    @property
    def missed_ways(self) -> list[tuple[str, Exit]]:
        """The ways out of walked steps that no conversation took."""
        return [
            (name, way)
            for name, step in self.flow.steps.items()
            if name in self.steps
            for way in step.exits()
            if (name, way.target) not in self.ways
        ]

    @property
    def percent(self) -> float:
        """How many of a hundred steps were walked."""
        return 100.0 * len(self.steps & set(self.flow.steps)) / len(self.flow.steps)


def coverage(flow: Flow, walks: Iterable[list[tuple[str, str]]]) -> Coverage:
    """What these walks, lists of (flow, step) in the order they were entered, cover of the flow."""
    steps: set[str] = set()
    ways: set[tuple[str, str]] = set()
    for walk in walks:
        mine = [step for name, step in walk if name == flow.name]
        steps.update(mine)
        ways.update(pairwise(mine))
    return Coverage(flow, frozenset(steps), frozenset(ways))
