"""Finds what a flow will surely say: the prompts without variables, to be made before anybody calls. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from flows.actions import Text
from flows.flow import Flow
from flows.functions import Context
from flows.steps.base import ANY_LANGUAGE, Prompt
from flows.templates import Template, parse
from flows.wording import wording


@dataclass(frozen=True, slots=True)
class FixedPrompt:
    """A text that is always the same, and how it is spoken; an empty voice is that of the language."""

    text: str
    language: str
    voice: str


def fixed_prompts(flow: Flow) -> Iterator[FixedPrompt]:
    """The fixed texts of a flow's prompts in the order of the file, the engine's own sentences last; each once."""
    header = flow.header
    found: dict[FixedPrompt, None] = {}
    for prompt in _prompts([header, *flow.steps.values()]):
        for tag, parts in prompt.variants:
            language = header.language if tag == ANY_LANGUAGE else tag
            templates = [part for part in parts if isinstance(part, Template)]
            found |= {FixedPrompt(text, language, header.voice): None for text in _fixed(templates)}
    own = [parse(sentence) for sentence in wording(header.language).values()]
    found |= {FixedPrompt(text, header.language, header.voice): None for text in _fixed(own)}
    yield from found


def _fixed(templates: list[Template]) -> Iterator[str]:
    for template in templates:
        if not any(template.holes):
            yield from (piece.text for piece in template.speak({}, Context()) if isinstance(piece, Text))


def _prompts(value: object) -> Iterator[Prompt]:
    """Every prompt at any depth of a flow's tables."""
    if isinstance(value, Prompt):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _prompts(getattr(value, name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _prompts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _prompts(inner)
