"""What a step needs beside its keys: handlers, calendars, decision tables, results; and what is not available yet."""

from collections.abc import Collection
from difflib import get_close_matches

from flows.checks.names import scope
from flows.checks.report import Report
from flows.flow import Flow
from flows.inference import ANY, infer
from flows.positions import Path
from flows.steps.base import Step
from flows.steps.logic import Hours, Return, Rule
from flows.steps.outside import Http, Record, Recording
from flows.steps.people import Callback, Later, Queue, Staffing, Transfer


def check(report: Report, flow: Flow, queues: Collection[str] | None) -> None:
    """Reports what is missing. `queues` are those there are, None where that is not known."""
    header = flow.header
    if queues is not None:
        _queues(report, flow, queues)
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
            case Queue():
                _queue(report, flow, path, step)
            case Transfer() if not _leads(flow, step, "failed"):
                mend = 'add on.failed = "STEP", for what is to happen when nobody is reached'
                what = f"nothing answers failed of this transfer step: {_without(step.next)}"
                report.warning(path, "handler.missing", what, mend)
            case Callback():
                for event in ("unavailable", *(["error.semantic"] if step.at else [])):
                    if not _leads(flow, step, event):
                        what = f"nothing answers {event} of this callback step: {_without(None)}"
                        report.warning(path, "handler.missing", what, f'add on.{event} = "STEP"')
            case Later():
                where = f"callers hear so and go on to {step.next}" if step.next else "callers hear so"
                report.warning((*path, "type"), "step.unavailable", f"{step.type} is not available yet: {where}")


def _queue(report: Report, flow: Flow, path: Path, step: Queue) -> None:
    """Callers whom nobody answers need somewhere to go."""
    for event in ("timeout", "no_agents", "unavailable"):
        if not _leads(flow, step, event) and not (event == "unavailable" and _leads(flow, step, "no_agents")):
            what = f"nothing answers {event} of this queue step: {_without(step.next)}"
            report.warning(path, "handler.missing", what, f'add on.{event} = "STEP": voicemail, a callback, a goodbye')
    for event in ("joined", "offered", "answered"):
        if any(handler.next for handler in step.on.get(event, ())):
            mend = "next of the step says what comes after the talk"
            report.error((*path, "on", event), "handler.next", f"on.{event} can only have a prompt", mend)
    if step.exit_key and not _leads(flow, step, "exit_key"):
        mend = 'add on.exit_key = "STEP"'
        report.error((*path, "exit_key"), "handler.missing", f"key {step.exit_key} leads nowhere", mend)
    if "exit_key" in step.on and not step.exit_key:
        what = "there is no key that leads here"
        report.warning((*path, "on", "exit_key"), "handler.unused", what, 'add exit_key = "1"')


def _without(onward: str | None) -> str:
    return f"callers hear an apology and go on to {onward}" if onward else "callers hear an apology, and the call ends"


def _leads(flow: Flow, step: Step, event: str) -> bool:
    """Whether a handler of the event leads to a step."""
    handlers = step.on.get(event) or flow.header.on.get(event) or ()
    return any(handler.next for handler in handlers)


def _queues(report: Report, flow: Flow, queues: Collection[str]) -> None:
    for name, step in flow.steps.items():
        if isinstance(step, Queue | Staffing | Callback) and step.queue not in queues:
            close = get_close_matches(step.queue, list(queues), 1)
            mend = f"did you mean {close[0]}?" if close else f"write [queues.{step.queue}] into config.toml"
            report.error(("step", name, "queue"), "queue.unknown", f"there is no queue {step.queue}", mend)


def _handler(report: Report, flow: Flow, path: Path, step: Step, event: str) -> None:
    if not _leads(flow, step, event):
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
    for name, wanted in flow.header.results.items():
        if name not in step.values and name not in known:
            report.error(path, "return.missing", f"nothing gives the result {name} a value", f"add values.{name} = ...")
            continue
        kind = infer(step.values[name], known)[0] if name in step.values else known.get(name, ANY)
        if "any" not in (kind.name, wanted) and kind.name != wanted:
            place = (*path, "values", name) if name in step.values else ("results", name)
            report.error(place, "return.type", f"the result {name} is declared as {wanted}, this is {kind.name}")
