"""Reads flow files from disk for `flows.loader`, which knows no files."""

from collections.abc import Iterable
from pathlib import Path

from flows.flow import Flow
from flows.loader import MAX_CHARACTERS, read
from flows.problems import Position, Problem, Severity

TEST_SUFFIX = ".test.toml"


def flow_files(path: Path) -> list[Path]:
    """The flow files at a path: the file itself, or every `*.toml` of the folder that is no golden conversation."""
    if path.is_dir():
        return sorted(file for file in path.glob("*.toml") if not file.name.endswith(TEST_SUFFIX))
    return [path]


def read_files(files: Iterable[Path]) -> tuple[dict[str, Flow], list[Problem]]:
    """Every flow that can be read, by name, and all problems of the others. Never raises for what a file holds."""
    flows: dict[str, Flow] = {}
    problems: list[Problem] = []
    for file in files:
        text = _text(file, problems)
        if text is None:
            continue
        flow, found = read(text, str(file))
        problems += found
        if flow is None:
            continue
        if flow.name in flows:
            what = f"the flow {flow.name} is already in {flows[flow.name].file}"
            place = flow.places.key(("flow",))
            problems.append(Problem(str(file), place, Severity.ERROR, "flow.twice", what, "give it another name"))
            continue
        flows[flow.name] = flow
    return flows, problems


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
