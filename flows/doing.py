"""What the steps do that ask nothing."""

from flows.actions import BargeIn
from flows.calendar import Moment
from flows.functions import Value
from flows.run import Run, masked
from flows.state import Frame
from flows.steps.logic import Branch, Call, Goto, Hours, Return, Rule, Set
from flows.steps.outside import Emit, Language, Voice
from flows.steps.people import Later
from flows.steps.speech import Hangup, Say

MAX_FRAMES = 20


def say(run: Run, step: Say) -> None:
    """Queues the prompt and goes on: the next step listens while it is still being played."""
    run.tell(step.prompt, step.barge_in if step.barge_in is not None else run.flow.header.defaults.barge_in)
    run.goto(step.next)


def set_values(run: Run, step: Set) -> None:
    """Assigns in the order written, so that a line may use the one above it."""
    for name, expression in step.values.items():
        run.assign(name, run.value(expression), run.touches_secret(expression))
    run.goto(step.next)


def branch(run: Run, step: Branch) -> None:
    """Goes the way of the first condition that holds."""
    for case in step.cases:
        if run.holds(case.when):
            run.goto(case.next)
            return
    run.goto(step.otherwise)


def goto(run: Run, step: Goto) -> None:
    """Goes on elsewhere."""
    run.goto(step.next)


def hangup(run: Run, step: Hangup) -> None:
    """Says the last words and ends the call."""
    run.play(step.prompt, run.flow.header.defaults.barge_in)
    run.end(step.reason)


def rule(run: Run, step: Rule) -> None:
    """Looks the decision up."""
    table = run.flow.header.rules.get(step.rules)
    decided = table.decide(run.scope(), run.context) if table else None
    if table and decided is not None:
        secret = any(run.touches_secret(formula) for formula in table.inputs)
        for name, value in decided.items():
            run.assign(name, value, secret)
        run.goto(step.next)
    elif step.otherwise:
        run.goto(step.otherwise)
    else:
        run.trouble("error.semantic", f"no row of {step.rules} fits")


def hours(run: Run, step: Hours) -> None:
    """Goes by the clock."""
    calendar = run.flow.header.calendar.get(step.calendar)
    moment = calendar.at(run.now) if calendar else Moment.CLOSED
    if moment is Moment.HOLIDAY:
        run.goto(step.holiday or step.closed)
    else:
        run.goto(step.open if moment is Moment.OPEN else step.closed)


def call(run: Run, step: Call) -> None:
    """Begins a sub-flow: its variables are its own, its parameters are given to it."""
    callee = run.root.callees.get(step.flow)
    if callee is None or len(run.frames) >= MAX_FRAMES:
        run.fail("flow.no_such_flow", f"there is no flow {step.flow} to call")
        return
    given = {name: run.value(formula) for name, formula in step.give.items()}
    secret = frozenset(name for name, formula in step.give.items() if run.touches_secret(formula))
    run.frames = (*run.frames, Frame(run.flow.name, run.name, run.variables, run.secrets, run.history))
    run.flow = callee
    run.variables = {**callee.header.variables, **given, "call": run.variables.get("call")}
    run.secrets = secret
    run.history = ()
    run.goto(callee.header.start)


def give_back(run: Run, step: Return) -> None:
    """Ends a sub-flow; in a flow that nobody called it ends the call."""
    if not run.frames:
        run.end("completed")
        return
    names = (*run.flow.header.results, *step.values)
    results: dict[str, tuple[Value, bool]] = {}
    for name in names:
        formula = step.values.get(name)
        if formula:
            results[name] = (run.value(formula), run.touches_secret(formula))
        else:
            results[name] = (run.variables.get(name), name in run.secrets)
    run.return_from()
    caller = run.step
    if not isinstance(caller, Call):
        run.fail("flow.no_such_step", f"there is no call step {run.name}")
        return
    for variable, result in caller.take.items():
        value, secret = results.get(result, (None, False))
        run.assign(variable, value, secret)
    run.goto(caller.next)


def emit(run: Run, step: Emit) -> None:
    """Tells the bus and the archive."""
    data = {
        name: masked(run.value(formula)) if run.touches_secret(formula) else run.value(formula)
        for name, formula in step.data.items()
    }
    run.note("emit", event=step.event, data=data)
    run.goto(step.next)


def language(run: Run, step: Language) -> None:
    """Goes on in another language."""
    run.language, run.voice = step.language, step.voice
    run.goto(step.next)


def voice(run: Run, step: Voice) -> None:
    """Goes on with another voice."""
    run.voice = step.voice
    run.goto(step.next)


def unavailable(run: Run, step: Later) -> None:
    """Says that the service is not available yet, and goes where the flow says."""
    run.note("error", code="step.unavailable", detail=f"{step.type} steps are not available yet")
    handler = run.event("unavailable")
    if handler and handler.prompt:
        run.play(handler.prompt, BargeIn.YES)
    else:
        run.say_own("unavailable", BargeIn.YES)
    target = handler.next if handler and handler.next else step.next
    if target:
        run.goto(target)
    else:
        run.end("completed")
