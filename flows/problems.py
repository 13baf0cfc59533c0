"""What is wrong with a flow, where, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """An error keeps a flow from being published; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file, both from 1; (0, 0) where none can be named."""

    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `code` is stable, for programs; `what` and `mend` are for the author."""

    file: str
    at: Position
    severity: Severity
    code: str
    what: str
    mend: str = ""

    @property
    def place(self) -> str:
        """file:line:column, as editors and terminals make a link of."""
        return f"{self.file}:{self.at.line}:{self.at.column}" if self.at.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}: {self.what}" + (f" ({self.mend})" if self.mend else "")

    def as_json(self) -> dict[str, Any]:
        """The problem as plain JSON, for `ivr flow check --json`."""
        return {
            "file": self.file,
            "line": self.at.line,
            "column": self.at.column,
            "severity": str(self.severity),
            "code": self.code,
            "what": self.what,
            "mend": self.mend,
        }


def errors(problems: list[Problem]) -> list[Problem]:
    """Only those that keep a flow from being published."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def counted(count: int, what: str) -> str:
    """How many, as it is said: "1 error", "2 errors"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def in_order(problems: list[Problem]) -> list[Problem]:
    """Sorted by file and place, each once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.at, problem.code, problem.what))
