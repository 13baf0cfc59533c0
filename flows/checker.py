"""Checks a flow as a whole, before it is published: what the loader cannot see key by key."""

from collections.abc import Collection, Mapping

from flows.checks import names, needs, paths, speech, unset
from flows.checks.report import Report
from flows.flow import Flow
from flows.linking import link
from flows.problems import Problem, in_order


def check(
    flow: Flow, vocabulary: Mapping[str, frozenset[str]] | None = None, queues: Collection[str] | None = None
) -> list[Problem]:
    """Every problem of the flow, in the order of the file.

    `vocabulary` has the words each language's recogniser knows (language = words, small letters); languages that are
    not in it are not looked at. `queues` are the names of the queues there are; without it they are not looked at.
    """
    report = Report(flow)
    paths.check(report, flow)
    needs.check(report, flow, queues)
    names.check(report, flow)
    unset.check(report, flow)
    speech.check(report, flow, vocabulary or {})
    return in_order(report.problems)


def check_all(
    flows: Mapping[str, Flow],
    vocabulary: Mapping[str, frozenset[str]] | None = None,
    queues: Collection[str] | None = None,
) -> tuple[dict[str, Flow], list[Problem]]:
    """Links flows that call each other and checks all of them: the flows to run, and every problem."""
    linked, problems = link(flows)
    for flow in linked.values():
        problems += check(flow, vocabulary, queues)
    return linked, in_order(problems)
