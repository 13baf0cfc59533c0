"""Reads flow files from disk for `flows.loader`, which knows no files."""

from collections.abc import Iterable
from pathlib import Path

from flows.flow import Flow
from flows.linking import link
from flows.loader import MAX_CHARACTERS, read
from flows.problems import Position, Problem, Severity
from ivr import models
from ivr.config import Config

TEST_SUFFIX = ".test.toml"
WORDS = "graph/words.txt"


def flow_files(path: Path) -> list[Path]:
    """The flow files at a path: the file itself, or every `*.toml` of the folder that is no golden conversation."""
    if path.is_dir():
        return sorted(file for file in path.glob("*.toml") if not file.name.endswith(TEST_SUFFIX))
    return [path]


def golden_files(path: Path) -> list[Path]:
    """The golden conversations at a path: the file itself, those of a flow file, or all of the folder."""
    if path.is_dir():
        return sorted(path.glob(f"*{TEST_SUFFIX}"))
    if path.name.endswith(TEST_SUFFIX):
        return [path]
    beside = path.with_name(path.stem + TEST_SUFFIX)
    return [beside] if beside.exists() else []


def vocabulary(config: Config) -> dict[str, frozenset[str]]:
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


def read_files(files: Iterable[Path], known: Known | None = None) -> tuple[dict[str, Flow], list[Problem]]:
    """Every flow that can be read, by name and joined with its sub-flows, and all problems of the others.

    Never raises for what a file holds; what is wrong with the calls between flows, `flows.checker.check_all` says.
    `known` is kept between calls by who reads the same files again: those that are the same are not parsed again.
    """
    flows: dict[str, Flow] = {}
    problems: list[Problem] = []
    known = {} if known is None else known
    for file in files:
        text = _text(file, problems)
        if text is None:
            continue
        if file not in known or known[file][0] != text:
            known[file] = (text, *read(text, str(file)))
        _, flow, found = known[file]
        problems += found
        if flow is None:
            continue
        if flow.name in flows:
            what = f"the flow {flow.name} is already in {flows[flow.name].file}"
            place = flow.places.key(("flow",))
            problems.append(Problem(str(file), place, Severity.ERROR, "flow.twice", what, "give it another name"))
            continue
        flows[flow.name] = flow
    return link(flows)[0], problems


def _text(file: Path, problems: list[Problem]) -> str | None:
    try:
        if file.stat().st_size <= 4 * MAX_CHARACTERS:
            return file.read_bytes().decode("utf-8-sig")
        what = f"the file has {file.stat().st_size} bytes, at most {4 * MAX_CHARACTERS} are read"
        problems.append(Problem(str(file), Position(), Severity.ERROR, "file.too_big", what))
    except UnicodeDecodeError as error:
        what = f"not UTF-8: {error.reason} at byte {error.start}"
        problems.append(Problem(str(file), Position(), Severity.ERROR, "file", what, "save it as UTF-8"))
    except OSError as error:
        problems.append(Problem(str(file), Position(), Severity.ERROR, "file", f"cannot be read: {error.strerror}"))
    return None
