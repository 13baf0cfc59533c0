"""Steps that need agents, a language model or a knowledge base. Their keys are checked; they cannot be done yet.

A call that comes to one hears so, and goes where the step's handler for `unavailable` (or `no_agents`) leads, else on.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from flows.steps.base import Condition, Duration, Exit, Filled, Said, Spoken, Step, Table, Target, VariableName


class Later(Step):
    """What the steps that are not available yet have in common."""

    next: Target | None = Field(None, description="the step after it")

    events = frozenset({"hangup", "unavailable", "error.tts"})


class Queue(Later):
    """Waits for an agent."""

    type: Literal["queue"]
    queue: str = Field(min_length=1, description="the queue")
    skills: dict[str, int] = Field(default_factory=dict, description="skill = lowest level")
    priority: int = Field(0, ge=0, le=100, description="larger is served first")
    max_wait: Duration = Field(600.0, description="then on.timeout")
    music: Spoken | None = Field(None, description="played while waiting")

    events = Later.events | {"joined", "offered", "answered", "abandoned", "timeout", "no_agents", "exit_key"}


class Priority(Later):
    """Changes the caller's place in the queue."""

    type: Literal["priority"]
    priority: int = Field(ge=0, le=100, description="larger is served first")


class Staffing(Later):
    """Goes by how many agents are on line."""

    type: Literal["staffing"]
    queue: str = Field(min_length=1, description="the queue")
    staffed: Target = Field(description="the step when agents are on line")
    unstaffed: Target = Field(description="the step when none is")

    def ways(self) -> Iterator[Exit]:
        yield Exit(("staffed",), "staffed", self.staffed)
        yield Exit(("unstaffed",), "unstaffed", self.unstaffed)


class Transfer(Later):
    """Hands the call to another number."""

    type: Literal["transfer"]
    to: Filled = Field(description="a SIP address or a number")
    mode: Literal["blind", "attended", "bridge"] = Field("blind", description="how")
    dtmf: Filled | None = Field(None, description="keys sent after the answer")
    whisper: Spoken | None = Field(None, description="told to the one who answers")
    timeout: Duration = Field(30.0, description="how long to ring")

    events = Later.events | {"transfer", "timeout"}


class Callback(Later):
    """Books a call back."""

    type: Literal["callback"]
    number: Filled = Field(description="the number to call")
    queue: str = Field(min_length=1, description="the queue it belongs to")
    at: Filled | None = Field(None, description="when; else at the virtual place in the queue")


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


LATER: tuple[type[Later], ...] = (Queue, Priority, Staffing, Transfer, Callback, Ticket, Intent, Answer, Llm)
