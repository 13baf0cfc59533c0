"""Steps that speak and ask."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from flows.inference import ANY, NUMBER, TEXT, YES_NO, Type
from flows.steps.base import (
    Duration,
    Exit,
    Key,
    Keys,
    MaySpeakOver,
    Said,
    Spoken,
    Step,
    Table,
    Target,
    TermKey,
    VariableName,
)

MOST_DIGITS = 40
ASKING = frozenset({"noinput", "nomatch", "max_speech", "attempts", "hangup", "error.asr", "error.tts"})


class Say(Step):
    """Plays a prompt and goes on at once: what follows listens while it is still being played."""

    type: Literal["say"]
    prompt: Spoken = Field(description="text, file, or a list of both; may be given by language")
    barge_in: MaySpeakOver | None = Field(None, description="whether the caller may speak over it")
    next: Target = Field(description="the step after it")

    events = frozenset({"hangup", "error.tts"})


class Asking(Step):
    """What every step that waits for the caller's answer has."""

    prompt: Spoken = Field(description="the question")
    prompt_keys: Spoken | None = Field(None, description="the question where there is no recogniser: keys only")
    reprompt: Spoken | None = Field(None, description="the question when it is asked again")
    timeout: Duration | None = Field(None, description="silence after the prompt before noinput")
    interdigit_timeout: Duration | None = Field(None, description="gap between keys that ends an entry")
    term_key: TermKey | None = Field(None, description='the key that ends an entry; "" for none')
    barge_in: MaySpeakOver | None = Field(None, description="whether the caller may speak over the prompt")
    confidence: float | None = Field(None, ge=0, le=1, description="recognised with less: nomatch")
    confirm_below: float | None = Field(None, ge=0, le=1, description="recognised with less: ask back")
    confirm: Spoken | None = Field(None, description="how to ask back; {heard} is what was understood")
    complete_timeout: Duration | None = Field(None, description="silence that ends a complete answer")
    incomplete_timeout: Duration | None = Field(None, description="silence that ends any other utterance")
    max_speech: Duration | None = Field(None, description="longest utterance")
    attempts: int | None = Field(None, ge=1, le=20, strict=True, description="how often it is asked before on.attempts")

    events = ASKING
    waits = True


class Choice(Table):
    """One choice of a menu: by key, by word, or both."""

    key: Keys | None = Field(None, description="the key or keys that choose it")
    say: Said | None = Field(None, description="the words that choose it")
    next: Target = Field(description="the step it leads to")

    @model_validator(mode="after")
    def _reachable(self) -> "Choice":
        if self.key is None and self.say is None:
            raise ValueError("a choice needs a key or words to say")
        return self


class Menu(Asking):
    """Asks, and goes where the caller chooses, by key or by word."""

    type: Literal["menu"]
    choices: tuple[Choice, ...] = Field(min_length=1, description="the choices")
    into: VariableName | None = Field(None, description="the variable that takes the name of the chosen step")

    def ways(self) -> Iterator[Exit]:
        for index, choice in enumerate(self.choices):
            yield Exit(("choices", index, "next"), choice.key or "said", choice.next)

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        if self.into:
            yield self.into, TEXT


class Item(Table):
    """One item of a list to choose from."""

    value: str | int | float | bool = Field(description="what the variable becomes")
    key: Keys | None = Field(None, description="the key or keys that choose it")
    say: Said | None = Field(None, description="the words that choose it")

    @model_validator(mode="after")
    def _reachable(self) -> "Item":
        if self.key is None and self.say is None:
            raise ValueError("an item needs a key or words to say")
        return self


GatherKind = Literal["digits", "number", "amount", "date", "time", "phone", "yes_no", "pattern", "list", "text"]
KIND_TYPES = {"yes_no": YES_NO, "number": NUMBER, "amount": NUMBER, "list": ANY}


class Gather(Asking):
    """Asks for one thing and keeps it in a variable."""

    type: Literal["gather"]
    kind: GatherKind = Field(description="what is asked for")
    into: VariableName = Field(description="the variable that takes the answer")
    next: Target = Field(description="the step after it")
    secret: bool = Field(False, strict=True, description="never written down: notes, archive and logs show asterisks")
    length: int | None = Field(None, ge=1, le=40, strict=True, description="digits: exactly so many")
    min: float | None = Field(None, description="digits: at least so many; number, amount: at least this")
    max: float | None = Field(None, description="digits: at most so many; number, amount: at most this")
    pattern: Annotated[str, StringConstraints(pattern=r"^[A9 -]{1,40}$")] = Field(
        "", description='pattern: "A" stands for a letter, "9" for a digit: "AA-9999"'
    )
    key_format: Literal["YYYYMMDD", "DDMMYYYY", "MMDDYYYY", "DDMM", "MMDD"] = Field(
        "YYYYMMDD", description="date: how it is keyed in"
    )
    items: tuple[Item, ...] = Field((), description="list: what can be chosen")
    yes_key: Key = Field("1", description="yes_no: the key for yes")
    no_key: Key = Field("2", description="yes_no: the key for no")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Gather":
        if self.kind == "list" and not self.items:
            raise ValueError('kind = "list" needs items')
        if self.kind != "list" and self.items:
            raise ValueError('items belong to kind = "list"')
        if (self.kind == "pattern") != bool(self.pattern):
            raise ValueError('kind = "pattern" and the key pattern belong together')
        if self.length and self.kind != "digits":
            raise ValueError('length belongs to kind = "digits"')
        if (self.min is not None or self.max is not None) and self.kind not in ("digits", "number", "amount"):
            raise ValueError("min and max belong to digits, numbers and amounts")
        if self.kind == "digits" and any(bound is not None and bound % 1 for bound in (self.min, self.max)):
            raise ValueError("min and max are whole numbers of digits")
        if self.min is not None and self.max is not None and self.max < self.min:
            raise ValueError("max is smaller than min")
        if self.kind == "digits" and not 0 < self.fewest_digits <= self.most_digits <= MOST_DIGITS:
            raise ValueError(f"digits are 1 to {MOST_DIGITS}")
        if self.yes_key == self.no_key:
            raise ValueError("yes_key and no_key are the same")
        return self

    @property
    def fewest_digits(self) -> int:
        """The shortest digit string that is an answer."""
        return self.length or (int(self.min) if self.min is not None else 1)

    @property
    def most_digits(self) -> int:
        """The longest digit string that is an answer."""
        return self.length or (int(self.max) if self.max is not None else MOST_DIGITS)

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        yield self.into, KIND_TYPES.get(self.kind, TEXT)


class Confirm(Asking):
    """Asks yes or no about what was understood, and goes one of two ways."""

    type: Literal["confirm"]
    yes: Target = Field(description="the step after yes")
    no: Target = Field(description="the step after no")
    yes_key: Key = Field("1", description="the key for yes")
    no_key: Key = Field("2", description="the key for no")

    def ways(self) -> Iterator[Exit]:
        yield Exit(("yes",), "yes", self.yes)
        yield Exit(("no",), "no", self.no)


class Survey(Asking):
    """Asks for a mark and, if there is a second question, for the reason in the caller's own words."""

    type: Literal["survey"]
    scale: int = Field(5, ge=2, le=10, strict=True, description="the best mark; 1 is the worst")
    into: VariableName = Field("survey", description="the variable that takes the mark")
    reason: Spoken | None = Field(None, description="the second question")
    reason_into: VariableName = Field("survey_reason", description="the variable that takes the reason")
    next: Target = Field(description="the step after it")

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        yield self.into, NUMBER
        if self.reason:
            yield self.reason_into, TEXT


class Hangup(Step):
    """Says goodbye and ends the call."""

    type: Literal["hangup"]
    prompt: Spoken | None = Field(None, description="the last words")
    reason: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] = Field(
        "completed", description="why the call ended, for the archive"
    )

    events = frozenset({"error.tts"})
    ends = True
