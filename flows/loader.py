"""Reads a flow's TOML text into a `Flow`, with every problem of the text in one run.

Owns syntax, keys and types; `flows.checker` has what concerns the whole (targets, names, reachability). No I/O: the
text comes in as a string.
"""

import re
import tomllib
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from flows.errors import ExpressionError
from flows.flow import Flow, Header
from flows.inside import inside
from flows.positions import Path, Places, places
from flows.problems import Position, Problem, Severity
from flows.steps.base import NAME, Step
from flows.steps.kinds import BY_TYPE

MAX_CHARACTERS = 2_000_000
MAX_DEPTH = 40


def read(text: str, file: str) -> tuple[Flow | None, list[Problem]]:
    """The flow, or None with the problems that keep it from being one. Never raises, whatever the text."""
    if len(text) > MAX_CHARACTERS:
        what = f"the file has {len(text)} characters, at most {MAX_CHARACTERS} are read"
        return None, [_problem(file, Position(1, 1), "file.too_big", what, "split it into sub-flows")]
    try:
        document = tomllib.loads(text)
        if _is_deep(document):
            raise RecursionError
        where = _places(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_not_toml(file, text, str(error))]
    except (RecursionError, ValueError) as error:
        what = "this is nested too deeply" if isinstance(error, RecursionError) else f"not TOML: {error}"
        return None, [_problem(file, Position(1, 1), "toml", what)]
    return _Reader(file, text, document, where).flow()


def _is_deep(document: dict[str, Any]) -> bool:
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        level = [inner for table in level for inner in (table.values() if isinstance(table, dict) else table)]
        level = [inner for inner in level if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _places(text: str) -> Places:
    try:
        return places(text)
    except (LookupError, RecursionError):
        return Places({}, {})


def _problem(file: str, at: Position, code: str, what: str, mend: str = "") -> Problem:
    return Problem(file, at, Severity.ERROR, code, what, mend)


def _not_toml(file: str, text: str, message: str) -> Problem:
    place = re.search(r"\(at line (\d+), column (\d+)\)", message)
    end = Position(text.count("\n") + 1, len(text) - text.rfind("\n"))
    at = Position(int(place[1]), int(place[2])) if place else end
    what = re.sub(r" \(at .*\)$", "", message)
    mend = "text stands in quotes, lists in [ ], tables on one line in { }" if "value" in what.lower() else ""
    return _problem(file, at, "toml", f"not TOML: {what[:200]}", mend)


class _Reader:
    def __init__(self, file: str, text: str, document: dict[str, Any], where: Places) -> None:
        self.file = file
        self.text = text
        self.document = document
        self.places = where
        self.problems: list[Problem] = []

    def flow(self) -> tuple[Flow | None, list[Problem]]:
        steps = self.steps(self.document.pop("step", {}))
        header = self.validate(Header, self.document, ())
        if not self.problems and not steps:
            self.fault((), "flow.empty", "the flow has no steps", "write [step.NAME]")
        if self.problems or not isinstance(header, Header):
            return None, self.problems
        return Flow(self.file, header, steps, self.places, self.text), []

    def steps(self, tables: Any) -> dict[str, Step]:
        if not isinstance(tables, dict):
            self.fault(("step",), "key.type", "step must be tables", "write [step.NAME]")
            return {}
        return {name: step for name, table in tables.items() if (step := self.step(name, table))}

    def step(self, name: str, table: Any) -> Step | None:
        path: Path = ("step", name)
        if not re.match(NAME, name):
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
            self.fault((*path, "type"), "step.type", f"there is no step type {kind!r}", _suggest(kind, list(BY_TYPE)))
            return None
        step = self.validate(BY_TYPE[kind], table, path)
        return step if isinstance(step, Step) else None

    def validate(self, model: type[BaseModel], table: Any, path: Path) -> BaseModel | None:
        try:
            return model.model_validate(table)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self.invalid(model, path, item)
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
                known = _keys(model, item["loc"][:-1])
                self.fault(place, "key.unknown", f'there is no key "{last}" here', _suggest(last, known))
            case "value_error" if isinstance(inner, ExpressionError):
                at = inside(self.text, self.places.value(place), inner.offset)
                self.fault(place, "expression", f"{last}: {inner}", at=at)
            case _:
                what = str(item["msg"]).removeprefix("Value error, ")
                label = f"{last}: " if place and isinstance(place[-1], str) else ""
                self.fault(place, "key.value", label + _plainly(item, what))

    def fault(self, path: Path, code: str, what: str, mend: str = "", at: Position | None = None) -> None:
        self.problems.append(_problem(self.file, at or self.places.key(path), code, what, mend))


def _split(part: int | str) -> tuple[int | str, ...]:
    """The event "error.http" is written on.error.http."""
    return tuple(part.split(".")) if isinstance(part, str) and part.startswith("error.") else (part,)


def _plainly(item: Any, message: str) -> str:
    given = item.get("input")
    shown = repr(given) if len(repr(given)) < 60 else f"{type(given).__name__} of {len(str(given))} characters"
    match item["type"]:
        case "string_type":
            return f"must be text in quotes, not {shown}"
        case "int_type" | "int_parsing":
            return f"must be a whole number, not {shown}"
        case "bool_type" | "bool_parsing":
            return f"must be true or false, not {shown}"
        case "literal_error":
            return f"{shown} is not one of {item['ctx']['expected']}"
        case "string_pattern_mismatch":
            return f"{shown} does not fit the pattern {item['ctx']['pattern']}"
        case "model_type" | "dict_type":
            return f"must be a table, not {shown}"
        case "tuple_type":
            return f"must be a list, not {shown}"
    return message


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys known at this place of a model."""
    inner: Any = model
    for part in loc:
        if isinstance(part, int):
            continue
        field = inner.model_fields.get(part) if isinstance(inner, type) and issubclass(inner, BaseModel) else None
        inner = field.annotation if field else inner
        arguments = getattr(inner, "__args__", ())
        inner = next((one for one in arguments if isinstance(one, type) and issubclass(one, BaseModel)), inner)
    return list(inner.model_fields) if isinstance(inner, type) and issubclass(inner, BaseModel) else []


def _suggest(given: object, known: list[str]) -> str:
    close = get_close_matches(str(given)[:100], known, 1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}" if known else ""


def _either(known: dict[str, Any]) -> str:
    return ", ".join(name for name in known if name != "say")
