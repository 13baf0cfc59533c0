"""Reads flow files from disk for `flows.loader`, which knows no files."""

import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from flows.checks.speech import Vocabulary
from flows.document import MAX_CHARACTERS
from flows.flow import Flow
from flows.linking import link
from flows.loader import read
from flows.problems import Position, Problem, Severity
from ivr import models
from ivr.config import Config

TEST_SUFFIX = ".test.toml"
WORDS = "graph/words.txt"


def flow_files(path: Path) -> list[Path]:
    """The flow files at a path: the file itself, or every `*.toml` of the folder that is no golden conversation.

    Names that begin with a dot are those of editors and file systems, not of flows.
    """
    if path.is_dir():
        return sorted(
            file for file in path.glob("*.toml") if not file.name.endswith(TEST_SUFFIX) and file.name[0] != "."
        )
    return [path]


def golden_files(path: Path) -> list[Path]:
    """The golden conversations at a path: the file itself, those of a flow file, or all of the folder."""
    if path.is_dir():
        return sorted(file for file in path.glob(f"*{TEST_SUFFIX}") if file.name[0] != ".")
    if path.name.endswith(TEST_SUFFIX):
        return [path]
    beside = path.with_name(path.stem + TEST_SUFFIX)
    return [beside] if beside.exists() else []


def vocabulary(config: Config) -> Vocabulary:
    """The words that each language's vosk model knows (language = words), where one is configured and there."""
    found = {}
    for language, name in config.asr.models.items() if config.asr.engine == "vosk" else ():
        try:
            lines = (models.resolve(name, config.models_folder) / WORDS).read_text(encoding="utf-8").splitlines()
        except (models.ModelMissing, OSError):
            continue
        found[language] = frozenset(line.split()[0] for line in lines if line.strip())
    return found


Known = dict[Path, tuple[str, Flow | None, list[Problem]]]
"""What files held when they were last read."""


def read_files(
    files: Iterable[Path],
    known: Known | None = None,
    vocabulary: Vocabulary | None = None,
    queues: Collection[str] | None = None,
) -> tuple[dict[str, Flow], list[Problem]]:
    """Every flow that can be read, by name and joined with its sub-flows, and all problems of the others.

    Never raises for what a file holds; what is wrong with the calls between flows, `flows.checker.check_all` says.
    `known` is kept between calls by who reads the same files again: those that are the same are not parsed again.
    `vocabulary` and `queues` are as `check_all` takes them.
    """
    flows: dict[str, Flow] = {}
    problems: list[Problem] = []
    known = {} if known is None else known
    for file in files:
        text = read_text(file)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        if file not in known or known[file][0] != text:
            known[file] = (text, *read(text, str(file), vocabulary, queues))
        _, flow, found = known[file]
        problems += found
        if flow is None:
            continue
        if flow.name in flows:
            problems += (_twice(flow, flows[flow.name]), _twice(flows[flow.name], flow))
            continue
        flows[flow.name] = flow
    return link(flows)[0], problems


def _twice(flow: Flow, other: Flow) -> Problem:
    """Which of two files is meant, nobody can tell: both are at fault."""
    what, mend = f"the flow {flow.name} is in {other.file} too", "give one of them another name"
    return Problem(flow.file, flow.places.key(("flow",)), Severity.ERROR, "flow.twice", what, mend)


def read_text(file: Path) -> str | Problem:
    """The text of a flow or golden file, or why there is none."""
    try:
        facts = file.stat()
        if not stat.S_ISREG(facts.st_mode):
            return Problem(
                str(file), Position(), Severity.ERROR, "file", "this is no file", "take it out of the folder"
            )
        if facts.st_size > 4 * MAX_CHARACTERS:
            what = f"the file has {facts.st_size} bytes, at most {4 * MAX_CHARACTERS} are read"
            return Problem(str(file), Position(), Severity.ERROR, "file.too_big", what, "split it")
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8-sig", "replace")
        at = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        return Problem(str(file), at, Severity.ERROR, "file", f"not UTF-8: {error.reason}", "save it as UTF-8")
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        return Problem(str(file), Position(), Severity.ERROR, "file", what)
