"""Steps that reach for people: waiting in a queue, transfers, calls back. And those that need a language model, a
knowledge base or a case store: their keys are checked, they cannot be done yet.

A call that comes to one of the latter hears so, and goes where the step's handler for `unavailable` leads, else on.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from flows.inference import NUMBER, TEXT, Type
from flows.steps.base import (
    Condition,
    Duration,
    Exit,
    Filled,
    Key,
    Messages,
    Said,
    Spoken,
    Step,
    Table,
    Target,
    VariableName,
)


class Queue(Step):
    """Waits for an agent, with music, and connects the caller.

    `next` is the step after the talk. Callers who are not answered go where the handlers say: `timeout`, `no_agents`,
    `full` (else `no_agents`), `unavailable` (nobody manages queues just now; else `no_agents`), `exit_key`. Without a
    handler they hear an apology and go on to `next`; without `next` the call ends. Handlers of `joined` and `offered`
    may have a prompt.
    """

    type: Literal["queue"]
    queue: str = Field(min_length=1, description="the queue")
    skills: dict[str, int] = Field(default_factory=dict, description="skill = lowest level")
    priority: int | None = Field(
        None, ge=0, le=100, description="larger is served first; else that of the last priority step, else 0"
    )
    max_wait: Duration = Field(600.0, description="longest wait, then on.timeout")
    music: Spoken | None = Field(None, description="played again and again while waiting; else a quiet tune")
    comfort: Messages = Field((), description="a message, or a list of them, one after the other")
    comfort_every: Duration = Field(45.0, description="time between comfort messages")
    announce_position: Literal["yes", "no", "limit", "more"] | None = Field(
        None,
        description="tell the place: yes; limit: only up to the limit; more: behind it that there are more than so "
        "many; else as the queue is set",
    )
    announce_position_limit: int = Field(5, ge=1, description="the limit for limit and more")
    announce_holdtime: Literal["yes", "no", "once"] | None = Field(
        None, description="tell the expected wait with the place: yes, no, only once; else as the queue is set"
    )
    announce_frequency: Duration = Field(60.0, description="time between announcements of a place that stays the same")
    exit_key: Key | None = Field(None, description="the key that leaves the queue for on.exit_key")
    whisper: Spoken | None = Field(
        None, description="told to the agent before the caller is connected; parts with secrets are left out"
    )
    context: dict[VariableName, Filled] = Field(default_factory=dict, description="texts for the agent, name = text")
    into: VariableName | None = Field(
        None, description="the variable that takes how it went: { outcome, agent, waited_s }"
    )
    next: Target | None = Field(None, description="the step after the talk")

    events = frozenset(
        {"hangup", "joined", "offered", "answered", "abandoned"}
        | {"timeout", "no_agents", "full", "unavailable", "exit_key"}
    )
    waits = True

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        if self.into:
            yield self.into, Type("record", {"outcome": TEXT, "agent": TEXT, "waited_s": NUMBER})


class Priority(Step):
    """Changes the caller's priority in the queues to come. A caller who comes back to a queue has kept the place."""

    type: Literal["priority"]
    priority: int = Field(ge=0, le=100, description="larger is served first")
    next: Target = Field(description="the step after it")


class Staffing(Step):
    """Goes by whether agents are logged in. Where nobody can tell, on.unavailable, else `unstaffed`."""

    type: Literal["staffing"]
    queue: str = Field(min_length=1, description="the queue")
    into: VariableName | None = Field(
        None, description="the variable that takes { logged_in, ready, waiting, expected_wait_s }"
    )
    staffed: Target = Field(description="the step when agents are logged in")
    unstaffed: Target = Field(description="the step when none is")

    events = frozenset({"hangup", "unavailable", "error.tts"})
    waits = True

    def ways(self) -> Iterator[Exit]:
        yield Exit(("staffed",), "staffed", self.staffed)
        yield Exit(("unstaffed",), "unstaffed", self.unstaffed)

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        if self.into:
            names = ("logged_in", "ready", "waiting", "expected_wait_s")
            yield self.into, Type("record", dict.fromkeys(names, NUMBER))


class Transfer(Step):
    """Hands the call to another number; music plays until it answers.

    `blind` has the caller's own phone call there and is done, `attended` first waits for the answer, `bridge` stays in
    the call and goes on to `next` when the other side hangs up; so does `blind` to an agent, whom callers from outside
    cannot call by themselves. What goes wrong leads to on.busy, on.no_answer, on.refused, on.unavailable, each else to
    on.failed; without a handler callers hear an apology and go on to `next`, and without `next` the call ends.
    """

    type: Literal["transfer"]
    to: Filled = Field(description="a SIP address or a number")
    mode: Literal["blind", "attended", "bridge"] = Field("blind", description="how")
    dtmf: Filled | None = Field(None, description='keys sent after the answer; "," is a pause of one second')
    whisper: Spoken | None = Field(None, description="told to the one who answers; parts with secrets are left out")
    timeout: Duration = Field(30.0, description="how long to ring")
    music: Spoken | None = Field(None, description="played until the answer; else a quiet tune")
    next: Target | None = Field(None, description="the step after a bridge")

    events = frozenset({"hangup", "transfer", "answered", "busy", "no_answer", "refused", "failed", "unavailable"})
    waits = True


class Callback(Step):
    """Books a call back. A caller who has waited in that queue keeps the place.

    Where it cannot be booked, on.unavailable, else an apology and the end of the call.
    """

    type: Literal["callback"]
    number: Filled = Field(description="the number to call")
    queue: str = Field(min_length=1, description="the queue it belongs to")
    at: Filled | None = Field(
        None, description='when, "2026-12-24 15:30" or "15:30" in the flow\'s zone; else when it is the caller\'s turn'
    )
    skills: dict[str, int] = Field(default_factory=dict, description="skill = lowest level; else those of the wait")
    context: dict[VariableName, Filled] = Field(
        default_factory=dict, description="texts for the agent, name = text; else those of the wait"
    )
    into: VariableName | None = Field(None, description="the variable that takes { position, ticket }")
    next: Target = Field(description="the step after it is booked")

    events = frozenset({"hangup", "unavailable", "error.semantic", "error.tts"})
    waits = True

    def assigns(self) -> Iterator[tuple[str, Type | None]]:
        if self.into:
            yield self.into, Type("record", {"position": NUMBER, "ticket": TEXT})


class Later(Step):
    """What the steps that are not available yet have in common."""

    next: Target | None = Field(None, description="the step after it")

    events = frozenset({"hangup", "unavailable", "error.tts"})


class Ticket(Later):
    """Creates or updates a case."""

    type: Literal["ticket"]
    subject: Filled = Field(description="what it is about")
    queue: str = Field("", description="who looks after it")
    due: Duration | None = Field(None, description="until when")
    fields: dict[VariableName, Filled] = Field(default_factory=dict, description="further fields")


class IntentWay(Table):
    """One intent."""

    say: Said = Field(description="examples of what callers say")
    next: Target = Field(description="the step it leads to")


class Intent(Later):
    """Asks an open question and understands what is wanted."""

    type: Literal["intent"]
    prompt: Spoken = Field(description="the question")
    intents: dict[VariableName, IntentWay] = Field(min_length=1, description="intent = its examples and its step")

    events = Later.events | {"noinput", "nomatch"}

    def ways(self) -> Iterator[Exit]:
        for name, way in self.intents.items():
            yield Exit(("intents", name, "next"), name, way.next)


class Answer(Later):
    """Answers from a knowledge base."""

    type: Literal["answer"]
    prompt: Spoken = Field(description="the question")
    knowledge: str = Field(min_length=1, description="the knowledge base")

    events = Later.events | {"noinput", "nomatch"}


class Llm(Later):
    """Lets a language model talk, with tools and a limit of turns."""

    type: Literal["llm"]
    prompt: Spoken | None = Field(None, description="the first words")
    instructions: str = Field(min_length=1, description="what the model is told")
    tools: dict[str, dict[str, Any]] = Field(default_factory=dict, description="tool = its description")
    max_turns: int = Field(10, ge=1, le=100, description="then it goes on")
    until: Condition | None = Field(None, description="goes on when this is true")


LATER: tuple[type[Later], ...] = (Ticket, Intent, Answer, Llm)
