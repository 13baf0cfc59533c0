"""Checks a flow as a whole, before it is published: what the loader cannot see key by key."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from flows.checks import cells, names, needs, paths, speech, unset
from flows.checks.report import Report
from flows.checks.speech import Vocabulary
from flows.flow import Flow
from flows.linking import link
from flows.problems import Problem, in_order
from flows.steps.logic import Return


def check(flow: Flow, vocabulary: Vocabulary | None = None, queues: Collection[str] | None = None) -> list[Problem]:
    """Every problem of the flow, in the order of the file.

    `vocabulary` has the words each language's recogniser knows (language = words, small letters); languages that are
    not in it are not looked at. `queues` are the names of the queues there are; without it they are not looked at.
    """
    report = Report(flow)
    paths.check(report, flow)
    needs.check(report, flow, queues)
    names.check(report, flow)
    cells.check(report, flow)
    unset.check(report, flow)
    speech.check(report, flow, vocabulary or {})
    return in_order(report.problems)


def check_readable(
    flow: Flow, unread: Mapping[str, Any], vocabulary: Vocabulary | None = None, queues: Collection[str] | None = None
) -> list[Problem]:
    """What is wrong beside the steps that cannot be read (name = their raw tables), and does not hang on them."""
    there = {name: Return(type="return") for name in unread}
    problems = check(replace(flow, steps={**there, **flow.steps}), vocabulary, queues)
    unknown = {f"nothing is called {name}" for table in unread.values() for name in _named(table)}
    silent = _HANGS_ON_ALL | ({"type", "field.unknown"} if unknown else set())
    return [one for one in problems if one.code not in silent and one.what not in unknown]


_HANGS_ON_ALL = {"step.unreachable", "loop.endless", "loop.silent", "name.unset", "return.missing"}


def _named(table: object) -> Iterator[str]:
    """The variables that a step which cannot be read would probably set."""
    if not isinstance(table, dict):
        return
    for key in ("into", "reason_into", "values", "take"):
        value = table.get(key, ())
        yield from [value] if isinstance(value, str) else map(str, value) if isinstance(value, dict) else ()


def check_all(
    flows: Mapping[str, Flow],
    vocabulary: Vocabulary | None = None,
    queues: Collection[str] | None = None,
) -> tuple[dict[str, Flow], list[Problem]]:
    """Links flows that call each other and checks all of them: the flows to run, and every problem."""
    linked, problems = link(flows)
    for flow in linked.values():
        problems += check(flow, vocabulary, queues)
    return linked, in_order(problems)
