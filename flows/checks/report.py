"""Collects problems of one flow, each at its place."""

from flows.flow import Flow
from flows.inside import inside
from flows.positions import Path
from flows.problems import Position, Problem, Severity


class Report:
    """The problems found so far."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.problems: list[Problem] = []

    def error(self, path: Path, code: str, what: str, mend: str = "") -> None:
        """Something that keeps the flow from being published."""
        self._add(Severity.ERROR, self.flow.places.key(path), code, what, mend)

    def warning(self, path: Path, code: str, what: str, mend: str = "") -> None:
        """Something that the author should look at."""
        self._add(Severity.WARNING, self.flow.places.key(path), code, what, mend)

    def inside(self, path: Path, offset: int, code: str, what: str, mend: str = "") -> None:
        """An error at a character of a text value."""
        self._add(Severity.ERROR, self._within(path, offset), code, what, mend)

    def warning_inside(self, path: Path, offset: int, code: str, what: str, mend: str = "") -> None:
        """A warning at a character of a text value."""
        self._add(Severity.WARNING, self._within(path, offset), code, what, mend)

    def _within(self, path: Path, offset: int) -> Position:
        return inside(self.flow.text, self.flow.places.value(path), offset)

    def _add(self, severity: Severity, at: Position, code: str, what: str, mend: str) -> None:
        self.problems.append(Problem(self.flow.file, at, severity, code, what, mend))
