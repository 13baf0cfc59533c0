"""Steps that wait for something outside, for time, or for the prompts to be heard out."""

from flows import people
from flows.actions import BargeIn
from flows.events import Replied
from flows.flow import is_plain
from flows.functions import Value
from flows.inference import type_of_value
from flows.run import Run
from flows.state import Phase
from flows.steps.base import Step
from flows.steps.logic import Split
from flows.steps.outside import Http, Record, Recording, SendDtmf, Voicemail, Wait
from flows.steps.people import Callback, Staffing, Transfer

GRACE_S = 5.0
QUICK_S = 3.0


def split(run: Run, step: Split) -> None:
    """Asks for a random number."""
    assert step.shares
    run.request("random", QUICK_S)


def recording(run: Run, step: Recording) -> None:
    """Has the call's recording changed, and waits until it is."""
    run.request("recording", QUICK_S, do=step.do)


def http(run: Run, step: Http) -> None:
    """Sends the request; the filler comes if the answer takes its time, a word of the engine's own after `timeout`."""
    run.start("filler", _filler_after(run, step))
    scope = run.scope()
    key = step.idempotency_key.fill(scope, run.context) if step.idempotency_key else None
    if key is None and step.method != "GET":
        call = run.variables.get("call")
        key = f"{call.get('id', '') if isinstance(call, dict) else ''}-{run.name}-{run.requests + 1}"
    waits = sum(step.retry_wait * 2**number for number in range(step.retries))
    run.request(
        "http",
        step.timeout * (step.retries + 1) + waits + GRACE_S,
        step=run.name,
        method=step.method,
        url=step.url.fill_url(scope, run.context),
        headers={name: text.fill(scope, run.context) for name, text in step.headers.items()},
        query={name: run.value(formula) for name, formula in step.query.items()},
        body={name: run.value(formula) for name, formula in step.body.items()} if step.body else None,
        timeout_s=step.timeout,
        retries=step.retries,
        retry_wait_s=step.retry_wait,
        idempotency_key=key,
    )


def heard_out(run: Run, step: Record | SendDtmf | Transfer | Wait) -> None:
    """Waits for the prompts before the step begins in earnest."""
    if isinstance(step, Record):
        run.play(step.prompt, BargeIn.NO)
    run.phase = Phase.DRAINING


def drained(run: Run, step: Step) -> None:
    """The prompts before the step have been heard."""
    match step:
        case Record():
            run.request(
                "record",
                step.max_time + GRACE_S,
                max_time_s=step.max_time,
                final_silence_s=step.final_silence,
                term_key=step.term_key,
                beep=step.beep,
                mailbox=step.mailbox if isinstance(step, Voicemail) else "",
            )
        case SendDtmf():
            keys = "".join(key for key in step.keys.fill(run.scope(), run.context) if key in "0123456789*#ABCD")
            run.request("send_dtmf", len(keys) * 0.5 + GRACE_S, keys=keys)
        case Transfer():
            people.transfer(run, step)
        case Wait():
            run.phase = Phase.WAITING
            run.start("wait", step.time)


def replied(run: Run, step: Step, reply: Replied) -> None:
    """The answer to the step's request."""
    run.cancel("request", "filler")
    match step:
        case Http():
            _answered(run, step, reply)
        case Staffing():
            people.staffed(run, step, reply)
        case Callback():
            people.booked(run, step, reply)
        case Split():
            value = reply.result.get("value") if reply.ok else None
            run.goto(_share(step, value if isinstance(value, int | float) else 0.0))
        case Record() if reply.ok and is_plain(reply.result):
            recorded = {"file": str(reply.result.get("file", "")), "seconds": reply.result.get("seconds", 0)}
            run.assign(step.into, recorded)
            if isinstance(step, Voicemail):
                run.note("voicemail", mailbox=step.mailbox, **recorded)
            run.goto(step.next)
        case Recording() | SendDtmf() if reply.ok:
            run.goto(step.next)
        case Record() | Recording():
            run.trouble("error.recording", _reason(reply))
        case SendDtmf():
            run.trouble("error.semantic", _reason(reply))


def timer(run: Run, step: Step, name: str) -> None:
    """One of the step's timers has run out."""
    match name, step:
        case "wait", Wait():
            run.goto(step.next)
        case "request", _:
            replied(run, step, Replied(run.requests, ok=False, result={"error": "no answer in time"}))
        case "filler", Http():
            if run.turn.queue:
                run.start("filler", 1.0)
                return
            if step.filler:
                run.play(step.filler, BargeIn.NO)
            else:
                run.say_own("moment", BargeIn.NO)
            run.start("filler", max(_filler_after(run, step), 1.0))


def _filler_after(run: Run, step: Http) -> float:
    return step.filler_after if step.filler else run.flow.header.defaults.timeout


def _answered(run: Run, step: Http, reply: Replied) -> None:
    status = str(reply.result.get("status", ""))
    body = reply.result.get("json")
    if status in step.status:
        if step.into and is_plain(body):
            run.assign(step.into, body)
        run.goto(step.status[status])
    elif not reply.ok or not status.startswith("2"):
        run.trouble("error.http", _reason(reply))
    elif fault := _misfit(step, body):
        run.trouble("error.http", fault)
    else:
        if step.into:
            run.assign(step.into, body)
        run.goto(step.next)


def _misfit(step: Http, body: Value) -> str:
    """What is wrong with the fields of an answer; "" if nothing is."""
    if not step.into:
        return ""
    if body is not None and not is_plain(body):
        return "the answer is no plain JSON"
    for name, kind in step.fields.items():
        value = body.get(name) if isinstance(body, dict) else None
        if value is None or (kind != "any" and type_of_value(value).name != kind):
            return f"the answer's field {name} is not {kind}"
    return ""


def _reason(reply: Replied) -> str:
    return str(reply.result.get("error") or f"status {reply.result.get('status', 'unknown')}")[:200]


def _share(step: Split, value: float) -> str:
    edge = 0.0
    for share in step.shares:
        edge += share.percent / 100
        if value < edge:
            return share.next
    return step.shares[-1].next
