"""`ivr flow ...`: checks, draws, talks to, tests and documents flows. `flows` does the work; files, screen are here."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from flows.checker import check_all
from flows.coverage import Coverage, coverage
from flows.flow import Flow
from flows.golden import Outcome, play
from flows.golden import read as read_golden
from flows.graph import mermaid, svg
from flows.problems import Problem, Severity, counted, errors, in_order
from ivr.config import Config
from ivr.flowfiles import TEST_SUFFIX, flow_files, golden_files, read_files, read_text, vocabulary
from ivr.flowstore import open_store
from ivr.recordedprompts import unheard

Command = Callable[[argparse.Namespace, Config], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's sub-commands; `run` carries them out."""
    commands = parser.add_subparsers(dest="flow_command", metavar="WHAT", required=True)

    def add(name: str, run_command: Command, text: str, path: str | None = "*") -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run_flow_command=run_command)
        if path:
            command.add_argument(
                "path", nargs=path, type=Path, help="flow files or folders (default: the flows in use)"
            )
        return command

    command = add("check", _check, "name every problem of the flows, with file, line and column")
    command.add_argument("--json", action="store_true", help="one JSON list instead of lines")
    command = add("test", _test, "play the golden conversations (*.test.toml)")
    command.add_argument("--coverage", action="store_true", help="tell which steps and ways no conversation walks")
    command.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    command.add_argument("--transcripts", action="store_true", help="show every conversation")
    command.add_argument("--sip", action="store_true", help="as real calls to a running hotline")
    command.add_argument("--uri", default="", help="with --sip: its address (default: by config.toml)")
    command.add_argument(
        "--calls", type=int, choices=range(1, 21), metavar="N", default=3, help="with --sip: at a time"
    )
    command = add("graph", _graph, "draw a flow: SVG, or Mermaid for Markdown", path=None)
    command.add_argument("flow", help="a flow's file or name")
    command.add_argument("--mermaid", action="store_true", help="Mermaid text instead of SVG")
    command.add_argument("--out", type=Path, help="the file to write (default: standard output)")
    command = add("talk", _talk, "talk to a flow in the terminal, on a virtual clock", path=None)
    command.add_argument("flow", help="a flow's file or name")
    command.add_argument("--answers", type=Path, help="a *.test.toml whose first conversation answers http steps")
    command.add_argument("--caller", default="+15550100", help="the caller's number")
    command = add("history", _history, "show the published versions of flows", path=None)
    command.add_argument("flow", nargs="?", help="one flow (default: all)")
    command = add("rollback", _rollback, "go back to the version before; running calls stay on theirs", path=None)
    command.add_argument("flow", help="the flow's name")
    add("schema", _schema, "print the JSON Schema of flow files, for editors", path=None)
    add("reference", _reference, "print the reference of steps, keys and functions, in Markdown", path=None)


def run(options: argparse.Namespace, config: Config) -> int:
    """Carries out the sub-command; returns the exit code: 0 well, 1 problems found, 2 cannot be done."""
    command: Command = options.run_flow_command
    return command(options, config)


def _paths(options: argparse.Namespace, config: Config) -> list[Path]:
    return list(options.path) or [config.flows_folder]


def _flows(paths: Sequence[Path], config: Config) -> tuple[dict[str, Flow], list[Problem]]:
    """The checked flows at the paths. Their neighbours are read too, for calls of sub-flows, but not reported on."""
    files = [file for path in paths for file in flow_files(path)]
    neighbours = [file for path in paths if path.is_file() for file in flow_files(path.parent)]
    words, queues = vocabulary(config), config.queues.keys()
    read, problems = read_files(dict.fromkeys((*files, *neighbours)), vocabulary=words, queues=queues)
    flows, found = check_all(read, words, queues)
    found += [problem for flow in flows.values() for problem in unheard(flow)]
    wanted = set(map(str, files))
    return (
        {name: flow for name, flow in flows.items() if flow.file in wanted},
        in_order([problem for problem in (*problems, *found) if problem.file in wanted]),
    )


def _check(options: argparse.Namespace, config: Config) -> int:
    flows, problems = _flows(_paths(options, config), config)
    if options.json:
        _print(json.dumps([problem.as_json() for problem in problems], ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            _print(str(problem))
        bad = len(errors(problems))
        good = len(problems) - bad
        _print(f"{counted(len(flows), 'flow')}, {counted(bad, 'error')}, {counted(good, 'warning')}")
    return 1 if errors(problems) else 0


def _one(name: str, config: Config) -> Flow | None:
    """The flow of this name or file, without errors; else they are printed."""
    path = Path(name)
    if not path.is_file():
        path = config.flows_folder / f"{name}.toml"
    if not path.is_file():
        sys.stderr.write(f"{name}: neither a file nor a flow in {config.flows_folder}\n")
        return None
    flows, problems = _flows([path], config)
    bad = errors(problems)
    sys.stderr.writelines(f"{problem}\n" for problem in bad)
    return next(iter(flows.values()), None) if not bad else None


def _graph(options: argparse.Namespace, config: Config) -> int:
    flow = _one(options.flow, config)
    if flow is None:
        return 2
    drawn = mermaid(flow) if options.mermaid else svg(flow)
    if options.out:
        try:
            options.out.write_text(drawn, encoding="utf-8")
        except OSError as error:
            sys.stderr.write(f"{options.out}: cannot be written: {error.strerror}\n")
            return 2
    else:
        _print(drawn.rstrip())
    return 0


def _talk(options: argparse.Namespace, config: Config) -> int:
    from ivr import flowtalk  # noqa: PLC0415 - it brings the HTTP client along

    flow = _one(options.flow, config)
    return 2 if flow is None else flowtalk.talk(flow, options.caller, options.answers)


def _history(options: argparse.Namespace, config: Config) -> int:
    store = open_store(config)
    names = [options.flow] if options.flow else store.names()
    found = [(name, one) for name in names for one in store.shelf(name).versions]
    for name, one in found:
        when = datetime.fromtimestamp(one.published).astimezone().isoformat(" ", "seconds")
        tally = f"{one.tally.calls} calls, {one.tally.errors} errors, {one.tally.hangups} hang-ups"
        _print(f"{name} {one.number} (version {one.label}) {when} {one.standing}: {tally} {one.why}".rstrip())
    if not found:
        sys.stderr.write(f"{options.flow}: not published yet\n" if options.flow else "nothing has been published yet\n")
    return 0 if found else 1


def _rollback(options: argparse.Namespace, config: Config) -> int:
    store = open_store(config)
    if not store.rollback(options.flow):
        sys.stderr.write(f"{options.flow}: there is no version to go back to\n")
        return 1
    current = store.shelf(options.flow).current
    assert current is not None
    _print(f"{options.flow}: new calls get publication {current.number} (version {current.label})")
    for caller in store.callers(options.flow):
        _print(f"{caller} calls it as it was published; to take that back too: ivr flow rollback {caller}")
    return 0


def _schema(_options: argparse.Namespace, _config: Config) -> int:
    from flows.schema import schema  # noqa: PLC0415 - only here

    _print(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0


def _reference(_options: argparse.Namespace, _config: Config) -> int:
    from flows.reference import reference  # noqa: PLC0415 - only here

    _print(reference().rstrip())
    return 0


def _test(options: argparse.Namespace, config: Config) -> int:
    files = [file for path in _paths(options, config) for file in golden_files(path)]
    if not files:
        sys.stderr.write(f"no golden conversations here; they are files named *{TEST_SUFFIX}\n")
        return 2
    flows, problems = _flows(list(dict.fromkeys(file.parent for file in files)), config)
    failed = _concerning(files, flows, errors(problems))
    if options.sip:
        from ivr import flowsip  # noqa: PLC0415 - only here

        return flowsip.test(options, config, files, flows, failed)
    outcomes: list[tuple[Path, Flow, Outcome]] = []
    for file in files:
        played, found = _played(file, flows)
        outcomes += [(file, flow, outcome) for flow, outcome in played]
        failed += found
    failed += [problem for *_, outcome in outcomes for problem in outcome.problems]
    walks = [outcome.walked for *_, outcome in outcomes]
    walked = {name for walk in walks for name, _ in walk}
    covered = [coverage(flow, walks) for name, flow in flows.items() if name in walked] if options.coverage else []
    if options.json:
        _print(json.dumps(_as_json(outcomes, failed, covered), ensure_ascii=False, indent=2))
    else:
        _show(outcomes, failed, covered, transcripts=options.transcripts)
    return 1 if failed else 0


def _concerning(files: Sequence[Path], flows: dict[str, Flow], problems: list[Problem]) -> list[Problem]:
    """The problems of the flows that the golden files talk to: other flows of their folder may be under repair."""
    golden = [read_golden(text, str(file))[0] for file in files if isinstance(text := read_text(file), str)]
    talked_to = [flows.get(one.flow) for one in golden if one]
    if None in talked_to:  # it may be one of those that cannot be read
        return problems
    wanted = {flow.file for one in talked_to if one for flow in (one, *one.callees.values())}
    return [problem for problem in problems if problem.file in wanted]


def _played(file: Path, flows: dict[str, Flow]) -> tuple[list[tuple[Flow, Outcome]], list[Problem]]:
    text = read_text(file)
    if isinstance(text, Problem):
        return [], [text]
    golden, where, problems = read_golden(text, str(file))
    if golden is None:
        return [], problems
    flow = flows.get(golden.flow)
    if flow is None:
        what = f"there is no flow {golden.flow} beside this file"
        return [], [Problem(str(file), where.key(("flow",)), Severity.ERROR, "golden", what)]
    conversations = enumerate(golden.conversation)
    return [(flow, play(flow, conversation, str(file), where, place)) for place, conversation in conversations], []


def _show(
    outcomes: list[tuple[Path, Flow, Outcome]], failed: list[Problem], covered: list[Coverage], *, transcripts: bool
) -> None:
    for file, _, outcome in outcomes:
        if outcome.problems or transcripts:
            _print(f"{'FAILED' if outcome.problems else 'passed'} {file}: {outcome.name}")
            for line in outcome.lines:
                _print(f"  {line.at:6.1f} s  {line.who:8} {line.text}")
    for problem in failed:
        _print(str(problem))
    bad = sum(bool(outcome.problems) for *_, outcome in outcomes)
    _print(f"{counted(len(outcomes), 'conversation')}, {bad} failed")
    for one in covered:
        _print(f"{one.flow.name}: {one.percent:.0f}% of {len(one.flow.steps)} steps")
        for name in one.missed_steps:
            _print(f"  {one.flow.file}:{one.flow.places.key(('step', name)).line}: step {name} is not walked")
        for name, way in one.missed_ways:
            place = one.flow.places.key(("step", name, *way.path))
            label = f" ({way.label})" if way.label else ""
            _print(f"  {one.flow.file}:{place.line}: {name} -> {way.target}{label} is not walked")


def _as_json(
    outcomes: list[tuple[Path, Flow, Outcome]], failed: list[Problem], covered: list[Coverage]
) -> dict[str, object]:
    return {
        "conversations": [
            {"file": str(file), "flow": flow.name, "name": outcome.name, "passed": not outcome.problems}
            for file, flow, outcome in outcomes
        ],
        "problems": [problem.as_json() for problem in failed],
        "coverage": [
            {
                "flow": one.flow.name,
                "percent": round(one.percent, 1),
                "missed_steps": one.missed_steps,
                "missed_ways": [[name, way.target, way.label] for name, way in one.missed_ways],
            }
            for one in covered
        ],
    }


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
