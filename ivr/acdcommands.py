"""The commands that workers, `ivr agents` and REST send to `acd`, as they travel. Unknown fields are let be."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Name = Field(max_length=80)
_Level = int


class AcdRefusal(Exception):  # noqa: N818 - it is an answer
    """A command that is not carried out; `code` is for programs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Command(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class OfCall(_Command):
    """A command about one call."""

    call_id: str = Field(max_length=40)


class Join(OfCall):
    """The caller waits in `queue` from now on, as one who came at `joined` (Unix seconds)."""

    worker: str = Field(max_length=40)
    queue: str = Name
    joined: float
    caller: str = ""
    called: str = ""
    language: str = ""
    skills: dict[str, _Level] = {}
    priority: int = 0
    context: dict[str, Any] = {}


class Renew(Join):
    """The caller is still there; `offer`: whose phone the worker rings, `agent`: who talks to the caller. `sent`: when,
    by the envelope.
    """

    offer: str | list[str] | None = None
    agent: str | None = None
    sent: float = 0.0

    @property
    def offers(self) -> frozenset[str]:
        """The offers that the worker knows of."""
        return frozenset([self.offer] if isinstance(self.offer, str) else self.offer or [])


class Leave(OfCall):
    """The caller waits no more, or is gone."""

    reason: str = Field("abandoned", max_length=40)


class Priority(OfCall):
    """The caller's new priority."""

    priority: int


class Move(OfCall):
    """The caller shall wait in another queue, since when they came to the first."""

    queue: str = Name


class StaffingOf(_Command):
    """How is the queue doing?"""

    queue: str = Name


class Callback(OfCall):
    """The caller of `call_id` shall be called back; `at`: not before then, else the place since `joined` counts."""

    number: str = Field(min_length=1, max_length=80)
    queue: str = Name
    joined: float | None = None
    at: float | None = None
    skills: dict[str, _Level] = {}
    priority: int = 0
    language: str = ""
    context: dict[str, Any] = {}


class TicketOutcome(_Command):
    """What became of ringing the number of a callback, once its agent had answered."""

    ticket: str = Field(max_length=40)
    outcome: Literal["answered", "busy", "no_answer", "failed", "cancelled"]


class OfferOutcome(OfCall):
    """What became of an offer, or that the phone rings."""

    offer: str = Field(max_length=40)
    agent: str = Name
    outcome: Literal["ringing", "answered", "declined", "busy", "no_answer", "unreachable", "cancelled"]


class Talk(OfCall):
    """How the agent's talk with the caller goes on."""

    agent: str = Name
    state: Literal["hold", "talking", "over"]


class OfAgent(_Command):
    """A command about one agent."""

    agent: str = Name


class AgentDoes(OfAgent):
    """What an agent wants to be; `by`: who says so, if it is another."""

    do: Literal["login", "logout", "ready", "pause", "unpause", "wrapped_up"]
    reason: str = Field("", max_length=80)
    disposition: str = Field("", max_length=80)
    by: str = ""


class Audited(_Command):
    """Something that has to be on record."""

    who: str
    what: str
    agent: str = ""
    call_id: str = ""
    detail: dict[str, Any] = {}


class PinCheck(_Command):
    """Is this the account's PIN?"""

    user: str = Name
    pin: str = Field(max_length=40)


COMMANDS: dict[str, type[_Command]] = {
    "join": Join,
    "renew": Renew,
    "leave": Leave,
    "priority": Priority,
    "move": Move,
    "staffing": StaffingOf,
    "callback": Callback,
    "ticket": TicketOutcome,
    "offer": OfferOutcome,
    "talk": Talk,
    "agent": AgentDoes,
    "agent_call": OfAgent,
    "audit": Audited,
    "pin": PinCheck,
}


def parse(data: dict[str, Any]) -> _Command:
    """Reads a command. Raises AcdRefusal "acd.bad_command" that names what is wrong."""
    kind = COMMANDS.get(str(data.get("command")))
    if kind is None:
        raise AcdRefusal("acd.bad_command", f"there is no command {data.get('command')!r}")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise AcdRefusal("acd.bad_command", f"{data['command']}: {wrong}") from error
