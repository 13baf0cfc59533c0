"""Checks a flow as a whole, before it is published: what the loader cannot see key by key."""

from collections.abc import Mapping

from flows.checks import names, paths, speech
from flows.checks.report import Report
from flows.flow import Flow
from flows.problems import Problem, in_order


def check(flow: Flow, vocabulary: Mapping[str, frozenset[str]] | None = None) -> list[Problem]:
    """Every problem of the flow, in the order of the file.

    `vocabulary` has the words each language's recogniser knows (language = words, small letters); languages that are
    not in it are not looked at.
    """
    report = Report(flow)
    paths.check(report, flow)
    names.check(report, flow)
    speech.check(report, flow, vocabulary or {})
    return in_order(report.problems)
