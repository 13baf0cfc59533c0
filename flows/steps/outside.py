"""Steps that reach beyond the talk: services, recordings, keys sent, time."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from flows.inference import ANY, NUMBER, SCALARS, TEXT, Type
from flows.steps.base import (
    Duration,
    Exit,
    Filled,
    Formula,
    LanguageTag,
    Spoken,
    Step,
    Target,
    TermKey,
    VariableName,
)

TypeName = Literal["text", "number", "yes_no", "list", "any"]
Status = Annotated[str, BeforeValidator(str), StringConstraints(pattern=r"^[1-5][0-9]{2}$")]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]


class Http(Step):
    """Asks a web service and keeps what it answers.

    The answer's JSON fields named in `fields` must be there and of their type. An answer other than 2xx that `status`
    does not name, no answer in `timeout`, or a wrong field raises error.http, after `retries` further tries.
    """

    type: Literal["http"]
    url: Filled = Field(description="the address; {expressions} are filled in and escaped")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("GET", description="the method")
    headers: dict[Header, Filled] = Field(default_factory=dict, description="header = text")
    query: dict[str, Formula] = Field(
        default_factory=dict, description="parameter = expression, put behind the address"
    )
    body: dict[str, Formula] = Field(default_factory=dict, description="field = expression, sent as JSON")
    timeout: Duration = Field(5.0, description="longest wait for one answer")
    retries: int = Field(0, ge=0, le=5, strict=True, description="further tries when there was no good answer")
    retry_wait: Duration = Field(0.2, description="pause before a further try, doubled each time")
    idempotency_key: Filled | None = Field(
        None,
        description="sent as Idempotency-Key, the same on every try; a method that changes something has one anyway",
    )
    filler: Spoken | None = Field(None, description='played while waiting; else "One moment", after the timeout')
    filler_after: Duration = Field(1.0, description="how long to wait before the filler")
    into: VariableName | None = Field(None, description="the variable that takes the answer's JSON")
    fields: dict[VariableName, TypeName] = Field(default_factory=dict, description="field = its type, checked")
    status: dict[Status, Target] = Field(default_factory=dict, description="where an answer with this status leads")
    next: Target = Field(description="the step after a good answer")

    events = frozenset({"hangup", "error.http", "error.tts"})
    waits = True

    @model_validator(mode="after")
    def _sensible(self) -> "Http":
        if not re.match(r"https?://|\{", self.url.source):
            raise ValueError("the url begins with http:// or https://")
        if self.fields and not self.into:
            raise ValueError("fields need into, the variable that takes them")
        if self.body and self.method in ("GET", "DELETE"):
            raise ValueError(f"{self.method} sends no body; use query, or another method")
        return self

    def ways(self) -> Iterator[Exit]:
        yield Exit(("next",), "", self.next)
        for status, target in self.status.items():
            yield Exit(("status", status), status, target)

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        if self.into:
            fields = {name: SCALARS.get(kind, Type(kind)) for name, kind in self.fields.items()}
            yield self.into, Type("record", fields) if fields else ANY


class Record(Step):
    """Records what the caller says, after a beep, until silence, a key, or `max_time`."""

    type: Literal["record"]
    prompt: Spoken | None = Field(None, description="what is said before the beep")
    max_time: Duration = Field(120.0, description="longest recording")
    final_silence: Duration = Field(3.0, description="silence that ends it")
    term_key: TermKey = Field("#", description="the key that ends it")
    beep: bool = Field(True, strict=True, description="a beep before it begins")
    into: VariableName = Field(description="the variable that takes the recording: { file, seconds }")
    next: Target = Field(description="the step after it")

    events = frozenset({"hangup", "error.recording", "error.tts"})
    waits = True

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        yield self.into, Type("record", {"file": TEXT, "seconds": NUMBER})


class Voicemail(Record):
    """Records a message for somebody."""

    type: Literal["voicemail"]  # type: ignore[assignment]
    mailbox: str = Field(min_length=1, description="for whom")
    into: VariableName = Field("voicemail", description="the variable that takes the recording: { file, seconds }")


class Recording(Step):
    """Starts, stops, pauses or resumes the recording of the call, so that card data is never on it."""

    type: Literal["recording"]
    do: Literal["start", "stop", "pause", "resume"] = Field(description="what to do with it")
    next: Target = Field(description="the step after it, once it is done")

    events = frozenset({"hangup", "error.recording"})
    waits = True


class SendDtmf(Step):
    """Sends keys to the other side."""

    type: Literal["send_dtmf"]
    keys: Filled = Field(description="the keys")
    next: Target = Field(description="the step after it")

    events = frozenset({"hangup", "error.semantic"})
    waits = True


class Emit(Step):
    """Tells the bus and the archive something."""

    type: Literal["emit"]
    event: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,63}$")] = Field(description="the event's name")
    data: dict[VariableName, Formula] = Field(default_factory=dict, description="field = expression")
    next: Target = Field(description="the step after it")


class Wait(Step):
    """Waits, once the prompts before it have been heard."""

    type: Literal["wait"]
    time: Duration = Field(description="how long")
    next: Target = Field(description="the step after it")

    events = frozenset({"hangup"})
    waits = True


class Language(Step):
    """Goes on in another language: recogniser, voice and prompts."""

    type: Literal["language"]
    language: LanguageTag = Field(description='"en", "zh-CN" ...')
    voice: str = Field("", description="the synthesiser's voice; empty: the language's own")
    next: Target = Field(description="the step after it")


class Voice(Step):
    """Goes on with another voice."""

    type: Literal["voice"]
    voice: str = Field(description="the synthesiser's voice; empty: the language's own")
    next: Target = Field(description="the step after it")
