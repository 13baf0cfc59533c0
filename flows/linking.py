"""Joins flows that call each other: every flow gets its sub-flows, and every call is checked against what they take."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from flows.checks.names import scope
from flows.checks.report import Report
from flows.flow import Flow
from flows.inference import infer
from flows.problems import Problem
from flows.steps.logic import Call


def link(flows: Mapping[str, Flow]) -> tuple[dict[str, Flow], list[Problem]]:
    """The flows with their sub-flows, and what is wrong with the calls. Flows that call in a circle get none."""
    problems: list[Problem] = []
    linked = {}
    for name, flow in flows.items():
        report = Report(flow)
        for place, step in calls(flow):
            _check(report, flow, place, step, flows)
        reached = _closure(flow, flows)
        for place, step in calls(flow):
            if name in reached and (step.flow == name or name in _closure(flows.get(step.flow), flows)):
                what = f"{name} comes back to itself by calling {step.flow}"
                mend = "use goto inside of a flow, or take one call out"
                report.error(("step", place, "flow"), "call.circle", what, mend)
        problems += report.problems
        linked[name] = replace(flow, callees={} if name in reached else {one: flows[one] for one in sorted(reached)})
    return linked, problems


def calls(flow: Flow) -> Iterator[tuple[str, Call]]:
    """The steps that call another flow."""
    return ((name, step) for name, step in flow.steps.items() if isinstance(step, Call))


def _closure(flow: Flow | None, flows: Mapping[str, Flow]) -> set[str]:
    """Every flow that this one may come to by calls; itself only if it calls in a circle."""
    seen: set[str] = set()
    todo = [flow] if flow else []
    while todo:
        for _, step in calls(todo.pop()):
            if step.flow in flows and step.flow not in seen:
                seen.add(step.flow)
                todo.append(flows[step.flow])
    return seen


def _check(report: Report, flow: Flow, place: str, step: Call, flows: Mapping[str, Flow]) -> None:
    path = ("step", place)
    callee = flows.get(step.flow)
    if callee is None:
        close = get_close_matches(step.flow, list(flows), 1)
        mend = f"did you mean {close[0]}?" if close else "mend it, or check this together with the folder it lies in"
        what = f"there is no flow {step.flow} here, or it cannot be read"
        report.error((*path, "flow"), "call.unknown", what, mend)
        return
    wanted = callee.header.parameters
    for name in wanted.keys() - step.give.keys():
        report.error(path, "call.parameter", f"{step.flow} needs the parameter {name}", f"add give.{name} = ...")
    known = scope(flow)
    for name, formula in step.give.items():
        if name not in wanted:
            mend = f"it takes: {', '.join(wanted) or 'none'}"
            report.error((*path, "give", name), "call.parameter", f"{step.flow} takes no parameter {name}", mend)
            continue
        kind, faults = infer(formula, known)
        if not faults and "any" not in (kind.name, wanted[name]) and kind.name != wanted[name]:
            what = f"the parameter {name} of {step.flow} is {wanted[name]}, this is {kind.name}"
            report.error((*path, "give", name), "call.parameter", what)
    for variable, result in step.take.items():
        if result not in callee.header.results:
            mend = f"it gives back: {', '.join(callee.header.results) or 'nothing'}"
            report.error((*path, "take", variable), "call.result", f"{step.flow} has no result {result}", mend)
