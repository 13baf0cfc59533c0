"""What a step needs beside its keys: handlers, calendars, decision tables, results; and what is not available yet."""

from difflib import get_close_matches

from flows.checks.names import scope
from flows.checks.report import Report
from flows.flow import Flow
from flows.positions import Path
from flows.steps.base import Step
from flows.steps.logic import Hours, Return, Rule
from flows.steps.outside import Http, Record, Recording
from flows.steps.people import Later


def check(report: Report, flow: Flow) -> None:
    """Reports what is missing."""
    header = flow.header
    for name, step in flow.steps.items():
        path = ("step", name)
        match step:
            case Http():
                _handler(report, flow, path, step, "error.http")
            case Record() | Recording():
                _handler(report, flow, path, step, "error.recording")
            case Hours():
                _table(report, (*path, "calendar"), "calendar", step.calendar, list(header.calendar))
            case Rule():
                _table(report, (*path, "rules"), "rules", step.rules, list(header.rules))
                _rows(report, flow, path, step)
            case Return():
                _results(report, flow, path, step)
            case Later():
                where = f"callers hear so and go on to {step.next}" if step.next else "callers hear so"
                report.warning((*path, "type"), "step.unavailable", f"{step.type} is not available yet: {where}")


def _handler(report: Report, flow: Flow, path: Path, step: Step, event: str) -> None:
    handlers = step.on.get(event) or flow.header.on.get(event) or ()
    if not any(handler.next for handler in handlers):
        mend = f'add on.{event} = "STEP", for what is to happen when it fails'
        report.error(path, "handler.missing", f"nothing answers {event} of this {step.type} step", mend)


def _table(report: Report, path: Path, kind: str, name: str, known: list[str]) -> None:
    if name not in known:
        close = get_close_matches(name, known, 1)
        mend = f"did you mean {close[0]}?" if close else f"write [{kind}.{name}]"
        report.error(path, f"{kind}.unknown", f"there is no [{kind}.{name}]", mend)


def _rows(report: Report, flow: Flow, path: Path, step: Rule) -> None:
    table = flow.header.rules.get(step.rules)
    if table and not table.is_complete and not step.otherwise and not step.on.get("error.semantic"):
        mend = 'end the table with a row of "any", or add otherwise = "STEP"'
        report.warning(path, "rules.incomplete", f"no row of {step.rules} may fit, and then the call ends", mend)


def _results(report: Report, flow: Flow, path: Path, step: Return) -> None:
    for name in step.values:
        if name not in flow.header.results:
            mend = f"declare it: [results] {name} = ..."
            report.error((*path, "values", name), "return.unknown", f"{name} is no result of this flow", mend)
    known = scope(flow)
    for name in flow.header.results:
        if name not in step.values and name not in known:
            report.error(path, "return.missing", f"nothing gives the result {name} a value", f"add values.{name} = ...")
