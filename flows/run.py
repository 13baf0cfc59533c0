"""One run of `step`: the state thawed, the helpers that behaviour is written with, the state frozen again.

Lives for one event only and never leaves `flows.machine`.
"""

from collections.abc import Mapping
from dataclasses import replace

from flows.actions import (
    Action,
    AudioFile,
    BargeIn,
    CancelTimer,
    Expect,
    HangUp,
    Listen,
    Note,
    Play,
    Request,
    Silence,
    StartTimer,
    StopListening,
    StopPrompts,
    Text,
)
from flows.evaluation import evaluate, is_true
from flows.expressions import Expression, names
from flows.flow import Flow
from flows.functions import Context, Value
from flows.state import Phase, Place, State
from flows.steps.base import ANY_LANGUAGE, Handler, Prompt, Recorded, Step
from flows.templates import Template
from flows.turn import Playing, Reply, Turn, Verdict
from flows.wording import wording

HISTORY = 20
SAID = 6


class Run:
    """The mutable twin of a `State` during one event, with the actions so far."""

    def __init__(self, flow: Flow, state: State, now: float) -> None:
        self.root = flow
        self.flow = flow.callees.get(state.within, flow)
        self.now = now
        self.actions: list[Action] = []
        self.target: str | None = None
        self.language = state.language
        self.voice = state.voice
        self.phase = state.phase
        self.name = state.step
        self.variables: Mapping[str, Value] = state.variables
        self.secrets = state.secrets
        self.frames = state.frames
        self.counts = dict(state.counts)
        self.keys = state.keys
        self.ahead = state.ahead
        self.pending = state.pending
        self.turn: Turn = state.turn
        self.timers = set(state.timers)
        self.prompts = state.prompts
        self.requests = state.requests
        self.keys_only = state.keys_only
        self.history = state.history
        self.said = state.said
        self.quiet_since = state.quiet_since
        self.hold = state.hold
        self.places: Mapping[str, Place] = state.places
        self.priority = state.priority

    def freeze(self) -> State:
        """The state after the event."""
        return State(
            flow=self.root.name,
            version=self.root.version,
            within="" if self.flow is self.root else self.flow.name,
            language=self.language,
            voice=self.voice,
            phase=self.phase,
            step=self.name,
            variables=self.variables,
            secrets=self.secrets,
            frames=self.frames,
            counts=self.counts,
            keys=self.keys,
            ahead=self.ahead,
            pending=self.pending,
            turn=self.turn,
            timers=frozenset(self.timers),
            prompts=self.prompts,
            requests=self.requests,
            keys_only=self.keys_only,
            history=self.history,
            said=self.said,
            quiet_since=self.quiet_since,
            hold=self.hold,
            places=self.places,
            priority=self.priority,
        )

    @property
    def step(self) -> Step | None:
        """The step the conversation is in."""
        return self.flow.steps.get(self.name)

    @property
    def place(self) -> dict[str, str]:
        """The sub-flow that runs, for notes; nothing in the flow itself."""
        return {} if self.flow is self.root else {"flow": self.flow.name}

    @property
    def asking(self) -> bool:
        """Whether an answer of the caller is awaited."""
        return self.phase in (Phase.ASKING, Phase.CONFIRMING, Phase.EXPLAINING)

    @property
    def context(self) -> Context:
        """What expressions know beside variables."""
        return Context(self.language, self.now)

    def act(self, *actions: Action) -> None:
        """Adds actions."""
        self.actions.extend(actions)

    def note(self, kind: str, **data: Value) -> None:
        """Writes something down for the archive."""
        self.act(Note(kind, data))

    def goto(self, step: str) -> None:
        """Leaves this step; the machine enters the other one."""
        self.target = step

    def return_from(self, depth: int = 1) -> None:
        """Leaves the sub-flow that runs, or so many of them, for the step that called it."""
        frame = self.frames[-depth]
        self.frames = self.frames[:-depth]
        self.flow = self.root.callees.get(frame.flow, self.root)
        self.variables, self.secrets = frame.variables, frame.secrets
        self.name, self.history = frame.step, frame.history

    # -- variables

    def scope(self, extra: Mapping[str, Value] | None = None) -> Mapping[str, Value]:
        """What expressions see."""
        scope = {**self.flow.header.data, **self.variables}
        return {**scope, **extra} if extra else scope

    def value(self, expression: Expression) -> Value:
        """The value of an expression now."""
        return evaluate(expression, self.scope(), self.context)

    def holds(self, expression: Expression) -> bool:
        """Whether a condition holds now."""
        return is_true(expression, self.scope(), self.context)

    def assign(self, name: str, value: Value, secret: bool = False) -> None:
        """Sets a variable; what is secret stays so until it is overwritten with something that is not."""
        self.variables = {**self.variables, name: value}
        self.secrets = self.secrets | {name} if secret else self.secrets - {name}
        self.note("variable", name=name, value=masked(value) if secret else value)

    def touches_secret(self, expression: Expression) -> bool:
        """Whether a secret variable takes part in the expression."""
        return bool(self.secrets) and any(name.name in self.secrets for name in names(expression.root))

    # -- prompts

    def play(
        self,
        prompt: Prompt | None,
        barge_in: BargeIn,
        extra: Mapping[str, Value] | None = None,
        secret: bool = False,
    ) -> Play | None:
        """Queues a prompt; one without a word plays nothing. `extra` are names that only this prompt knows."""
        pieces, touched = self.pieces(prompt, extra)
        return self.play_pieces(pieces, barge_in, secret or touched)

    def tell(self, prompt: Prompt, barge_in: BargeIn) -> None:
        """Queues a prompt that the caller may want to hear again when the next question is asked."""
        told = self.play(prompt, barge_in)
        self.said = (*self.said, told)[-SAID:] if told else self.said

    def tell_again(self) -> None:
        """Queues what was told since the caller's last answer, as it was said then."""
        for told in self.said:
            self.queue(replace(told, prompt=self.prompts + 1))

    def pieces(
        self, prompt: Prompt | None, extra: Mapping[str, Value] | None = None
    ) -> tuple[tuple[Text | AudioFile | Silence, ...], bool]:
        """A prompt in the present language and with the present values, and whether one of them is secret."""
        parts = prompt.within(self.language) if prompt else ()
        if prompt and parts is None:
            parts = prompt.variants[0][1]
        scope = self.scope(extra)
        pieces: list[Text | AudioFile | Silence] = []
        secret = False
        for part in parts or ():
            if isinstance(part, Recorded):
                pieces.append(AudioFile(part.path))
                continue
            pieces.extend(part.speak(scope, self.context))
            secret = secret or self.has_secret(part)
        return tuple(pieces), secret

    def whispered(self, prompt: Prompt | None) -> tuple[Text | AudioFile | Silence, ...]:
        """A prompt for somebody else's ears: parts with what the caller gave in confidence are left out."""
        parts = (prompt.within(self.language) or prompt.variants[0][1]) if prompt else ()
        open_parts = tuple(part for part in parts if isinstance(part, Recorded) or not self.has_secret(part))
        return self.pieces(Prompt(((ANY_LANGUAGE, open_parts),)))[0]

    def has_secret(self, template: Template) -> bool:
        """Whether a secret variable is filled into the text."""
        return any(self.touches_secret(hole.expression) for hole in template.holes)

    def fill(self, template: Template) -> str:
        """A text with the present values, as people outside may see it: one that holds a secret is masked."""
        filled = template.fill(self.scope(), self.context)
        return masked(filled) if self.has_secret(template) else filled

    def say_own(self, key: str, barge_in: BargeIn, secret: bool = False, **values: str) -> None:
        """Queues one of the engine's own sentences."""
        self.play_pieces((Text(wording(self.language)[key].format(**values)),), barge_in, secret)

    def play_pieces(
        self, pieces: tuple[Text | AudioFile | Silence, ...], barge_in: BargeIn, secret: bool = False
    ) -> Play | None:
        """Queues what is to be played, if anything is."""
        if not pieces:
            return None
        return self.queue(Play(self.prompts + 1, pieces, self.language, self.voice, barge_in, self.name, secret))

    def queue(self, play: Play) -> Play:
        """Queues a prompt that has the next number."""
        self.prompts = play.prompt
        self.act(play)
        self.turn = replace(self.turn, queue=(*self.turn.queue, Playing(play.prompt, play.barge_in)))
        return play

    def stop_prompts(self) -> None:
        """Silence at once, where something plays."""
        if self.turn.queue:
            self.act(StopPrompts())
            self.turn = replace(self.turn, queue=(), paused=False)

    # -- listening and timers

    def listen(self, expect: Expect) -> None:
        """Listens for an answer, where there is a recogniser."""
        if not self.keys_only:
            self.act(Listen(expect))
            self.turn = replace(self.turn, listening=True, speaking=False)
            self.cancel("speech")

    def stop_listening(self) -> None:
        """Listens no more."""
        if self.turn.listening:
            self.act(StopListening())
            self.turn = replace(self.turn, listening=False, speaking=False)
            self.cancel("speech")

    def request(self, kind: str, guard_s: float, **arguments: Value) -> None:
        """Asks for something outside and waits for the answer, but no longer than the guard."""
        self.phase = Phase.WAITING
        self.start("request", guard_s)
        self.ask(kind, **arguments)

    def ask(self, kind: str, **arguments: Value) -> None:
        """Asks for something outside without waiting for the answer."""
        self.requests += 1
        self.act(Request(self.requests, kind, arguments))

    def take(self, reply: Reply) -> Verdict:
        """Takes over what `flows.turn` decided."""
        self.turn, actions, verdict = reply
        self.act(*actions)
        return verdict

    def start(self, timer: str, seconds: float) -> None:
        """Starts a timer, or starts it anew."""
        self.timers.add(timer)
        self.act(StartTimer(timer, seconds))

    def cancel(self, *timers: str) -> None:
        """Stops those that run."""
        for timer in timers:
            if timer in self.timers:
                self.timers.discard(timer)
                self.act(CancelTimer(timer))

    # -- events and ends

    def event(self, event: str) -> Handler | None:
        """Counts an event of this step and finds its handler: the n-th time the n-th entry, then the last."""
        count = self.counts.get(event, 0) + 1
        self.counts[event] = count
        self.note("flow.event", event=event, step=self.name, count=count)
        step = self.step
        handlers = (step.on.get(event) if step else None) or self.flow.header.on.get(event)
        return handlers[min(count, len(handlers)) - 1] if handlers else None

    def leave(self) -> None:
        """Puts away what belonged to the step: listening, timers, keys."""
        self.stop_listening()
        self.cancel(*sorted(self.timers))
        self.keys = ""
        self.pending = None
        self.hold = None

    def end(self, reason: str) -> None:
        """Ends the call after the prompts that are queued."""
        self.leave()
        self.phase = Phase.ENDED
        self.target = None
        self.act(HangUp(reason))

    def trouble(self, event: str, detail: str) -> None:
        """Something went wrong in the step: its handler decides, and without one the call ends with an apology."""
        self.note("error", code=event, detail=detail)
        handler = self.event(event)
        if handler and handler.next:
            self.play(handler.prompt, self.flow.header.defaults.barge_in)
            self.goto(handler.next)
        else:
            self.fail(event, f"step {self.name} has no handler for {event}")

    def fail(self, code: str, detail: str) -> None:
        """Ends the call because the flow cannot go on: says so and hangs up."""
        self.note("error", code=code, detail=detail)
        self.say_own("broken", BargeIn.NO)
        self.end("flow_error")


def masked(value: Value) -> Value:
    """A secret value as it may be written down."""
    return "*" * len(value) if isinstance(value, str) else "***"
