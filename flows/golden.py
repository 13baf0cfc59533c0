"""Golden conversations: who says what, and what must come of it; read from TOML and played on the virtual clock.

flow = "bank-en"
[[conversation]]
name = "balance by voice"
turns = [
  { hears = "Welcome" },
  { says = "balance", confidence = 0.9 },
  { hears = "account number" },
  { keys = "1234" },
  { hears = "1250 dollars and 40 cents", variables = { account = "1234" } },
  { silent = true },
  { ends = "completed" },
]
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from flows import document
from flows.actions import Request
from flows.events import Replied
from flows.flow import Flow
from flows.mistakes import first_causes, keys, plainly, suggest
from flows.nlu.words import normal
from flows.positions import Places
from flows.problems import Position, Problem, Severity
from flows.simulation import Line, Simulation, Who
from flows.steps.base import Duration, Table

MOST_FAULTS = 100
LATEST = 7_258_118_400.0  # the year 2200: no clock and no calendar knows the times of any number


def _seconds(value: object) -> object:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return value


class OutsideAnswer(Table):
    """What the outside answers to the next request of a step."""

    step: str = Field(description="the http, staffing, callback or transfer step")
    status: int = Field(200, description="an http answer's status")
    json_: Any = Field(
        None, alias="json", description="the answer's JSON, or what a staffing, callback or transfer request brings"
    )
    fails: str = Field("", description="instead: why there is no answer")


class Turn(Table):
    """One turn: something the caller does, or something that must be so."""

    says: str | None = Field(None, description="the caller says this")
    confidence: float = Field(1.0, ge=0, le=1, description="how sure the recogniser is of it")
    keys: str | None = Field(None, pattern=r"^[0-9*#A-D]+$", description="the caller presses these keys")
    silent: bool = Field(False, description="the caller waits until something happens")
    waits: Duration | None = Field(None, description="the caller waits so long, whatever happens meanwhile")
    interrupts: bool = Field(False, description="the caller does not hear the prompts out first")
    hangs_up: bool = Field(False, description="the caller hangs up")
    queue: Literal["joined", "position", "offered", "answered", "ended", "no_agents", "full", "unavailable"] | None = (
        Field(None, description="this happens to the caller who waits for a person")
    )
    data: dict[str, Any] = Field(
        default_factory=dict, description="with queue: what is told with it, { position = 3, expected_wait_s = 120 }"
    )
    hears: str | None = Field(None, description="words that must have been said since the caller's last turn, in order")
    not_hears: str | None = Field(None, description="words that must not have been said since then")
    step: str | None = Field(None, description="the step the conversation must be in")
    variables: dict[str, Any] = Field(default_factory=dict, description="values that variables must have")
    http: str | None = Field(None, description="the http step that must have sent a request")
    url: str | None = Field(None, description="with http: the address it must have been sent to")
    body: dict[str, Any] | None = Field(None, description="with http: the JSON it must have sent")
    asked: str | None = Field(None, description="the kind of a request that must have been made: queue, callback ...")
    arguments: dict[str, Any] = Field(default_factory=dict, description="with asked: what must have been in it")
    emitted: str | None = Field(None, description="an event that must have been emitted")
    within: float | None = Field(None, gt=0, description="seconds since the call began that must not have passed")
    ends: str | None = Field(None, description="the reason with which the call must have ended")

    @model_validator(mode="after")
    def _is_something(self) -> "Turn":
        if not self.model_fields_set - {"interrupts"}:
            raise ValueError("a turn is something the caller does, or something that must be so")
        return self

    @property
    def acts(self) -> bool:
        """Whether the caller does something, so that what follows is about the time after it."""
        given = (self.says, self.keys, self.waits, self.queue)
        return self.silent or self.hangs_up or any(one is not None for one in given)


class Conversation(Table):
    """One conversation."""

    name: str = Field(min_length=1, description="what it shows")
    turns: tuple[Turn, ...] = Field(min_length=1, description="the turns")
    caller: str = Field("+15550100", description="the caller's number")
    now: Annotated[float, BeforeValidator(_seconds)] = Field(
        1_800_000_000.0, ge=0, lt=LATEST, description="when the call begins"
    )
    variables: dict[str, Any] = Field(default_factory=dict, description="variables laid over those of the flow")
    answers: tuple[OutsideAnswer, ...] = Field((), description="what steps are answered, in their order")
    random: tuple[float, ...] = Field((), description="the numbers from 0 to 1 that split steps get, in their order")
    fails: tuple[str, ...] = Field((), description='kinds of requests that fail: "recording", "record", "queue" ...')


class Golden(Table):
    """A file of golden conversations."""

    flow: str = Field(description="the flow that is talked to")
    conversation: tuple[Conversation, ...] = Field(min_length=1, description="the conversations")

    @model_validator(mode="after")
    def _names_differ(self) -> "Golden":
        names = [one.name for one in self.conversation]
        if len(set(names)) < len(names):
            raise ValueError("two conversations have the same name")
        return self


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a conversation went: its problems (none: passed), its transcript, and the steps it walked, in order."""

    name: str
    problems: list[Problem]
    lines: list[Line]
    walked: list[tuple[str, str]] = field(default_factory=list)
    asked: frozenset[str] = frozenset()


def read(text: str, file: str) -> tuple[Golden | None, Places, list[Problem]]:
    """The golden conversations of a file, or what is wrong with it."""
    found = document.read(text, file)
    if isinstance(found, Problem):
        return None, Places({}, {}), [found]
    tables, where = found
    try:
        return Golden.model_validate(tables), where, []
    except ValidationError as error:
        return None, where, [_mistake(file, where, item) for item in first_causes(error)[:MOST_FAULTS]]


def _mistake(file: str, where: Places, item: Any) -> Problem:
    """What is wrong with one key."""
    last = str(item["loc"][-1]) if item["loc"] else ""
    at = where.key(item["loc"])
    match item["type"]:
        case "extra_forbidden":
            mend = suggest(last, keys(Golden, item["loc"][:-1]))
            return _problem(file, at, f'there is no key "{last}" here', mend)
        case "missing":
            return _problem(file, at, f'the key "{last}" is missing', f"write {last} = ...")
    label = f"{last}: " if last and not last.isdecimal() else ""
    return _problem(file, at, f"{label}{plainly(item, str(item['msg']).removeprefix('Value error, '))}")


def play(flow: Flow, conversation: Conversation, file: str, where: Places, number: int, deaf: bool = False) -> Outcome:
    """Plays one conversation; `number` is its place in the file. A `deaf` hotline has no recogniser."""
    simulation = Simulation(
        flow, Scripted(conversation), conversation.now, dict(conversation.variables), conversation.caller, deaf=deaf
    )
    judge = _Judge(simulation, file, where, number)
    judge.problems += _answers_for_nobody(flow, conversation, file, where, number)
    simulation.begin()
    for place, turn in enumerate(conversation.turns):
        judge.turn(place, turn)
    asked = frozenset(request.kind for request in simulation.requests)
    return Outcome(conversation.name, judge.problems, simulation.lines, walked(simulation), asked)


def _answers_for_nobody(
    flow: Flow, conversation: Conversation, file: str, where: Places, number: int
) -> Iterable[Problem]:
    known = [name for one in (flow, *flow.callees.values()) for name in one.steps]
    for place, answer in enumerate(conversation.answers):
        if answer.step not in known:
            at = where.key(("conversation", number, "answers", place, "step"))
            yield _problem(file, at, f"there is no step {answer.step}", suggest(answer.step, known))


def walked(simulation: Simulation) -> list[tuple[str, str]]:
    """The steps that were entered, in order, each as (flow, step)."""
    return [
        (note.data.get("flow", simulation.flow.name), note.data["step"])
        for note in simulation.notes
        if note.kind == "step.entered"
    ]


def _problem(file: str, at: Position, what: str, mend: str = "") -> Problem:
    return Problem(file, at, Severity.ERROR, "golden", what, mend)


def usual(request: Request) -> dict[str, Any]:
    """What the outside answers where all is well and nothing else is written."""
    match request.kind:
        case "staffing":
            return {"logged_in": 1, "ready": 1, "waiting": 0, "expected_wait_s": 0}
        case "callback":
            return {"position": 1, "ticket": "1"}
        case "transfer":
            return {"outcome": "ended" if request.arguments.get("mode") == "bridge" else "transferred"}
    return {"file": "recording.wav", "seconds": 3.0}


class Scripted:
    """Answers requests as a conversation says."""

    def __init__(self, conversation: Conversation) -> None:
        self.answers = list(conversation.answers)
        self.random = list(conversation.random)
        self.fails = conversation.fails

    def __call__(self, request: Request) -> Replied | None:
        if request.kind == "http":
            return self.http(request)
        if request.kind in self.fails:
            return Replied(request.request, ok=False, result={"error": "made to fail"})
        if request.kind in ("queue", "queue_leave", "queue_priority"):
            return None  # the conversation tells what happens in the queue
        if answer := self.take(request):
            return self.written(request, answer)
        if request.kind == "random":
            return Replied(request.request, ok=True, result={"value": self.random.pop(0) if self.random else 0.0})
        return Replied(request.request, ok=True, result=usual(request))

    def written(self, request: Request, answer: OutsideAnswer) -> Replied:
        """What the conversation says of the step; a transfer fails if its outcome does."""
        if answer.fails:
            return Replied(request.request, ok=False, result={"error": answer.fails})
        result = answer.json_ if isinstance(answer.json_, dict) else {}
        failed = request.kind == "transfer" and result.get("outcome") not in ("ended", "transferred")
        return Replied(request.request, ok=not failed, result=result)

    def take(self, request: Request) -> OutsideAnswer | None:
        """The next answer that is written for the request's step."""
        step = request.arguments.get("step")
        answer = next((one for one in self.answers if one.step == step), None)
        if answer:
            self.answers.remove(answer)
        return answer

    def http(self, request: Request) -> Replied:
        answer = self.take(request)
        if answer is None:
            error = f"no answer is written for {request.arguments.get('step')}"
            return Replied(request.request, ok=False, result={"error": error})
        if answer.fails:
            return Replied(request.request, ok=False, result={"error": answer.fails})
        return Replied(request.request, ok=True, result={"status": answer.status, "json": answer.json_})


class _Judge:
    """Does what the caller does, and compares what must be."""

    def __init__(self, simulation: Simulation, file: str, where: Places, number: int) -> None:
        self.simulation = simulation
        self.file = file
        self.where = where
        self.number = number
        self.problems: list[Problem] = []
        self.unheard = 0
        self.asked = 0
        self.waits = True

    def turn(self, place: int, turn: Turn) -> None:
        at = self.where.key(("conversation", self.number, "turns", place))
        if turn.acts:
            self.act(turn)
        elif not turn.interrupts:
            self.simulation.listen()
        for what in self.faults(turn):
            self.problems.append(_problem(self.file, at, what))

    def act(self, turn: Turn) -> None:
        simulation = self.simulation
        if not turn.interrupts and not turn.silent:
            simulation.listen()
        self.unheard = len(simulation.lines)
        if turn.says is not None:
            simulation.say(turn.says, turn.confidence)
        if turn.keys is not None:
            simulation.key(turn.keys)
            simulation.pause()
        if turn.silent:
            simulation.keep_silent()
        if turn.waits is not None:
            simulation.wait(turn.waits)
        if turn.hangs_up:
            simulation.hang_up()
        if turn.queue is not None:
            self.waits = simulation.news(turn.queue, turn.data)

    def faults(self, turn: Turn) -> Iterable[str]:
        simulation = self.simulation
        if turn.hears is not None and not self.hear(turn.hears):
            yield f"expected to hear {turn.hears!r}, heard {self.heard()!r}"
        if turn.not_hears is not None and normal(turn.not_hears) in normal(self.heard()):
            yield f"expected not to hear {turn.not_hears!r}, heard {self.heard()!r}"
        if turn.step is not None and simulation.session.step != turn.step:
            yield f"expected to be in step {turn.step}, is in {simulation.session.step}"
        for name, value in turn.variables.items():
            if simulation.session.variables.get(name) != value:
                yield f"expected {name} = {value!r}, it is {simulation.session.variables.get(name)!r}"
        if turn.queue is not None and not self.waits:
            yield f"nobody waits for a person at step {simulation.session.step}"
        if turn.http is not None:
            yield from self.request(turn)
        if turn.asked is not None:
            yield from self.asked_for(turn)
        if turn.emitted is not None:
            emitted = [note.data["event"] for note in simulation.notes if note.kind == "emit"]
            if turn.emitted not in emitted:
                yield f"expected the event {turn.emitted}, emitted were {', '.join(emitted) or 'none'}"
        if turn.within is not None and simulation.last_at > turn.within:
            yield f"expected within {turn.within:g} s, the call is at {simulation.last_at:.1f} s"
        if turn.ends is not None and (not simulation.session.ended or simulation.reason != turn.ends):
            yield f"expected the end {turn.ends}, it is: {simulation.reason or 'the call goes on'}"

    def request(self, turn: Turn) -> Iterable[str]:
        sent = [one for one in self.simulation.requests if one.kind == "http"]
        found = [place for place, one in enumerate(sent) if place >= self.asked and one.arguments["step"] == turn.http]
        if not found:
            yield f"expected a request by step {turn.http}, there was none"
            return
        self.asked = found[0] + 1
        arguments = sent[found[0]].arguments
        if turn.url is not None and arguments["url"] != turn.url:
            yield f"expected the address {turn.url}, it was {arguments['url']}"
        if turn.body is not None and arguments["body"] != turn.body:
            yield f"expected the body {turn.body}, it was {arguments['body']}"

    def asked_for(self, turn: Turn) -> Iterable[str]:
        made = [one.arguments for one in self.simulation.requests if one.kind == turn.asked]
        if not made:
            yield f"expected a request for {turn.asked}, there was none"
            return
        for name, value in turn.arguments.items():
            if made[-1].get(name) != value:
                yield f"expected {turn.asked} with {name} = {value!r}, it was {made[-1].get(name)!r}"

    def heard(self) -> str:
        lines = self.simulation.lines[self.unheard :]
        return " ".join(line.text for line in lines if line.who is Who.HOTLINE)

    def hear(self, wanted: str) -> bool:
        """Whether the words were said; what comes before them counts as heard."""
        said = ""
        for place, line in enumerate(self.simulation.lines[self.unheard :], self.unheard + 1):
            if line.who is Who.HOTLINE:
                said += f" {line.text}"
                if normal(wanted) in normal(said):
                    self.unheard = place - 1 if normal(wanted) in normal(line.text) else place
                    return True
        return False
