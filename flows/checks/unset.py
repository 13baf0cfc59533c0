"""Variables that may have no value yet where they are used: on some way from the start nothing sets them before.

A step sets its variables on the ways its own keys name, not on those of its handlers. What an expression or a branch
tests with `known(x)`, or backs with `default(x, ...)`, is the author's business.
"""

from collections.abc import Iterable, Iterator, Mapping

from flows.checks.names import expressions
from flows.checks.paths import handler_targets
from flows.checks.report import Report
from flows.expressions import Call, Expression, Name, names, nodes
from flows.flow import Flow
from flows.positions import Path
from flows.steps.base import Step
from flows.steps.logic import Branch, Rule, Set
from flows.steps.people import Queue
from flows.steps.speech import Asking

Bits = Mapping[str, int]


def check(report: Report, flow: Flow) -> None:
    """Warns of every use that may come before a value."""
    header = flow.header
    given = {*header.variables, *header.parameters, *header.data, "call", "heard"}
    late = dict.fromkeys(name for step in flow.steps.values() for name in _assigned(flow, step) if name not in given)
    bits = {name: 1 << place for place, name in enumerate(late)}
    if not bits or header.start not in flow.steps:
        return
    known = _known_before(flow, bits)
    anywhere = _all(known[name] for name, step in flow.steps.items() if isinstance(step, Asking) and name in known)
    for path, expression, offset in expressions(flow):
        have = anywhere if path[0] != "step" else known.get(str(path[1]))
        if have is None or path[0] == "rules":
            continue
        if path[0] == "step":
            have |= _own(flow.steps[str(path[1])], path, bits)
        for name in _uses(expression):
            if bits.get(name.name, 0) & ~have:
                what = f"{name.name} may have no value here: on some way to it nothing sets it"
                mend = f"give it a first value under [variables], or write default({name.name}, ...)"
                report.warning_inside(path, offset + name.offset, "name.unset", what, mend)


def _known_before(flow: Flow, bits: Bits) -> dict[str, int]:
    """For each step that can be reached, the variables that every way to it has set."""
    everywhere = [command.next for command in flow.header.command.values() if command.next]
    known = {flow.header.start: 0}
    todo = [flow.header.start]
    while todo:
        name = todo.pop()
        step = flow.steps[name]
        before = known[name]
        after = before | _mask(_assigned(flow, step), bits) | _mask(_tested(step), bits)
        ways = [(way.target, before if _is_failure(way.path) else after) for way in step.ways()]
        handled = after if isinstance(step, Queue) else before  # a queue step says how it went, however it went
        ways += [(target, handled) for target in handler_targets(flow, step)]
        ways += [(target, before) for target in everywhere if isinstance(step, Asking)]
        for target, have in ways:
            fresh = known.get(target, -1) & have
            if target in flow.steps and fresh != known.get(target):
                known[target] = fresh
                todo.append(target)
    return known


def _assigned(flow: Flow, step: Step) -> Iterator[str]:
    yield from (name for name, _ in step.assigns())
    if isinstance(step, Rule) and step.rules in flow.header.rules:
        yield from flow.header.rules[step.rules].outputs


def _is_failure(path: Path) -> bool:
    """A way on which the step sets nothing: no row of the table fitted, or the service answered an odd status."""
    return path[0] in ("otherwise", "status")


def _tested(step: Step) -> set[str]:
    if not isinstance(step, Branch):
        return set()
    return {name for case in step.cases for name in _guarded(case.when)}


def _own(step: Step, path: Path, bits: Bits) -> int:
    """What the step itself has set where this expression stands."""
    if isinstance(step, Set):
        values = list(step.values)
        return _mask(values[: values.index(str(path[3]))], bits)
    if isinstance(step, Branch):
        return _mask(_tested(step), bits)
    return 0


def _uses(expression: Expression) -> list[Name]:
    guarded = _guarded(expression)
    return [name for name in names(expression.root) if name.name not in guarded]


def _guarded(expression: Expression) -> set[str]:
    return {
        inner.name
        for call in nodes(expression.root)
        if isinstance(call, Call) and call.function in ("known", "default") and call.arguments
        for inner in names(call.arguments[0])
    }


def _mask(wanted: Iterable[str], bits: Bits) -> int:
    return _any(bits.get(name, 0) for name in wanted)


def _any(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _all(masks: Iterable[int]) -> int:
    found = -1
    for mask in masks:
        found &= mask
    return found
