"""Steps that decide and remember; the caller notices none of them."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from flows.steps.base import Condition, Exit, Formula, Step, Table, Target, VariableName


class Set(Step):
    """Gives variables their values, one after the other."""

    type: Literal["set"]
    values: dict[VariableName, Formula] = Field(min_length=1, description="variable = expression")
    next: Target = Field(description="the step after it")

    def assigns(self) -> Iterator[tuple[str, str]]:
        for name in self.values:
            yield name, "inferred"


class Case(Table):
    """One condition of a branch."""

    when: Condition = Field(description="an expression that is true or false")
    next: Target = Field(description="the step it leads to")


class Branch(Step):
    """Goes the way of the first condition that is true."""

    type: Literal["branch"]
    cases: tuple[Case, ...] = Field(min_length=1, description="the conditions in their order")
    otherwise: Target = Field(description="the step when none is true")

    def ways(self) -> Iterator[Exit]:
        for index, case in enumerate(self.cases):
            yield Exit(("cases", index, "next"), case.when.source, case.next)
        yield Exit(("otherwise",), "otherwise", self.otherwise)


class Goto(Step):
    """Goes on elsewhere."""

    type: Literal["goto"]
    next: Target = Field(description="the step to go to")
