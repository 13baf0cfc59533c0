"""How a step asks: prompt, listening, keys, confidence, asking back, counted failures, words that work everywhere."""

from flows import commands
from flows.actions import BargeIn, Expect
from flows.calendar import today
from flows.commands import BACK, REPEAT
from flows.flow import Defaults
from flows.grammars import Answer, Expected, Grammar, Wait, YesNo
from flows.nlu.words import backchannel_words, is_backchannel, is_noise, normal
from flows.run import HISTORY, Run, masked
from flows.slots import free_text, grammar
from flows.state import Pending, Phase
from flows.steps.base import Handler, Prompt
from flows.steps.speech import Asking, Confirm, Gather, Menu, Survey
from flows.turn import Sound

CONFIRM_KEYS = ("1", "2")
_SETTINGS = tuple(Defaults.model_fields)


def enter(run: Run, step: Asking) -> None:
    """Asks for the first time."""
    if run.history[-1:] != (run.name,):
        run.history = (*run.history, run.name)[-HISTORY:]
    ask(run, step, _question(run, step))


def ask(run: Run, step: Asking, prompt: Prompt | None, phase: Phase = Phase.ASKING) -> None:
    """Plays a question and listens."""
    run.phase = phase
    run.keys = ""
    run.pending = None
    run.quiet_since = None
    run.play(prompt, settings(run, step).barge_in)
    _listen(run, step)


def sound(run: Run, step: Asking, text: str, confidence: float) -> Sound:
    """What an utterance amounts to while this step asks."""
    if is_noise(text) or run.keys:
        return Sound.NOISE
    known = _grammar(run, step).hear(text) is not None or commands.heard(run.flow, run.language, text) is not None
    if known and confidence >= settings(run, step).confidence:
        return Sound.MATCH
    return Sound.BACKCHANNEL if is_backchannel(text) else Sound.WORDS


def heard(run: Run, step: Asking, text: str, confidence: float) -> None:
    """The caller said something that is a turn of their own."""
    answer = _grammar(run, step).hear(text)
    exactly = commands.exactly(run.flow, run.language, text) if _is_free(run, step) else None
    if confidence < settings(run, step).confidence:
        failed(run, step, "nomatch")
    elif exactly:
        do_command(run, step, exactly)
    elif answer is None:
        command = commands.heard(run.flow, run.language, text)
        if command is None:
            failed(run, step, "nomatch")
        else:
            do_command(run, step, command)
    elif run.phase is Phase.CONFIRMING:
        confirmed(run, step, bool(answer.value), "speech")
    elif confidence < settings(run, step).confirm_below and _is_worth_asking_back(run, step):
        ask_back(run, step, answer, confidence)
    else:
        accept(run, step, answer, confidence, "speech")


def pressed(run: Run, step: Asking, key: str) -> None:
    """The caller pressed a key."""
    run.cancel("noinput", "speech")
    run.quiet_since = None
    term_key = settings(run, step).term_key
    if run.keys and key == term_key:
        finish_keys(run, step)
        return
    run.keys += key
    _press(run, step, finished=False)


def finish_keys(run: Run, step: Asking) -> None:
    """The caller ended the entry, by the terminating key or by stopping."""
    _press(run, step, finished=True)


def _press(run: Run, step: Asking, finished: bool) -> None:
    keys = run.keys
    found = _grammar(run, step).press(keys, finished)
    if isinstance(found, Wait):
        run.start("interdigit", settings(run, step).interdigit_timeout)
        return
    run.cancel("interdigit")
    run.keys = ""
    if found is None:
        command = commands.pressed(run.flow, keys)
        if command is None:
            failed(run, step, "nomatch")
        else:
            do_command(run, step, command)
    elif run.phase is Phase.CONFIRMING:
        confirmed(run, step, bool(found.value), "key")
    else:
        accept(run, step, found, 1.0, "key")


def ask_back(run: Run, step: Asking, answer: Answer, confidence: float) -> None:
    """Asks whether this was what the caller said."""
    run.pending = Pending(answer.value, answer.text, answer.target, confidence)
    run.phase = Phase.CONFIRMING
    mode = settings(run, step).barge_in
    if step.confirm:
        run.play(step.confirm, mode, {"heard": answer.text}, secret=_is_secret(step))
    else:
        run.say_own("confirm", mode, secret=_is_secret(step), heard=answer.text)
    _listen(run, step)


def confirmed(run: Run, step: Asking, yes: bool, by: str) -> None:
    """The caller said whether it was."""
    pending = run.pending
    if yes and pending:
        accept(run, step, Answer(pending.value, pending.text, pending.target), pending.confidence, by)
    else:
        failed(run, step, "nomatch")


def accept(run: Run, step: Asking, answer: Answer, confidence: float, by: str) -> None:
    """Takes the answer: notes it, keeps it, goes on."""
    if run.phase is Phase.EXPLAINING and isinstance(step, Survey):
        explained(run, step, answer.text)
        return
    run.said = ()
    secret = _is_secret(step)
    run.note(
        "matched",
        step=run.name,
        text=masked(answer.text) if secret else answer.text,
        value=masked(answer.value) if secret else answer.value,
        confidence=confidence,
        by=by,
    )
    match step:
        case Menu():
            if step.into:
                run.assign(step.into, answer.value)
            run.goto(answer.target)
        case Gather():
            run.assign(step.into, answer.value, secret)
            run.goto(step.next)
        case Confirm():
            run.goto(step.yes if answer.value else step.no)
        case Survey():
            run.assign(step.into, answer.value)
            if step.reason:
                ask(run, step, step.reason, Phase.EXPLAINING)
            else:
                run.goto(step.next)


def explained(run: Run, step: Survey, reason: str) -> None:
    """The caller said why, or nothing."""
    run.assign(step.reason_into, reason)
    run.goto(step.next)


def failed(run: Run, step: Asking, event: str) -> None:
    """No answer: counts it, does what the handler says, asks again or gives up after `attempts`."""
    run.keys = run.ahead = ""
    handler = run.event(event)
    if run.phase is Phase.EXPLAINING and isinstance(step, Survey):
        explained(run, step, "")
        return
    failures = sum(run.counts.get(name, 0) for name in ("noinput", "nomatch", "max_speech"))
    if handler and handler.next:
        _follow(run, step, handler)
    elif failures >= settings(run, step).attempts:
        give_up(run, step)
    elif handler and handler.prompt:
        run.play(handler.prompt, settings(run, step).barge_in)
        ask(run, step, _question(run, step, again=True) if handler.again else None)
    else:
        if not step.reprompt:
            run.say_own(event, settings(run, step).barge_in)
        ask(run, step, _question(run, step, again=True))


def give_up(run: Run, step: Asking) -> None:
    """The step was asked in vain as often as it may be."""
    handler = run.event("attempts")
    if handler and handler.next:
        _follow(run, step, handler)
        return
    if handler and handler.prompt:
        run.play(handler.prompt, BargeIn.NO)
    else:
        run.say_own("attempts", BargeIn.NO)
    run.end("completed")


def do_command(run: Run, step: Asking, name: str) -> None:
    """Carries out a word that works everywhere: by the step's handler, else as the flow says, else as built in."""
    handler = run.event(name)
    command = commands.named(run.flow, name)
    prompt = handler.prompt if handler else command.prompt
    target = handler.next if handler else command.next
    within = run.phase in (Phase.CONFIRMING, Phase.EXPLAINING)
    if target is None and prompt is None and name == BACK and not within:
        target = _question_before(run)
    run.play(prompt, settings(run, step).barge_in)
    if target:
        run.said = ()
        run.goto(target)
        return
    if prompt is None and name == REPEAT:
        if _said_again(run, step):
            return
        run.tell_again()
    silent = prompt is None or (handler is not None and handler.again)
    ask(run, step, _question(run, step) if silent or name in (REPEAT, BACK) else None)


def _question_before(run: Run) -> str | None:
    """Goes back to the asking step before this one, out of the sub-flow if it is this one's first."""
    if len(run.history) > 1:
        run.history = run.history[:-1]
        return run.history[-1]
    for depth, frame in enumerate(reversed(run.frames), 1):
        if frame.history:
            run.return_from(depth)
            return run.history[-1]
    return None


def _said_again(run: Run, step: Asking) -> bool:
    """Asks again what was asked last, where that was not the step's own question."""
    if run.phase is Phase.CONFIRMING and run.pending:
        pending = run.pending
        ask_back(run, step, Answer(pending.value, pending.text, pending.target), pending.confidence)
        return True
    if run.phase is Phase.EXPLAINING and isinstance(step, Survey):
        ask(run, step, step.reason, Phase.EXPLAINING)
        return True
    return False


def without_recogniser(run: Run, step: Asking) -> None:
    """The recogniser is gone: the step goes on by keys."""
    handler = run.event("error.asr")
    if handler and (handler.next or handler.prompt):
        _follow(run, step, handler)
    elif step.prompt_keys:
        run.stop_prompts()
        ask(run, step, step.prompt_keys)


def _follow(run: Run, step: Asking, handler: Handler) -> None:
    run.play(handler.prompt, settings(run, step).barge_in)
    if handler.next:
        run.goto(handler.next)
    elif handler.again:
        ask(run, step, _question(run, step, again=True))


def _listen(run: Run, step: Asking) -> None:
    expected = _grammar(run, step).expected()
    any_words = expected == Expected()  # then commands must not narrow down what is recognised
    everywhere = () if any_words else commands.phrases(run.flow, run.language).values()
    listening = backchannel_words(run.language) if expected.phrases and not expected.digits else ()
    run.listen(
        Expect(
            run.language,
            tuple(dict.fromkeys((*expected.phrases, *(normal(phrase) for words in everywhere for phrase in words)))),
            expected.digits,
            tuple(dict.fromkeys((*expected.words, *listening))),
            settings(run, step).complete_timeout,
            settings(run, step).incomplete_timeout,
            settings(run, step).max_speech,
        )
    )


def _grammar(run: Run, step: Asking) -> Grammar:
    match run.phase:
        case Phase.CONFIRMING:
            return YesNo(run.language, *CONFIRM_KEYS)
        case Phase.EXPLAINING:
            return free_text()
    return grammar(step, run.language, today(run.now, run.flow.header.zone))


def _question(run: Run, step: Asking, again: bool = False) -> Prompt:
    if run.keys_only and step.prompt_keys:
        return step.prompt_keys
    return step.reprompt if again and step.reprompt else step.prompt


def settings(run: Run, step: Asking) -> Defaults:
    """The flow's defaults with what the step says itself."""
    defaults = run.flow.header.defaults
    own = {name: value for name in _SETTINGS if (value := getattr(step, name)) is not None}
    return defaults.model_copy(update=own) if own else defaults


def _is_worth_asking_back(run: Run, step: Asking) -> bool:
    return not _is_free(run, step) and not isinstance(step, Confirm)


def _is_free(run: Run, step: Asking) -> bool:
    """Whether any words at all are an answer."""
    return run.phase is Phase.EXPLAINING or (
        run.phase is Phase.ASKING and isinstance(step, Gather) and step.kind == "text"
    )


def _is_secret(step: Asking) -> bool:
    return isinstance(step, Gather) and step.secret
