"""Decision tables: [rules.NAME], first row that fits wins. Pure.

A row has a cell for each input and then one for each output. An input cell is a value that must be equal, "any", a
comparison ("<= 30", "!= 'new'"), a range ("10..20", both included), or several of these with " | " between them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from flows.evaluation import evaluate
from flows.functions import Context, Value, is_number
from flows.steps.base import Formula, Table, VariableName

_COMPARISON = re.compile(r"(<=|>=|!=|<|>|=)\s*(.+)")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\s*\.\.\s*(-?\d+(?:\.\d+)?)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_ROWS = (
    'the rows, in the order they are tried; a condition is a value, "any", "<= 30", "!= \'new\'", "10..20" (both '
    'included) or several with " | " between them; a text of digits is written "\'1234\'"'
)
Test = Callable[[Value], bool]
Cell = Annotated[Any, Field(description="an input's condition or an output's value")]


class Rules(Table):
    """[rules.NAME]: inputs, outputs, and rows of cells; the first row that fits decides."""

    inputs: tuple[Formula, ...] = Field(min_length=1, description="expressions, one for each column of conditions")
    outputs: tuple[VariableName, ...] = Field(min_length=1, description="variables, one for each column of values")
    rows: tuple[tuple[Cell, ...], ...] = Field(min_length=1, description=_ROWS)

    @model_validator(mode="after")
    def _rectangular(self) -> "Rules":
        width = len(self.inputs) + len(self.outputs)
        for place, row in enumerate(self.rows, 1):
            if len(row) != width:
                raise ValueError(f"row {place} has {len(row)} cells; {width} are needed, inputs first, then outputs")
            for cell in row[: len(self.inputs)]:
                test_of(cell)
            for cell in row[len(self.inputs) :]:
                if not isinstance(cell, str | int | float | bool):
                    raise ValueError(f"row {place}: {cell!r} is no value; use text, a number, true or false")
        return self

    @property
    def is_complete(self) -> bool:
        """Whether there is a row that always fits."""
        return any(all(cell == "any" for cell in row[: len(self.inputs)]) for row in self.rows)

    def decide(self, variables: Mapping[str, Value], context: Context) -> dict[str, Value] | None:
        """The outputs of the first row that fits, None where none does."""
        values = [evaluate(formula, variables, context) for formula in self.inputs]
        for row in self.rows:
            cells = row[: len(self.inputs)]
            if all(test_of(cell)(value) for cell, value in zip(cells, values, strict=True)):
                return dict(zip(self.outputs, row[len(self.inputs) :], strict=True))
        return None


def test_of(cell: object) -> Test:
    """What an input cell asks of a value. Raises ValueError."""
    if isinstance(cell, bool):
        return lambda value: value is cell
    if isinstance(cell, int | float):
        return lambda value: is_number(value) and value == cell
    if not isinstance(cell, str) or not cell.strip():
        raise ValueError(f'{cell!r} is no condition; write a value, "any", "<= 30", "10..20" or "a | b"')
    if "|" in cell:
        tests = [test_of(part.strip()) for part in cell.split("|")]
        return lambda value: any(test(value) for test in tests)
    return _single(cell.strip())


def asks_for(cell: object) -> set[str]:
    """The types that a value must be of to fit an input cell; none where it may be of any."""
    if isinstance(cell, bool):
        return {"yes_no"}
    if not isinstance(cell, str):
        return {"number"}
    parts = [part.strip() for part in cell.split("|")]
    kinds = [_kind(part) for part in parts]
    return set() if None in kinds else {kind for kind in kinds if kind}


def _kind(cell: str) -> str | None:
    if cell == "any" or cell.startswith("!="):
        return None
    if _RANGE.fullmatch(cell):
        return "number"
    match = _COMPARISON.fullmatch(cell)
    return "text" if isinstance(_literal(match[2] if match else cell), str) else "number"


def _single(cell: str) -> Test:
    if cell == "any":
        return lambda _: True
    if match := _RANGE.fullmatch(cell):
        low, high = float(match[1]), float(match[2])
        return lambda value: is_number(value) and low <= value <= high
    if match := _COMPARISON.fullmatch(cell):
        return _comparison(match[1], _literal(match[2]))
    wanted = _literal(cell)
    return lambda value: not isinstance(value, bool) and bool(value == wanted)


def _literal(text: str) -> Value:
    if _NUMBER.fullmatch(text):
        return float(text)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _comparison(operator: str, wanted: Value) -> Test:
    if operator in ("=", "!="):
        return lambda value: (value == wanted) is (operator == "=")
    if not is_number(wanted):
        raise ValueError(f'"{operator}" needs a number, not {wanted!r}')
    compare: dict[str, Test] = {
        "<": lambda value: value < wanted,
        "<=": lambda value: value <= wanted,
        ">": lambda value: value > wanted,
        ">=": lambda value: value >= wanted,
    }
    return lambda value: is_number(value) and compare[operator](value)
