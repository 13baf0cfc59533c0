"""Texts with `{expression}` in them: prompts, addresses, what is written into a variable.

`{{` and `}}` stand for the brackets themselves. A little SSML is understood: `<break time="500ms"/>` and
`<say-as interpret-as="digits">...</say-as>`; no other tag is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from flows import expressions
from flows.actions import Silence, Text
from flows.errors import ExpressionError
from flows.evaluation import evaluate
from flows.expressions import Expression
from flows.functions import MAX_TEXT, Context, Value, show

_PIECE = re.compile(r"\{\{|\}\}|\{|\}")
_TAG = re.compile(
    r'<break\s+time="(\d{1,9}(?:\.\d{1,9})?)(ms|s)"\s*/>|<say-as\s+interpret-as="(digits|characters)">([^<]*)</say-as>'
)
_ANY_TAG = re.compile(r"</?[a-z][a-z-]*\b[^<>]*>")


@dataclass(frozen=True, slots=True)
class Hole:
    """An expression and where it starts in the template, counted in characters."""

    expression: Expression
    offset: int


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text: literal parts and holes in their order."""

    source: str
    parts: tuple[str | Hole, ...]

    @property
    def holes(self) -> Iterator[Hole]:
        """The expressions in the text."""
        return (part for part in self.parts if isinstance(part, Hole))

    def fill(self, variables: Mapping[str, Value], context: Context) -> str:
        """The text with every hole filled; never raises."""
        return self._filled(variables, context, tags=True)

    def fill_url(self, variables: Mapping[str, Value], context: Context) -> str:
        """The text as an address: every filled-in value is escaped but one at its very start (a base address)."""
        texts = []
        for place, part in enumerate(self.parts):
            text = part if isinstance(part, str) else show(evaluate(part.expression, variables, context))
            texts.append(text if isinstance(part, str) or place == 0 else quote(text, safe=""))
        return "".join(texts)[:MAX_TEXT]

    def speak(self, variables: Mapping[str, Value], context: Context) -> tuple[Text | Silence, ...]:
        """The text as pieces of a prompt, SSML tags carried out. Filled-in values are never read as tags."""
        return tuple(_pieces(self._filled(variables, context, tags=False)))

    def _filled(self, variables: Mapping[str, Value], context: Context, tags: bool) -> str:
        texts = []
        for part in self.parts:
            text = part if isinstance(part, str) else show(evaluate(part.expression, variables, context))
            texts.append(text if tags or isinstance(part, str) else text.replace("<", " "))
        return "".join(texts)[:MAX_TEXT]


def parse(source: str) -> Template:
    """Reads a text with holes. Raises ExpressionError with the offset of what does not fit."""
    parts: list[str | Hole] = []
    at = 0
    while match := _PIECE.search(source, at):
        parts.append(source[at : match.start()])
        token, at = match[0], match.end()
        if token in ("{{", "}}"):
            parts.append(token[0])
        elif token == "}":
            raise ExpressionError('"}" without "{"; write "}}" for a bracket', match.start())
        else:
            end = source.find("}", at)
            if end < 0:
                raise ExpressionError('"{" without "}"; write "{{" for a bracket', match.start())
            try:
                expression = expressions.parse(source[at:end])
            except ExpressionError as error:
                raise ExpressionError(str(error), at + error.offset) from error
            parts.append(Hole(expression, at))
            at = end + 1
    parts.append(source[at:])
    _refuse_unknown_tags(source)
    return Template(source, tuple(part for part in parts if part != ""))


def _refuse_unknown_tags(source: str) -> None:
    rest = _TAG.sub(lambda match: " " * len(match[0]), source)
    if unknown := _ANY_TAG.search(rest):
        known = '<break time="500ms"/> and <say-as interpret-as="digits">...</say-as>'
        raise ExpressionError(f"{unknown[0][:40]} is not understood; known are {known}", unknown.start())


def _pieces(text: str) -> Iterator[Text | Silence]:
    at = 0
    words = ""
    for match in _TAG.finditer(text):
        words += text[at : match.start()]
        at = match.end()
        if match[1] is None:
            words += " ".join(character for character in match[4] if not character.isspace())
            continue
        if words.strip():
            yield Text(words.strip())
        words = ""
        yield Silence(min(float(match[1]) * (0.001 if match[2] == "ms" else 1.0), 10.0))
    words += text[at:]
    if words.strip():
        yield Text(words.strip())
