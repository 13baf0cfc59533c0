"""What goes in and out, as pydantic and OpenAPI know it; the answers have the fields of ivr.liveboard."""

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from ivr.liveboard import QueueLine

CallId = Annotated[str, Path(pattern=r"^\d{8}-\d{6}-[0-9a-f]{6}$", description="as `ivr calls` shows it")]
AgentName = Annotated[str, Path(min_length=1, max_length=40)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewState(_Body):
    """What an agent is to do. `reason` of a pause; `disposition` of the call that was wrapped up."""

    do: Literal["login", "logout", "ready", "pause", "unpause", "wrapped_up"]
    reason: str = Field("", max_length=80)
    disposition: str = Field("", max_length=80)


class NewAgent(_Body):
    """An account to make. `queues`: penalties; `skills`: levels from 1 to 10."""

    name: str
    password: str = Field(max_length=200)
    display: str = Field("", max_length=80)
    role: Literal["agent", "supervisor"] = "agent"
    queues: dict[str, Annotated[int, Field(ge=0)]] = {}
    skills: dict[Annotated[str, Field(min_length=1, max_length=80)], Annotated[int, Field(ge=1, le=10)]] = {}


class NewQueue(_Body):
    """Where a caller is to wait."""

    queue: str


class NewPriority(_Body):
    """Higher goes first."""

    priority: int = Field(ge=-1000, le=1000)


class NewTap(_Body):
    """How to listen: unheard, heard by the agent only, or heard by all."""

    mode: Literal["listen", "whisper", "intrude"]


class Health(BaseModel):
    """Whether all is there that calls with agents need."""

    status: Literal["ok", "degraded"]
    store: str = Field(description='"ok", or what is wrong')
    bus: str = Field(description='"ok", or what is wrong')


class Queue(BaseModel):
    """A queue at this moment, and its settings in the words of config.toml."""

    now: QueueLine
    settings: dict[str, Any]


class AgentState(BaseModel):
    """What an agent does now; a wish that has to wait for the end of a call leaves `state` as it is."""

    state: str
    reason: str
    call_id: str | None


class Added(BaseModel):
    """The account that was made."""

    name: str


class Place(BaseModel):
    """Where a caller stands now."""

    position: int | None
    expected_wait_s: float | None


class Decision(BaseModel):
    """Who was rung, and of every member of the queue why or why not."""

    at: float
    queue: str
    offers: list[str]
    why: str
    candidates: list[dict[str, Any]]


class Tap(BaseModel):
    """A Unix socket of this machine; the first line sent to it is the token, which opens it once."""

    socket: str
    token: str
