"""What the steps do that ask nothing."""

from flows.run import Run
from flows.steps.logic import Branch, Goto, Set
from flows.steps.speech import Hangup, Say


def say(run: Run, step: Say) -> None:
    """Queues the prompt and goes on: the next step listens while it is still being played."""
    run.play(step.prompt, step.barge_in if step.barge_in is not None else run.flow.header.defaults.barge_in)
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
