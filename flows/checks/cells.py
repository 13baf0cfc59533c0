"""Cells of decision tables that no value of their column can fit."""

from flows.checks.names import scope
from flows.checks.report import Report
from flows.flow import Flow
from flows.inference import Type, infer
from flows.rules import asks_for

_KNOWN = ("text", "number", "yes_no")


def check(report: Report, flow: Flow) -> None:
    """Reports conditions of another type than the value they are held against."""
    known = scope(flow) if flow.header.rules else {}
    for name, table in flow.header.rules.items():
        columns = [(formula.source, infer(formula, known)[0]) for formula in table.inputs]
        for place, row in enumerate(table.rows):
            for (source, kind), cell in zip(columns, row, strict=False):
                if _never_fits(kind, cell):
                    what = f"{cell!r} never fits {source}, which is {kind}"
                    digits = kind.name == "text" and str(cell).isdigit()
                    mend = f"for a text of digits write \"'{cell}'\"" if digits else ""
                    report.error(("rules", name, "rows", place), "rules.type", what, mend)


def _never_fits(kind: Type, cell: object) -> bool:
    wanted = asks_for(cell)
    return bool(wanted) and kind.name in _KNOWN and kind.name not in wanted
