"""The dialogue engine: `step(flow, state, event, now) -> (state, actions)`.

Pure and total: no I/O, no clock, no randomness, and no event in any order makes it raise. Between events either a
prompt plays, or a timer runs, or the flow is over, so that no caller is left in silence.
"""

from collections.abc import Callable
from typing import Any

from flows import asking, doing, holding, people, turn, waiting
from flows.actions import Action, BargeIn, Note
from flows.events import (
    CallStarted,
    Event,
    HungUp,
    KeyPressed,
    PromptFailed,
    PromptFinished,
    QueueNews,
    RecogniserFailed,
    Replied,
    SpeechEnded,
    SpeechPartial,
    SpeechStarted,
    SpeechTooLong,
    TimerFired,
)
from flows.flow import Flow
from flows.run import Run
from flows.state import Phase, State
from flows.steps.base import Step
from flows.steps.logic import Branch, Call, Goto, Hours, Return, Rule, Set, Split
from flows.steps.outside import Emit, Http, Language, Record, Recording, SendDtmf, Voice, Voicemail, Wait
from flows.steps.people import LATER, Callback, Priority, Queue, Staffing, Transfer
from flows.steps.speech import Asking, Confirm, Gather, Hangup, Menu, Say, Survey
from flows.turn import Verdict

MAX_STEPS = 500
MAX_AHEAD = 40
SPEECH_GRACE_S = 5.0
MOMENT_S = 1.0

_ENTER: dict[type[Step], Callable[[Run, Any], None]] = {
    Say: doing.say,
    Menu: asking.enter,
    Gather: asking.enter,
    Confirm: asking.enter,
    Survey: asking.enter,
    Set: doing.set_values,
    Branch: doing.branch,
    Rule: doing.rule,
    Split: waiting.split,
    Hours: doing.hours,
    Goto: doing.goto,
    Call: doing.call,
    Return: doing.give_back,
    Hangup: doing.hangup,
    Http: waiting.http,
    Record: waiting.heard_out,
    Voicemail: waiting.heard_out,
    Recording: waiting.recording,
    SendDtmf: waiting.heard_out,
    Emit: doing.emit,
    Wait: waiting.heard_out,
    Language: doing.language,
    Voice: doing.voice,
    Queue: people.queue,
    Priority: people.priority,
    Staffing: people.staffing,
    Transfer: waiting.heard_out,
    Callback: people.callback,
    **dict.fromkeys(LATER, doing.unavailable),
}


def begin(flow: Flow, variables: dict[str, Any] | None = None) -> State:
    """The state before the call's first event; `variables` are laid over those of the flow."""
    header = flow.header
    return State(flow.name, flow.version, header.language, header.voice, variables=header.variables | (variables or {}))


def step(flow: Flow, state: State, event: Event, now: float) -> tuple[State, tuple[Action, ...]]:
    """What follows from one event at `now` (Unix seconds): the new state, and what is to be done, in order."""
    if state.phase is Phase.ENDED and not isinstance(event, PromptFinished | PromptFailed):
        return state, ()
    run = Run(flow, state, now)
    _handle(run, event)
    _advance(run)
    _settle(run)
    if isinstance(event, HungUp):
        return _over(run)
    return run.freeze(), tuple(run.actions)


def _over(run: Run) -> tuple[State, tuple[Action, ...]]:
    """After the caller has hung up nothing is done any more, but what was noted is kept."""
    run.phase = Phase.ENDED
    run.timers.clear()
    run.turn = turn.Turn()
    return run.freeze(), tuple(action for action in run.actions if isinstance(action, Note))


def _advance(run: Run) -> None:
    """Enters steps until one waits for something."""
    entered = 0
    while run.target is not None and run.phase is not Phase.ENDED:
        name, run.target = run.target, None
        entered += 1
        run.leave()
        step = run.flow.steps.get(name)
        if step is None:
            run.fail("flow.no_such_step", f"there is no step {name}")
        elif entered > MAX_STEPS:
            run.fail("flow.loop", f"{MAX_STEPS} steps without waiting, the last one {name}")
        else:
            run.name = name
            run.counts = {}
            run.note("step.entered", step=name, type=step.type, **run.place)
            _ENTER[type(step)](run, step)


def _settle(run: Run) -> None:
    """Takes keys typed ahead, and starts the clock once nothing plays and nobody speaks."""
    while run.asking and run.ahead and run.turn.mode is not BargeIn.NO:
        key, run.ahead = run.ahead[0], run.ahead[1:]
        _key(run, key)
        _advance(run)
    step = run.step
    if run.phase is Phase.DRAINING and not run.turn.queue and step:
        waiting.drained(run, step)
    if run.phase is Phase.HOLDING and step:
        holding.settle(run, step)
    if not run.asking:
        return
    if run.turn.speaking:
        run.cancel("noinput")
        if "speech" not in run.timers and isinstance(step, Asking):
            run.start("speech", asking.settings(run, step).max_speech + SPEECH_GRACE_S)
    elif run.turn.queue:
        run.cancel("noinput")
        run.quiet_since = None
    elif not run.timers and isinstance(step, Asking):
        run.quiet_since = run.now if run.quiet_since is None else run.quiet_since
        run.start("noinput", _left(asking.settings(run, step).timeout, max(run.now - run.quiet_since, 0.0)))


def _left(timeout: float, waited: float) -> float:
    """What is left of the silence after a sound that said nothing: a moment more, but not for ever on a noisy line."""
    return max(timeout - waited, min(MOMENT_S, 2 * timeout - waited), 0.0)


def _handle(run: Run, event: Event) -> None:
    match event:
        case CallStarted() if run.phase is Phase.NEW:
            call = {"id": event.call_id, "caller": event.caller, "called": event.called}
            run.variables = {**run.variables, "call": call}
            run.goto(run.flow.header.start)
        case HungUp():
            abandoned = holding.hung_up(run, run.step) if run.step else None
            handler = abandoned or run.event("hangup")
            if handler and handler.next:
                run.goto(handler.next)
        case PromptFinished(prompt):
            run.turn = turn.prompt_over(run.turn, prompt)
            holding.finished(run, prompt)
        case PromptFailed(prompt, reason):
            _prompt_failed(run, prompt, reason)
        case SpeechStarted() | SpeechPartial() | SpeechEnded() | SpeechTooLong():
            _speech(run, event)
        case KeyPressed(key):
            _key(run, key)
        case TimerFired(timer) if timer in run.timers:
            run.timers.discard(timer)
            _timer(run, timer)
        case RecogniserFailed(reason):
            _recogniser_failed(run, reason)
        case Replied() | QueueNews() if run.step:
            _outside(run, run.step, event)
        case Replied() | QueueNews() | TimerFired() | CallStarted():
            pass  # late, or not asked for


def _outside(run: Run, step: Step, event: Replied | QueueNews) -> None:
    """An answer, or news of one to come; what is late or was not asked for changes nothing."""
    asked = run.phase is Phase.WAITING and event.request == run.requests and "request" in run.timers
    held = run.hold is not None and event.request == run.hold.request
    match event:
        case Replied() if held:
            holding.replied(run, step, event)
        case QueueNews() if held:
            holding.news(run, step, event)
        case Replied() if asked:
            waiting.replied(run, step, event)


def _prompt_failed(run: Run, prompt: int, reason: str) -> None:
    known = any(playing.prompt == prompt for playing in run.turn.queue)
    run.turn = turn.prompt_over(run.turn, prompt)
    if not known or run.phase is Phase.ENDED:
        return
    run.note("error", code="error.tts", detail=reason)
    handler = run.event("error.tts")
    if run.phase is Phase.HOLDING and run.step:
        holding.failed(run, run.step, prompt)
        return
    if handler and handler.next:
        run.goto(handler.next)


def _speech(run: Run, event: SpeechStarted | SpeechPartial | SpeechEnded | SpeechTooLong) -> None:
    step = run.step
    if not run.asking or not isinstance(step, Asking):
        return
    match event:
        case SpeechStarted():
            run.take(turn.speech_started(run.turn))
        case SpeechPartial(text):
            run.take(turn.speech_partial(run.turn, lambda: asking.sound(run, step, text, 1.0) is turn.Sound.MATCH))
        case SpeechEnded(text, confidence):
            run.cancel("speech")
            sound = asking.sound(run, step, text, confidence)
            if run.take(turn.speech_ended(run.turn, sound)) is Verdict.HEARD:
                run.cancel("noinput")
                asking.heard(run, step, text, confidence)
        case SpeechTooLong():
            run.cancel("speech")
            if run.take(turn.speech_ended(run.turn, turn.Sound.WORDS)) is Verdict.HEARD:
                run.cancel("noinput")
                asking.failed(run, step, "max_speech")


def _key(run: Run, key: str) -> None:
    if len(key) != 1 or key not in "0123456789*#ABCD" or run.phase in (Phase.ENDED, Phase.TALKING):
        return
    if run.phase is Phase.HOLDING:
        if run.step:
            holding.key(run, run.step, key)
        return
    verdict = run.take(turn.key_pressed(run.turn, run.asking))
    step = run.step
    if verdict is Verdict.HEARD and isinstance(step, Asking):
        asking.pressed(run, step, key)
    elif verdict is Verdict.KEPT:
        run.ahead = (run.ahead + key)[:MAX_AHEAD]


def _timer(run: Run, timer: str) -> None:
    step = run.step
    if run.phase is Phase.WAITING and step:
        waiting.timer(run, step, timer)
    elif run.phase in (Phase.HOLDING, Phase.TALKING) and step:
        holding.timer(run, step, timer)
    if not run.asking or not isinstance(step, Asking):
        return
    match timer:
        case "noinput":
            asking.failed(run, step, "noinput")
        case "interdigit":
            asking.finish_keys(run, step)
        case "speech":  # the recogniser never said how it ended
            _speech(run, SpeechEnded("", 0.0))


def _recogniser_failed(run: Run, reason: str) -> None:
    if run.keys_only:
        return
    run.keys_only = True
    run.note("error", code="error.asr", detail=reason)
    run.take(turn.deaf(run.turn))
    run.cancel("speech")
    step = run.step
    if run.asking and isinstance(step, Asking):
        asking.without_recogniser(run, step)
