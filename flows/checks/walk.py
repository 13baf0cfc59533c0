"""Walks over every expression and every prompt of a step or header, with the path where it is written."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from flows.expressions import Expression
from flows.positions import Path
from flows.steps.base import ANY_LANGUAGE, Phrases, Prompt
from flows.templates import Template

Found = tuple[Path, Any]


def values(model: BaseModel, path: Path) -> Iterator[Found]:
    """Every `Expression`, `Template`, `Prompt` and `Phrases` in the model, at any depth."""
    for name in type(model).model_fields:
        yield from _in(getattr(model, name), (*path, *_parts(name)))


def _in(value: Any, path: Path) -> Iterator[Found]:
    match value:
        case Expression() | Template() | Prompt() | Phrases():
            yield path, value
        case BaseModel():
            yield from values(value, path)
        case tuple():
            for index, item in enumerate(value):
                yield from _in(item, (*path, index))
        case dict():
            for key, item in value.items():
                yield from _in(item, (*path, *_parts(str(key))))


def templates(prompt: Prompt, path: Path) -> Iterator[tuple[Path, Template]]:
    """The texts of a prompt, each with its path."""
    for language, parts in prompt.variants:
        place = path if language == ANY_LANGUAGE else (*path, language)
        for index, part in enumerate(parts):
            if isinstance(part, Template):
                yield place if len(parts) == 1 else (*place, index), part


def _parts(name: str) -> tuple[str, ...]:
    name = "with" if name == "with_" else name
    return tuple(name.split(".")) if name.startswith("error.") else (name,)
