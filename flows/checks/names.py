"""Unknown names and wrong types in every expression and text of a flow."""

from collections.abc import Iterator, Mapping

from flows.checks.report import Report
from flows.checks.walk import templates, values
from flows.expressions import Expression
from flows.flow import Flow
from flows.inference import ANY, SCALARS, TEXT, YES_NO, Type, infer, table_type, type_of_value
from flows.positions import Path
from flows.steps.base import Prompt, Step
from flows.steps.logic import Call, Set
from flows.templates import Template

CALL = Type("record", {"id": TEXT, "caller": TEXT, "called": TEXT})
_WANTED = {"when": YES_NO}


def check(report: Report, flow: Flow) -> None:
    """Reports every name that nothing sets and every operand of the wrong type."""
    known = scope(flow)
    for clash in set(flow.header.variables) & set(flow.header.data):
        report.error(("data", clash), "name.twice", f"{clash} is a variable and a table", "rename one of them")
    for name in ("call", "heard"):
        for table in ("variables", "data"):
            if name in getattr(flow.header, table):
                report.error((table, name), "name.reserved", f"{name} is a name of the engine", "choose another")
    for path, name in _assigned(flow):
        if name in ("call", "heard"):
            report.error(path, "name.reserved", f"{name} is a name of the engine", "choose another")
    for path, expression, offset in expressions(flow):
        local = known | {"heard": TEXT} if path[2:3] == ("confirm",) else known
        kind, faults = infer(expression, local)
        for fault in faults:
            report.inside(path, offset + fault.offset, fault.code, fault.what, fault.mend)
        wanted = _WANTED.get(str(path[-1]))
        if wanted and not faults and kind.name not in (wanted.name, "any"):
            report.inside(path, 0, "type", f"this must be {wanted}, it is {kind}", 'compare, like "x == 1"')


def _assigned(flow: Flow) -> Iterator[tuple[Path, str]]:
    """Every name that a step, a decision table, a parameter or a result sets, with its place."""
    for step, model in flow.steps.items():
        yield from ((("step", step), name) for name, _ in model.assigns())
    for rules, table in flow.header.rules.items():
        yield from ((("rules", rules, "outputs"), name) for name in table.outputs)
    yield from ((("parameters", name), name) for name in flow.header.parameters)


def expressions(flow: Flow) -> Iterator[tuple[Path, Expression, int]]:
    """Every expression with the path of the text it stands in, and where in that text it starts."""
    for start, model in (((), flow.header), *((("step", name), step) for name, step in flow.steps.items())):
        for path, value in values(model, start):
            match value:
                case Expression():
                    yield path, value, 0
                case Template():
                    yield from ((path, hole.expression, hole.offset) for hole in value.holes)
                case Prompt():
                    for place, template in templates(value, path):
                        yield from ((place, hole.expression, hole.offset) for hole in template.holes)


def scope(flow: Flow) -> dict[str, Type]:
    """Every name that an expression of this flow may use, with its type."""
    known = {"call": CALL}
    known |= {name: SCALARS.get(kind, Type(kind)) for name, kind in flow.header.parameters.items()}
    known |= {name: table_type(rows) for name, rows in flow.header.data.items()}
    known |= {name: type_of_value(value) for name, value in flow.header.variables.items()}
    for step in flow.steps.values():
        for name, kind in _taken(flow, step) if isinstance(step, Call) else step.assigns():
            if kind is not None:
                known[name] = _joined(known.get(name), kind)
    for rules in flow.header.rules.values():
        first = len(rules.inputs)
        for column, name in enumerate(rules.outputs, first):
            for row in rules.rows:
                known[name] = _joined(known.get(name), type_of_value(row[column]))
    return known | _inferred(flow.steps, known)


def _taken(flow: Flow, step: Call) -> Iterator[tuple[str, Type]]:
    """What a call sets: the results of the sub-flow, where that is known."""
    callee = flow.callees.get(step.flow)
    for name, result in step.take.items():
        kind = callee.header.results.get(result, "any") if callee else "any"
        yield name, SCALARS.get(kind, Type(kind))


def _inferred(steps: Mapping[str, Step], known: Mapping[str, Type]) -> dict[str, Type]:
    """Types of what `set` steps assign; several rounds, because one may use what another assigns."""
    assigned = [item for step in steps.values() if isinstance(step, Set) for item in step.values.items()]
    found: dict[str, Type] = {name: ANY for name, _ in assigned if name not in known}
    for _ in range(3):
        before = dict(found)
        scope = {**known, **found}
        fresh: dict[str, Type] = {name: known[name] for name, _ in assigned if name in known}
        for name, expression in assigned:
            kind, faults = infer(expression, scope)
            fresh[name] = _joined(fresh.get(name), ANY if faults else kind)
        found = fresh
        if found == before:
            break
    return found


def _joined(one: Type | None, other: Type) -> Type:
    return other if one is None or one == other else ANY
