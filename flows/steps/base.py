"""What all steps are made of: names, durations, prompts, conditions, handlers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from flows import expressions, templates
from flows.actions import BargeIn
from flows.expressions import Expression
from flows.inference import Type
from flows.positions import Path
from flows.templates import Template

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
ANY_LANGUAGE = ""
T = TypeVar("T")


def duration(value: object) -> float:
    """Reads "400ms", "5s", "10m" or "4h" as seconds. Raises ValueError."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('not a duration; write "400ms", "5s", "10m" or "4h"')
    return float(match[1]) * _SECONDS[match[2]]


def _barge_in(value: object) -> BargeIn:
    if isinstance(value, bool):
        return BargeIn.YES if value else BargeIn.NO
    if value == "hotword":
        return BargeIn.HOTWORD
    raise ValueError('must be true, false or "hotword"')


def _expression(value: object) -> Expression:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError('an expression is written as text, like "balance > 100"')
    return expressions.parse(value)


def _template(value: object) -> Template:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return templates.parse(value)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded prompt, its path relative to the flow file's folder."""

    path: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is played, by language; `ANY_LANGUAGE` where the author gave only one."""

    variants: tuple[tuple[str, tuple[Template | Recorded, ...]], ...]

    def within(self, language: str) -> tuple[Template | Recorded, ...] | None:
        """The pieces in this language: exactly it, else its primary subtag, else those for any language."""
        return by_language(self.variants, language)


@dataclass(frozen=True, slots=True)
class Phrases:
    """What may be said, by language."""

    variants: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def within(self, language: str) -> tuple[str, ...]:
        """The phrases in this language; none where the author gave none for it."""
        return by_language(self.variants, language) or ()


def by_language(variants: tuple[tuple[str, T], ...], language: str) -> T | None:
    """Picks the variant that fits a language best."""
    table = dict(variants)
    if language in table:
        return table[language]
    primary = language.split("-", 1)[0]
    for tag, variant in variants:
        if tag.split("-", 1)[0] == primary:
            return variant
    return table.get(ANY_LANGUAGE)


def _part(value: object) -> Template | Recorded:
    if isinstance(value, str):
        return templates.parse(value)
    if isinstance(value, dict) and set(value) == {"file"} and isinstance(value["file"], str):
        path = value["file"]
        if path.startswith("/") or ".." in path.split("/") or "\0" in path:
            raise ValueError("a prompt's file lies in the folder of the flow: no leading / and no ..")
        return Recorded(path)
    raise ValueError('must be text or { file = "..." }')


def _parts(value: object) -> tuple[Template | Recorded, ...]:
    return tuple(map(_part, value)) if isinstance(value, list) else (_part(value),)


def _languages(value: dict[Any, Any]) -> None:
    for tag in value:
        if not re.match(LANGUAGE, str(tag)):
            raise ValueError(f'{tag!r} is not a language; write "en", "zh-CN" ...')


def _prompt(value: object) -> Prompt:
    if isinstance(value, dict) and "file" not in value:
        _languages(value)
        if not value:
            raise ValueError("a prompt needs a text")
        return Prompt(tuple((str(tag), _parts(inner)) for tag, inner in value.items()))
    return Prompt(((ANY_LANGUAGE, _parts(value)),))


def _words(value: object) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(word, str) and word.strip() for word in listed):
        raise ValueError('must be a list of words, like ["balance", "my balance"]')
    return tuple(listed)


def _phrases(value: object) -> Phrases:
    if isinstance(value, dict):
        _languages(value)
        return Phrases(tuple((str(tag), _words(inner)) for tag, inner in value.items()))
    return Phrases(((ANY_LANGUAGE, _words(value)),))


_TEXT_OR_FILE = {
    "anyOf": [
        {"type": "string"},
        {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]},
    ]
}
_PLAYED = {"anyOf": [*_TEXT_OR_FILE["anyOf"], {"type": "array", "items": _TEXT_OR_FILE}]}
_SAID = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


def _per_language(schema: dict[str, Any]) -> dict[str, Any]:
    tagged = {"type": "object", "patternProperties": {LANGUAGE: schema}, "additionalProperties": False}
    return {"anyOf": [*schema["anyOf"], tagged]}


Duration = Annotated[
    float, PlainValidator(duration), WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h)$"})
]
Condition = Annotated[Expression, PlainValidator(_expression), WithJsonSchema({"type": ["string", "boolean"]})]
Formula = Annotated[Expression, PlainValidator(_expression), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Filled = Annotated[Template, PlainValidator(_template), WithJsonSchema({"type": "string"})]
Spoken = Annotated[Prompt, PlainValidator(_prompt), WithJsonSchema(_per_language(_PLAYED))]
Messages = Annotated[
    tuple[Spoken, ...],
    BeforeValidator(lambda value: value if isinstance(value, list) else [value]),
    WithJsonSchema({"anyOf": [*_PLAYED["anyOf"][:2], *_per_language(_PLAYED)["anyOf"][3:], {"type": "array"}]}),
]
Said = Annotated[Phrases, PlainValidator(_phrases), WithJsonSchema(_per_language(_SAID))]
MaySpeakOver = Annotated[
    BargeIn,
    PlainValidator(_barge_in),
    PlainSerializer(lambda mode: {"true": True, "false": False}.get(mode, mode)),
    WithJsonSchema({"enum": [True, False, "hotword"]}),
]
Target = Annotated[str, StringConstraints(pattern=NAME)]
VariableName = Annotated[str, StringConstraints(pattern=NAME)]
LanguageTag = Annotated[str, StringConstraints(pattern=LANGUAGE)]
Keys = Annotated[str, StringConstraints(pattern=r"^[0-9*#A-D]{1,8}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9*#A-D]$")]
TermKey = Annotated[str, StringConstraints(pattern=r"^[0-9*#A-D]?$")]


class Table(BaseModel):
    """A closed table: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Handler(Table):
    """What happens on an event: a prompt, another step, or both. Without `next` the step asks again."""

    prompt: Spoken | None = Field(None, description="played; without `next` in place of the step's prompt")
    next: Target | None = Field(None, description="the step to go to")
    again: bool = Field(False, description="play the step's own prompt after this one", strict=True)


def _named(value: object) -> object:
    return {"next": value} if isinstance(value, str) else value


def _listed(value: object) -> object:
    if value == []:
        raise ValueError("an empty list handles nothing; take it out")
    return value if isinstance(value, list) else [value]


def _flat(value: object) -> object:
    """Turns `on.error.http` into the event "error.http"."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, Any] = {}
    for event, handlers in value.items():
        if event == "error" and isinstance(handlers, dict) and not set(handlers) & set(Handler.model_fields):
            flat |= {f"error.{kind}": inner for kind, inner in handlers.items()}
        else:
            flat[event] = handlers
    return flat


Handlers = Annotated[tuple[Annotated[Handler, BeforeValidator(_named)], ...], BeforeValidator(_listed)]
On = Annotated[
    dict[str, Handlers],
    BeforeValidator(_flat),
    WithJsonSchema({"type": "object"}),
]


@dataclass(frozen=True, slots=True)
class Exit:
    """One way out of a step: where it is written, what leads there, and the step it names."""

    path: Path
    label: str
    target: str


class Step(Table):
    """A step. Each subclass adds its keys; the class's docstring is its entry in the reference."""

    type: str
    note: str = Field("", description="for the people who read the flow; the engine ignores it")
    on: On = Field(default_factory=dict, description="what happens on events: on.EVENT = STEP, a table, or a list")

    events: ClassVar[frozenset[str]] = frozenset()
    ends: ClassVar[bool] = False
    waits: ClassVar[bool] = False

    def ways(self) -> Iterator[Exit]:
        """The ways out that the step's own keys name, handlers left out."""
        target = getattr(self, "next", None)
        if isinstance(target, str):
            yield Exit(("next",), "", target)

    def exits(self) -> Iterator[Exit]:
        """Every way out, handlers included."""
        yield from self.ways()
        for event, handlers in self.on.items():
            for index, handler in enumerate(handlers):
                if handler.next:
                    yield Exit(("on", *event.split("."), index, "next"), event, handler.next)

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        """The variables that the step sets, each with its type; None where an expression decides it."""
        yield from ()
