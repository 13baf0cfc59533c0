"""Steps that reach for people: what they ask for, and where callers go who reach nobody.

What happens while a caller waits, and after, is `flows.holding`'s.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flows.actions import BargeIn
from flows.events import Replied
from flows.functions import Value, is_number
from flows.run import Run
from flows.state import Hold, Phase, Place
from flows.steps.people import Callback, Priority, Queue, Staffing, Transfer

JOIN_S = 15.0
SERVICE_S = 5.0
MUSIC_AFTER_S = 1.0
RING_GRACE_S = 60.0
STAFFING = ("logged_in", "ready", "waiting", "expected_wait_s")


def queue(run: Run, step: Queue) -> None:
    """Begins to wait for an agent. A caller who comes back to a queue has kept the place."""
    run.phase = Phase.HOLDING
    run.ahead = ""
    known = run.places.get(step.queue)
    place = Place(
        known.joined if known else run.now,
        dict(step.skills),
        run.priority if step.priority is None else step.priority,
        {name: run.fill(text) for name, text in step.context.items()},
    )
    run.places = {**run.places, step.queue: place}
    announce = {"position": step.announce_position, "holdtime": step.announce_holdtime}
    run.start("request", JOIN_S)
    run.start("max_wait", step.max_wait)
    run.start("music", MUSIC_AFTER_S)
    if step.comfort:
        run.start("comfort", step.comfort_every)
    run.ask(
        "queue",
        step=run.name,
        queue=step.queue,
        skills=place.skills,
        priority=place.priority,
        language=run.language,
        voice=run.voice,
        joined=place.joined,
        announce={name: value for name, value in announce.items() if value},
        whisper=run.whispered(step.whisper),
        context=place.context,
    )
    run.hold = Hold(
        run.requests,
        run.now,
        run.prompts,
        fresh=True,
        announce_position=step.announce_position or "no",
        announce_holdtime=step.announce_holdtime or "no",
    )


def priority(run: Run, step: Priority) -> None:
    """Sets the priority in the queues to come, and in the one that the caller is in."""
    run.priority = step.priority
    run.ask("queue_priority", priority=step.priority)
    run.goto(step.next)


def staffing(run: Run, step: Staffing) -> None:
    """Asks how many agents there are."""
    run.request("staffing", SERVICE_S, step=run.name, queue=step.queue)


def staffed(run: Run, step: Staffing, reply: Replied) -> None:
    """How many agents there are."""
    numbers = {name: number(reply.result.get(name)) for name in STAFFING}
    if step.into:
        run.assign(step.into, numbers)
    if reply.ok:
        run.goto(step.staffed if numbers["logged_in"] > 0 else step.unstaffed)
        return
    run.note("error", code="unavailable", detail=reason(reply))
    handler = run.event("unavailable")
    run.play(handler.prompt if handler else None, run.flow.header.defaults.barge_in)
    run.goto(handler.next if handler and handler.next else step.unstaffed)


def transfer(run: Run, step: Transfer) -> None:
    """Calls the other side; the prompts before it have been heard."""
    run.phase = Phase.HOLDING
    run.ahead = ""
    run.start("request", 2 * step.timeout + RING_GRACE_S)
    keys = step.dtmf.fill(run.scope(), run.context) if step.dtmf else ""
    run.ask(
        "transfer",
        step=run.name,
        to=step.to.fill(run.scope(), run.context).strip(),
        mode=step.mode,
        dtmf="".join(key for key in keys if key in "0123456789*#ABCD,"),
        whisper=run.whispered(step.whisper),
        language=run.language,
        voice=run.voice,
        timeout_s=step.timeout,
    )
    run.hold = Hold(run.requests, run.now, run.prompts)


def callback(run: Run, step: Callback) -> None:
    """Books a call back, at a time or at the place that the caller has had."""
    at = None
    if step.at:
        text = step.at.fill(run.scope(), run.context)
        at = moment(text, run.now, run.flow.header.zone)
        if at is None:
            run.trouble("error.semantic", f"{text!r} is no time to come")
            return
    place = run.places.get(step.queue)
    context = {name: run.fill(text) for name, text in step.context.items()}
    run.request(
        "callback",
        SERVICE_S,
        step=run.name,
        number=step.number.fill(run.scope(), run.context).strip(),
        queue=step.queue,
        joined=place.joined if place else None,
        at=at,
        skills=step.skills or (place.skills if place else {}),
        priority=place.priority if place else run.priority,
        language=run.language,
        context=context or (place.context if place else {}),
    )


def booked(run: Run, step: Callback, reply: Replied) -> None:
    """The call back is booked, or cannot be."""
    if not reply.ok:
        run.note("error", code="unavailable", detail=reason(reply))
        otherwise(run, ("unavailable",), "unreachable", None)
        return
    if step.into:
        ticket = str(reply.result.get("ticket") or "")[:200]
        run.assign(step.into, {"position": number(reply.result.get("position")), "ticket": ticket})
    run.goto(step.next)


def otherwise(run: Run, events: tuple[str, ...], apology: str, onward: str | None) -> None:
    """Nobody was reached: the handler of the first of these events that has one decides, else an apology is said.

    Without a step to go to the call goes `onward`, and without that it ends.
    """
    handler = next((found for found in map(run.event, events) if found), None)
    target = (handler.next if handler else None) or onward
    mode = run.flow.header.defaults.barge_in
    if handler and handler.prompt:
        run.play(handler.prompt, mode)
    elif not (handler and handler.next):
        run.say_own(apology, mode)
        if not target:
            run.say_own("later", BargeIn.NO)
    if target:
        run.goto(target)
    else:
        run.end("completed")


def moment(text: str, now: float, zone: str) -> float | None:
    """A time to come, "YYYY-MM-DD HH:MM", or "HH:MM" for the next such time in the zone, in Unix seconds; else None."""
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone))
    day, _, clock = text.strip().replace("T", " ").rpartition(" ")
    try:
        found = datetime.fromisoformat(f"{day or local.date().isoformat()} {clock}")
        found = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))
        if not day and found.timestamp() <= now:
            found += timedelta(days=1)
        return found.timestamp() if found.timestamp() > now else None
    except (ValueError, OverflowError):
        return None


def number(value: Value) -> float:
    """A number from outside; 0 where there is none."""
    return value if is_number(value) else 0


def reason(reply: Replied) -> str:
    """Why there is no good answer."""
    return str(reply.result.get("error") or reply.result.get("reason") or "refused")[:200]
