"""The reference of steps, keys, events and functions, in Markdown, made from the models so that it cannot be wrong."""

from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from flows.calendar import Calendar
from flows.expressions import Expression
from flows.flow import Command, Defaults, Header
from flows.functions import FUNCTIONS
from flows.golden import Conversation, OutsideAnswer, Turn
from flows.rules import Rules
from flows.steps.base import Handler, Prompt, Step
from flows.steps.kinds import KINDS, type_name
from flows.steps.logic import Case, Share
from flows.steps.people import Later
from flows.steps.speech import Asking, Choice, Item

_TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The header", Header),
    ("[defaults]", Defaults),
    ("[command.NAME]", Command),
    ("[calendar.NAME]", Calendar),
    ("[rules.NAME]", Rules),
    ("Handlers: on.EVENT", Handler),
)
_INNER: tuple[tuple[str, type[BaseModel]], ...] = (
    ("A choice of a menu", Choice),
    ("An item of a list", Item),
    ("A case of a branch", Case),
    ("A share of a split", Share),
)
_GOLDEN: tuple[tuple[str, type[BaseModel]], ...] = (
    ("[[conversation]]", Conversation),
    ("A turn", Turn),
    ("An answer", OutsideAnswer),
)


def reference() -> str:
    """The whole page."""
    parts = ["# Reference of call flows", "", "Made by `ivr flow reference` from the code; do not edit by hand.", ""]
    for title, model in _TABLES:
        parts += _table(f"## {title}", model)
    parts += ["## Steps", "", "Every step has `type`, `note` and `on`. Those that ask also have:", ""]
    parts += _rows([(name, field) for name, field in Asking.model_fields.items() if name not in Step.model_fields])
    parts.append("")
    for kind in KINDS:
        parts += _step(kind)
    for title, model in _INNER:
        parts += _table(f"## {title}", model)
    parts += ["## Functions of expressions", "", "| Function | Gives | Does |", "|---|---|---|"]
    for function in FUNCTIONS.values():
        arguments = ", ".join(function.parameters)
        parts.append(f"| `{function.name}({arguments})` | {function.result} | {function.does} |")
    parts += ["", "## Golden conversations", ""]
    for title, model in _GOLDEN:
        parts += _table(f"### {title}", model)
    return "\n".join(parts).rstrip() + "\n"


def _step(kind: type[Step]) -> list[str]:
    name = type_name(kind)
    inherited = set(Asking.model_fields) if issubclass(kind, Asking) else set(Step.model_fields)
    fields = [(key, field) for key, field in kind.model_fields.items() if key not in inherited]
    if issubclass(kind, Asking):
        fields = [("prompt", kind.model_fields["prompt"]), *fields]
    later = (
        ["", "*Not available yet: its keys are checked, callers hear that it is not there.*"]
        if issubclass(kind, Later)
        else []
    )
    events = ", ".join(f"`{event}`" for event in sorted(kind.events))
    text = [
        f"### `{name}`",
        "",
        "\n".join(line.strip() for line in (kind.__doc__ or "").splitlines()).strip(),
        *later,
        "",
    ]
    return [*text, *_rows(fields), "", *([f"Events: {events}", ""] if events else [])]


def _table(title: str, model: type[BaseModel]) -> list[str]:
    text = "\n".join(line.strip() for line in (model.__doc__ or "").splitlines()).strip()
    return [title, "", text, "", *_rows(list(model.model_fields.items())), ""]


def _rows(fields: list[tuple[str, Any]]) -> list[str]:
    rows = ["| Key | If left out | Meaning |", "|---|---|---|"]
    for name, field in fields:
        if name != "type":
            rows.append(
                f"| `{field.alias or name}` | {_default(field)} | {(field.description or '').replace('|', '/')} |"
            )
    return rows


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if (
        value is None
        or value is PydanticUndefined
        or value in ((), "", False)
        or isinstance(value, Expression | Prompt)
    ):
        return "no" if value is False else ""
    if isinstance(value, BaseModel):
        return "see there"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
