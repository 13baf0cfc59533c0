"""Errors of the dialogue engine.

FlowError            code "flow"
  FlowRefusedError        code "flow.refused"     a flow with errors was to be run
  ExpressionError      code "flow.expression"  an expression or a text with {...} cannot be read
  SnapshotError        code "flow.snapshot"    a saved conversation does not fit the flow
"""

from flows.problems import Problem


class FlowError(Exception):
    """Root of everything that `flows` raises."""

    code = "flow"


class FlowRefusedError(FlowError):
    """The flow has errors; `problems` has all of them."""

    code = "flow.refused"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class ExpressionError(FlowError, ValueError):
    """An expression cannot be read; `offset` counts characters from its start. A ValueError for pydantic's sake."""

    code = "flow.expression"

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class SnapshotError(FlowError):
    """The saved state names a flow, version or step that is not there."""

    code = "flow.snapshot"
