"""Reads a flow's TOML text into a `Flow`, with every problem of the text in one run.

Owns syntax, keys and types; `flows.checker` has what concerns the whole (targets, names, reachability). No I/O: the
text comes in as a string.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from flows import document
from flows.checker import check_readable
from flows.checks.speech import Vocabulary
from flows.errors import ExpressionError
from flows.flow import Flow, Header
from flows.inside import inside
from flows.mistakes import first_causes, keys, plainly, suggest
from flows.positions import Path, Places
from flows.problems import Position, Problem, Severity
from flows.steps.base import NAME, Step
from flows.steps.kinds import BY_TYPE

MOST_FAULTS = 100


def read(
    text: str, file: str, vocabulary: Vocabulary | None = None, queues: Collection[str] | None = None
) -> tuple[Flow | None, list[Problem]]:
    """The flow, or None with the problems that keep it from being one. Never raises, whatever the text.

    `vocabulary` and `queues` are as `flows.checker.check` takes them, for the parts of a broken flow that can be read.
    """
    found = document.read(text, file)
    if isinstance(found, Problem):
        return None, [found]
    tables, where = found
    return _Reader(file, text, tables, where).flow(vocabulary, queues)


def _problem(file: str, at: Position, code: str, what: str, mend: str = "") -> Problem:
    return Problem(file, at, Severity.ERROR, code, what, mend)


class _Reader:
    def __init__(self, file: str, text: str, tables: dict[str, Any], where: Places) -> None:
        self.file = file
        self.text = text
        self.tables = tables
        self.places = where
        self.problems: list[Problem] = []
        self.parts: dict[str, Step] = {}

    def flow(self, vocabulary: Vocabulary | None, queues: Collection[str] | None) -> tuple[Flow | None, list[Problem]]:
        tables = self.tables.pop("step", {})
        steps = self.steps(tables)
        header = self.validate(Header, self.tables, ())
        if not self.problems and not steps:
            self.fault((), "flow.empty", "the flow has no steps", "write [step.NAME]")
        if not isinstance(header, Header):
            return None, self.problems
        flow = Flow(self.file, header, steps, self.places, self.text)
        if self.problems:
            readable = replace(flow, steps={**self.parts, **steps})
            unread = {name: table for name, table in tables.items() if name not in steps} if readable.steps else {}
            found = check_readable(readable, unread, vocabulary, queues) if readable.steps else []
            return None, [*self.problems, *found]
        return flow, []

    def steps(self, tables: Any) -> dict[str, Step]:
        if not isinstance(tables, dict):
            self.fault(("step",), "key.type", "step must be tables", "write [step.NAME]")
            return {}
        return {name: step for name, table in tables.items() if (step := self.step(name, table))}

    def step(self, name: str, table: Any) -> Step | None:
        path: Path = ("step", name)
        if not re.fullmatch(NAME, name):
            self.fault(path, "step.name", f"{name!r} is no name for a step", "use letters, digits and _")
            return None
        if not isinstance(table, dict):
            self.fault(path, "key.type", f"step {name} must be a table", f"write [step.{name}]")
            return None
        kind = table.get("type")
        if kind is None:
            self.fault(path, "key.missing", f"step {name} has no type", f'write type = "say" or {_either(BY_TYPE)}')
            return None
        if not isinstance(kind, str) or kind not in BY_TYPE:
            self.fault((*path, "type"), "step.type", f"there is no step type {kind!r}", suggest(kind, list(BY_TYPE)))
            return None
        step = self.validate(BY_TYPE[kind], table, path)
        return step if isinstance(step, Step) else None

    def keep_readable(self, model: type[BaseModel], table: Any, path: Path, found: list[Any]) -> None:
        """Keeps a step without the keys that cannot be read, so that the others are checked too."""
        places = [item["loc"] for item in found if item["type"] != "missing"]
        if path[:1] != ("step",) or any(loc[:1] in ((), ("on",), ("fields",)) or not _are_keys(loc) for loc in places):
            return
        try:
            step = model.model_validate(_without(table, places))
        except ValidationError:
            return
        if isinstance(step, Step):
            self.parts[str(path[1])] = step

    def validate(self, model: type[BaseModel], table: Any, path: Path) -> BaseModel | None:
        try:
            return model.model_validate(table)
        except ValidationError as error:
            found = first_causes(error)
            for item in found[:MOST_FAULTS]:
                self.invalid(model, path, item)
            self.keep_readable(model, table, path, found)
            if len(found) > MOST_FAULTS:
                self.fault(path, "key.more", f"{len(found) - MOST_FAULTS} more mistakes like these")
        except RecursionError:
            self.fault(path, "key.type", "this is nested too deeply")
        return None

    def invalid(self, model: type[BaseModel], path: Path, item: Any) -> None:
        place = (*path, *(name for part in item["loc"] for name in _split(part)))
        last = str(place[-1]) if place else ""
        inner = item.get("ctx", {}).get("error")
        match item["type"]:
            case "missing":
                mend = f'write {last} = "..."' if last != "into" else 'write into = "variable"'
                self.fault(place[:-1], "key.missing", f'the key "{last}" is missing', mend)
            case "extra_forbidden":
                known = keys(model, item["loc"][:-1])
                self.fault(place, "key.unknown", f'there is no key "{last}" here', suggest(last, known))
            case "value_error" if isinstance(inner, ExpressionError):
                at = inside(self.text, self.places.value(place), inner.offset)
                self.fault(place, "expression", f"{last}: {inner}", at=at)
            case _:
                what = str(item["msg"]).removeprefix("Value error, ")
                label = f"{last}: " if place and isinstance(place[-1], str) else ""
                self.fault(place, "key.value", label + plainly(item, what))

    def fault(self, path: Path, code: str, what: str, mend: str = "", at: Position | None = None) -> None:
        self.problems.append(_problem(self.file, at or self.places.key(path), code, what, mend))


def _are_keys(loc: tuple[int | str, ...]) -> bool:
    return all(isinstance(part, str) for part in loc)


def _without(table: dict[str, Any], places: list[tuple[str, ...]]) -> dict[str, Any]:
    """The table without the keys at these places."""
    here = {loc[0] for loc in places if len(loc) == 1}
    kept = {name: value for name, value in table.items() if name not in here}
    for name, value in kept.items():
        below = [loc[1:] for loc in places if len(loc) > 1 and loc[0] == name]
        if below and isinstance(value, dict):
            kept[name] = _without(value, below)
    return kept


def _split(part: int | str) -> tuple[int | str, ...]:
    """The event "error.http" is written on.error.http."""
    return tuple(part.split(".")) if isinstance(part, str) and part.startswith("error.") else (part,)


def _either(known: dict[str, Any]) -> str:
    return ", ".join(name for name in known if name != "say")
