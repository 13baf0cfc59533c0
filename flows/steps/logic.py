"""Steps that decide and remember; the caller notices none of them."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from flows.inference import ANY, Type
from flows.steps.base import Condition, Exit, Formula, Step, Table, Target, VariableName


class Set(Step):
    """Gives variables their values, one after the other."""

    type: Literal["set"]
    values: dict[VariableName, Formula] = Field(min_length=1, description="variable = expression")
    next: Target = Field(description="the step after it")

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        for name in self.values:
            yield name, None


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


class Rule(Step):
    """Looks a decision up in a table of [rules]: its outputs become variables of the same names."""

    type: Literal["rule"]
    rules: VariableName = Field(description="the table, [rules.NAME]")
    next: Target = Field(description="the step after it")
    otherwise: Target | None = Field(None, description="the step when no row fits")

    events = frozenset({"hangup", "error.semantic"})

    def ways(self) -> Iterator[Exit]:
        yield Exit(("next",), "", self.next)
        if self.otherwise:
            yield Exit(("otherwise",), "otherwise", self.otherwise)


class Share(Table):
    """One way of a split."""

    percent: float = Field(gt=0, le=100, description="how many of a hundred calls go this way")
    next: Target = Field(description="the step it leads to")


class Split(Step):
    """Sends calls different ways by chance."""

    type: Literal["split"]
    shares: tuple[Share, ...] = Field(min_length=1, description="the ways; their percentages make 100")

    events = frozenset({"hangup"})
    waits = True

    @model_validator(mode="after")
    def _whole(self) -> "Split":
        total = sum(share.percent for share in self.shares)
        if abs(total - 100) > 0.01:
            raise ValueError(f"the percentages make {total:g}, not 100")
        return self

    def ways(self) -> Iterator[Exit]:
        for index, share in enumerate(self.shares):
            yield Exit(("shares", index, "next"), f"{share.percent:g}%", share.next)


class Hours(Step):
    """Goes by the clock: whether a [calendar] is open now."""

    type: Literal["hours"]
    calendar: VariableName = Field(description="the calendar, [calendar.NAME]")
    open: Target = Field(description="the step during opening hours")
    closed: Target = Field(description="the step outside of them")
    holiday: Target | None = Field(None, description="the step on holidays; else as closed")

    def ways(self) -> Iterator[Exit]:
        yield Exit(("open",), "open", self.open)
        yield Exit(("closed",), "closed", self.closed)
        if self.holiday:
            yield Exit(("holiday",), "holiday", self.holiday)


class Call(Step):
    """Runs another flow with parameters, and goes on with its results."""

    type: Literal["call"]
    flow: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = Field(
        description="the flow's name"
    )
    give: dict[VariableName, Formula] = Field(default_factory=dict, description="its parameter = expression")
    take: dict[VariableName, VariableName] = Field(default_factory=dict, description="variable = its result")
    next: Target = Field(description="the step after it returned")

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        for name in self.take:
            yield name, ANY


class Return(Step):
    """Ends a sub-flow and gives back its results."""

    type: Literal["return"]
    values: dict[VariableName, Formula] = Field(
        default_factory=dict, description="result = expression; a result left out is the variable of its name"
    )

    ends = True
