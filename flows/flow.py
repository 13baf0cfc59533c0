"""A flow as it was read: header, defaults, variables, commands, steps, and where each of them is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator

from flows.actions import BargeIn
from flows.calendar import Calendar, Zone
from flows.positions import Places
from flows.rules import Rules
from flows.steps.base import (
    NAME,
    Duration,
    Key,
    LanguageTag,
    MaySpeakOver,
    On,
    Said,
    Spoken,
    Step,
    Table,
    Target,
    TermKey,
    VariableName,
)

FLOW_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"


class Defaults(Table):
    """What holds for every step that does not say otherwise."""

    timeout: Duration = Field(5.0, description="silence after the prompt before noinput")
    interdigit_timeout: Duration = Field(3.0, description="gap between keys that ends an entry")
    term_key: TermKey = Field("#", description='the key that ends an entry; "" for none')
    barge_in: MaySpeakOver = Field(BargeIn.YES, description='true, false or "hotword": only a match stops the prompt')
    confidence: float = Field(0.5, ge=0, le=1, description="recognised with less: nomatch")
    confirm_below: float = Field(0.75, ge=0, le=1, description="recognised with less: ask back")
    complete_timeout: Duration = Field(0.4, description="silence that ends a complete answer")
    incomplete_timeout: Duration = Field(1.0, description="silence that ends any other utterance")
    max_speech: Duration = Field(15.0, description="longest utterance")
    attempts: int = Field(3, ge=1, le=20, strict=True, description="how often a step asks before on.attempts")


class Command(Table):
    """Words or a key that work everywhere. A step may answer it itself, by on.NAME."""

    say: Said | None = Field(None, description="the words")
    key: Key | None = Field(None, description="the key, where the step has no other use for it")
    prompt: Spoken | None = Field(None, description="played, then the step goes on asking")
    next: Target | None = Field(None, description="the step to go to")


TypeName = Literal["text", "number", "yes_no", "list", "any"]


class Header(Table):
    """The keys above the steps."""

    flow: Annotated[str, StringConstraints(pattern=FLOW_NAME)] = Field(description="the flow's name")
    version: int = Field(1, ge=1, strict=True, description="counted up by the author")
    start: Target = Field(description="the first step")
    language: LanguageTag = Field("en", description='what is spoken: "en", "zh-CN" ...')
    zone: Zone = Field("UTC", description='the time zone for "today" and "tomorrow": "Europe/Berlin"')
    voice: str = Field("", description="the synthesiser's voice; empty: the one of config.toml")
    note: str = Field("", description="for the people who read the flow")
    defaults: Defaults = Field(default_factory=Defaults, description="see [defaults]")
    variables: dict[VariableName, Any] = Field(default_factory=dict, description="variables and their first values")
    data: dict[VariableName, dict[str, Any]] = Field(default_factory=dict, description="tables to look things up in")
    calendar: dict[VariableName, Calendar] = Field(default_factory=dict, description="opening hours, for hours steps")
    rules: dict[VariableName, Rules] = Field(default_factory=dict, description="decision tables, for rule steps")
    parameters: dict[VariableName, TypeName] = Field(
        default_factory=dict, description="of a sub-flow: what it must be given, name = type"
    )
    results: dict[VariableName, TypeName] = Field(
        default_factory=dict, description="of a sub-flow: what it gives back, name = type"
    )
    on: On = Field(default_factory=dict, description="what happens on events that the step does not handle")
    command: dict[Annotated[str, StringConstraints(pattern=NAME)], Command] = Field(
        default_factory=dict, description="words that work everywhere"
    )

    @field_validator("variables", "data")
    @classmethod
    def _plain(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name, value in values.items():
            if not is_plain(value):
                raise ValueError(f"{name}: use text, numbers, true, false, lists and tables of them")
        return values


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole flow, immutable; a call keeps the one it began with. `callees` has the sub-flows it may come to."""

    file: str
    header: Header
    steps: Mapping[str, Step]
    places: Places
    text: str = field(repr=False, default="")
    callees: Mapping[str, "Flow"] = field(repr=False, default_factory=dict)

    @property
    def name(self) -> str:
        """What lines and sub-flow calls name it by."""
        return self.header.flow

    @property
    def version(self) -> int:
        """The author's number."""
        return self.header.version


def is_plain(value: object, depth: int = 0) -> bool:
    """Whether a value can be a variable: JSON without surprises, not nested beyond reason."""
    if depth > 20:
        return False
    if isinstance(value, str):
        return _can_be_written(value)
    if isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return abs(value) < 1e15
    if isinstance(value, list):
        return all(is_plain(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return all(is_plain(key) and isinstance(key, str) and is_plain(item, depth + 1) for key, item in value.items())
    return False


def _can_be_written(text: str) -> bool:
    """False for half of a surrogate pair, which JSON can hold and no file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
