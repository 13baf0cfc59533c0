"""Where the steps lead: targets that are missing, steps nobody reaches, loops without a way out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from flows.checks.report import Report
from flows.commands import OWN, REPEAT
from flows.flow import Flow
from flows.positions import Path
from flows.steps.base import NAME, Handler, Step
from flows.steps.kinds import KINDS
from flows.steps.speech import Asking

ALL_EVENTS = frozenset().union(*(kind.events for kind in KINDS))
Graph = Mapping[str, set[str]]


def check(report: Report, flow: Flow) -> None:
    """Reports what is wrong with the ways through the flow."""
    _targets(report, flow)
    _events(report, flow)
    if flow.header.start in flow.steps:
        _unreachable(report, flow)
        _endless(report, flow)
        _silent(report, flow)


def _targets(report: Report, flow: Flow) -> None:
    named: list[tuple[Path, str]] = [(("start",), flow.header.start)]
    for name, step in flow.steps.items():
        named += [(("step", name, *way.path), way.target) for way in step.exits()]
    for name, command in flow.header.command.items():
        if command.next:
            named.append((("command", name, "next"), command.next))
    for event, handlers in flow.header.on.items():
        named += [
            (("on", *event.split("."), place, "next"), one.next) for place, one in enumerate(handlers) if one.next
        ]
    for path, target in named:
        if target not in flow.steps:
            close = get_close_matches(target, list(flow.steps), 1)
            mend = f"did you mean {close[0]}?" if close else f"write [step.{target}]"
            report.error(path, "step.unknown", f"there is no step {target}", mend)


def _events(report: Report, flow: Flow) -> None:
    commands = {*flow.header.command, *OWN}
    for name, step in flow.steps.items():
        mine = step.events | (commands if isinstance(step, Asking) else set())
        _known(report, ("step", name, "on"), step.on, mine, f"a {step.type} step")
    _known(report, ("on",), flow.header.on, ALL_EVENTS | commands, "any step")


def _known(report: Report, path: Path, on: Mapping[str, object], known: Iterable[str], whose: str) -> None:
    names = sorted(known)
    for event in on:
        if event not in names:
            close = get_close_matches(event, names, 1)
            mend = f"did you mean {close[0]}?" if close else f"known here: {', '.join(names[:12]) or 'none'}"
            if not close and REPEAT in names and re.fullmatch(NAME, event):
                mend = f"if it is something that callers say, write [command.{event}]; {mend}"
            report.error((*path, *event.split(".")), "event.unknown", f"{event} is no event of {whose}", mend)


def graph(flow: Flow) -> dict[str, set[str]]:
    """Every step with the steps it may lead to by any event."""
    everywhere = {command.next for command in flow.header.command.values() if command.next}
    known = flow.steps.keys()
    found = {}
    for name, step in flow.steps.items():
        ways = {*(way.target for way in step.exits()), *handler_targets(flow, step)}
        ways |= everywhere if isinstance(step, Asking) else set()
        found[name] = {target for target in ways if target in known}
    return found


def handler_targets(flow: Flow, step: Step) -> Iterator[str]:
    """The steps that handlers may lead to from this one, its own or those above the steps."""
    own = (one for handlers in step.on.values() for one in handlers)
    shared = (one for event in step.events for one in _handlers(flow, step, event))
    return (one.next for one in (*own, *shared) if one.next)


def _handlers(flow: Flow, step: Step, event: str) -> tuple[Handler, ...]:
    return step.on.get(event) or flow.header.on.get(event) or ()


def reachable(ways: Graph, start: Iterable[str]) -> set[str]:
    """Every step that can be come to from these."""
    seen = set(start)
    todo = list(seen)
    while todo:
        for target in ways.get(todo.pop(), ()):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def _unreachable(report: Report, flow: Flow) -> None:
    seen = reachable(graph(flow), [flow.header.start])
    for name in flow.steps:
        if name not in seen:
            mend = "let another step lead to it, or take it out"
            report.warning(("step", name), "step.unreachable", f"nothing leads to step {name}", mend)


def _endless(report: Report, flow: Flow) -> None:
    """Steps that wait for nothing and lead only to each other."""
    instant = {name: {way.target for way in step.ways()} for name, step in flow.steps.items() if not step.waits}
    out = {
        name
        for name, ways in instant.items()
        if flow.steps[name].ends or not ways or any(way not in instant for way in ways)
    }
    stuck = set(instant) - _leading_to(instant, out)
    if stuck:
        first = next(name for name in flow.steps if name in stuck)
        what = f"from step {first} on the flow runs in a circle without ever waiting for the caller"
        report.error(("step", first), "loop.endless", what, "let one of the steps ask something or hang up")


def _silent(report: Report, flow: Flow) -> None:
    """Where a caller who never says or keys anything would be kept for ever."""
    ways = {name: silent_ways(flow, step) for name, step in flow.steps.items()}
    ends = {name for name, step in flow.steps.items() if step.ends or not ways[name]}
    safe = _leading_to(ways, ends)
    kept = reachable(ways, [flow.header.start]) - safe
    asking = sorted(name for name in kept if isinstance(flow.steps.get(name), Asking))
    waiting = [name for name, step in flow.steps.items() if name in kept and step.waits]
    if waiting and not asking:
        what = f"from step {waiting[0]} on the flow runs in a circle that a caller can only leave by hanging up"
        report.error(("step", waiting[0]), "loop.silent", what, "let one of the steps lead to one that ends the call")
    for name in asking:
        what = f"a caller who stays silent at step {name} never gets out"
        mend = "let on.noinput or on.attempts lead to a step that ends the call"
        report.error(("step", name), "loop.silent", what, mend)


def silent_ways(flow: Flow, step: Step) -> set[str]:
    """Where silence leads from this step; empty where the engine gives up and hangs up."""
    if not isinstance(step, Asking):
        return {way.target for way in step.exits()}
    attempts = step.attempts or flow.header.defaults.attempts
    handlers = _handlers(flow, step, "noinput")
    for count in range(1, attempts + 1):
        handler = handlers[min(count, len(handlers)) - 1] if handlers else None
        if handler and handler.next:
            return {handler.next}
    last = next(iter(_handlers(flow, step, "attempts")), None)
    return {last.next} if last and last.next else set()


def _leading_to(ways: Graph, ends: Iterable[str]) -> set[str]:
    backward: dict[str, set[str]] = {}
    for name, targets in ways.items():
        for target in targets:
            backward.setdefault(target, set()).add(name)
    return reachable(backward, ends)
