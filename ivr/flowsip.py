"""`ivr flow test --sip`: the golden conversations as real calls to a running hotline."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.flow import Flow
from flows.golden import play
from flows.golden import read as read_golden
from flows.problems import Problem, Severity, counted
from ivr.config import Config
from ivr.flowfiles import read_text, vocabulary
from ivr.goldencall import left_out
from ivr.goldendial import NoHotlineError, Plan, dial_all, hotline_uri, line_of


def test(
    options: argparse.Namespace, config: Config, files: Sequence[Path], flows: dict[str, Flow], failed: list[Problem]
) -> int:
    """Plays every conversation that can be a real call. 0 all well, 1 something is wrong, 2 no hotline answers.

    `failed` are the problems of the flows, which are reported along.
    """
    plans = [plan for file in files for plan in _plans(file, flows, config, failed)]
    calls = [plan for plan in plans if not plan.left_out and not plan.virtual.problems]
    try:
        uri = hotline_uri(config, options.uri)
        asyncio.run(dial_all(config, options.config, uri, calls, options.calls))
    except NoHotlineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for plan in plans:
        failed += plan.virtual.problems
        failed += [_problem(plan, turn, what) for turn, what in plan.faults]
    if options.json:
        shown = {"conversations": [_as_json(plan) for plan in plans], "problems": [one.as_json() for one in failed]}
        sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2) + "\n")
    else:
        _show(plans, failed)
    return 1 if failed else 0


def _plans(file: Path, flows: dict[str, Flow], config: Config, failed: list[Problem]) -> list[Plan]:
    text = read_text(file)
    if isinstance(text, Problem):
        failed.append(text)
        return []
    golden, where, problems = read_golden(text, str(file))
    failed += problems
    if golden is None:
        return []
    flow = flows.get(golden.flow)
    if flow is None:
        what = f"there is no flow {golden.flow} beside this file"
        failed.append(Problem(str(file), where.key(("flow",)), Severity.ERROR, "golden", what))
        return []
    known, line = vocabulary(config), line_of(config, flow.name)
    plans = []
    for number, conversation in enumerate(golden.conversation):
        virtual = play(flow, conversation, str(file), where, number)
        why = left_out(flow, conversation, virtual, known)
        heard = any(tag.split("-", 1)[0] == flow.header.language.split("-", 1)[0] for tag in known)
        if not why and not heard and play(flow, conversation, str(file), where, number, deaf=True).problems:
            why = f"it is for a hotline that hears, and config.toml has no recogniser for {flow.header.language}"
        if not line:
            why = f"no line of [telephony.lines] leads to {flow.name}"
        plans.append(Plan(file, flow, number, conversation, virtual, why, line))
    return plans


def _problem(plan: Plan, turn: int, what: str) -> Problem:
    _, where, _ = read_golden(plan.file.read_text(encoding="utf-8-sig"), str(plan.file))
    at = where.key(("conversation", plan.number, "turns", turn))
    call = f" (call {plan.call})" if plan.call else ""
    return Problem(str(plan.file), at, Severity.ERROR, "golden", f"{what}{call}")


def _as_json(plan: Plan) -> dict[str, object]:
    passed = None if plan.left_out else not (plan.faults or plan.virtual.problems)
    return {
        "file": str(plan.file),
        "flow": plan.flow.name,
        "name": plan.conversation.name,
        "passed": passed,
        "left_out": plan.left_out,
        "call": plan.call,
    }


def _show(plans: Sequence[Plan], failed: Sequence[Problem]) -> None:
    for plan in plans:
        bad = bool(plan.faults or plan.virtual.problems)
        word = "left out" if plan.left_out else "FAILED" if bad else "passed"
        about = f": {plan.left_out}" if plan.left_out else f"  (call {plan.call})" if plan.call else ""
        sys.stdout.write(f"{word:8} {plan.file.name}: {plan.conversation.name}{about}\n")
    sys.stdout.writelines(f"{problem}\n" for problem in failed)
    bad_ones = sum(bool(plan.faults or plan.virtual.problems) for plan in plans)
    skipped = sum(bool(plan.left_out) for plan in plans)
    sys.stdout.write(f"{counted(len(plans) - skipped, 'conversation')} called, {bad_ones} failed, {skipped} left out\n")
