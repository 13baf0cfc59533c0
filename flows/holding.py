"""A caller who waits for a person: music, announcements, the key to leave, the answer, the talk, the end of it.

While a caller waits, music plays whenever nothing else does; where it cannot be played, words come at intervals.
Announcements follow Asterisk's app_queue (queues.conf: announce-position, announce-position-limit, announce-holdtime,
announce-frequency, min-announce-frequency).
"""

from dataclasses import replace
from typing import Any

from flows import people
from flows.actions import AudioFile, BargeIn, Text
from flows.events import News, QueueNews, Replied
from flows.run import Run
from flows.state import Hold, Phase
from flows.steps.base import Handler, Step
from flows.steps.people import Queue, Transfer
from flows.wording import wording

MUSIC = "audio/music.wav"
QUIET_S = 5.0
SHORTEST_MUSIC_S = 1.0
LEAST_BETWEEN_S = 15.0
ENDS_S = 5.0

_ENDINGS = {
    "timeout": (("timeout",), "busy"),
    "exit_key": (("exit_key",), "busy"),
    "full": (("full", "no_agents"), "busy"),
    "no_agents": (("no_agents",), "no_agents"),
    "unavailable": (("unavailable", "no_agents"), "unreachable"),
}
_FAILURES = ("busy", "no_answer", "refused", "unavailable")


def settle(run: Run, step: Step) -> None:
    """Nothing plays: music, or where there is none, words after a while.

    It begins when the place in the queue is known: who finds nobody there should not hear the first note of it.
    """
    hold = run.hold
    if hold is None or hold.fresh or run.turn.queue:
        return
    if not hold.mute:
        _play_music(run, step, hold)
    if not run.turn.queue:
        run.hold = replace(run.hold or hold, mute=True)
        if "music" not in run.timers:
            run.start("music", QUIET_S)


def finished(run: Run, prompt: int) -> None:
    """A prompt was played out: music that is over at once is none."""
    hold = run.hold
    if hold and prompt == hold.music and run.now - hold.music_at < SHORTEST_MUSIC_S:
        run.hold = replace(hold, mute=True)


def failed(run: Run, step: Step, prompt: int) -> None:
    """A prompt cannot be played: words come in place of music."""
    if run.hold and prompt == run.hold.music:
        run.hold = replace(run.hold, mute=True, music=0)
        _comfort(run, step)


def key(run: Run, step: Step, pressed: str) -> None:
    """A key: the one to leave, or nobody's."""
    if isinstance(step, Queue) and pressed == step.exit_key:
        run.stop_prompts()
        run.ask("queue_leave", reason="exit_key")
        _unanswered(run, step, "exit_key")


def timer(run: Run, step: Step, name: str) -> None:
    """One of the timers of the wait has run out."""
    match name, step:
        case "request", _:
            _no_news(run, step)
        case "max_wait", Queue():
            run.ask("queue_leave", reason="timeout")
            _unanswered(run, step, "timeout")
        case "comfort", Queue():
            _comfort(run, step)
            run.start("comfort", step.comfort_every)
        case "position", Queue():
            _announce(run, step)
        case "music", _ if run.hold and run.hold.fresh:
            run.hold = replace(run.hold, fresh=False)
        case "music", _:
            _comfort(run, step)


def news(run: Run, step: Step, event: QueueNews) -> None:
    """Something has happened to the caller who waits."""
    if run.phase is Phase.TALKING:
        if event.news == News.ENDED:
            run.start("request", ENDS_S)
        return
    if event.news == News.ANSWERED:
        _answered(run, event.data)
    elif isinstance(step, Queue):
        _queue_news(run, step, event)


def replied(run: Run, step: Step, reply: Replied) -> None:
    """The wait, or the talk, is over."""
    talked = reply.ok or run.phase is Phase.TALKING
    outcome = str(reply.result.get("outcome", ""))
    match step:
        case Queue() if talked:
            _talked(run, step, str(reply.result.get("agent") or "")[:200])
        case Queue():
            _unanswered(run, step, outcome if outcome in ("no_agents", "full") else "unavailable", people.reason(reply))
        case Transfer() if outcome == "transferred" and reply.ok:
            run.stop_prompts()
            handler = run.event("transfer")
            if handler and handler.next:
                run.goto(handler.next)
            else:
                run.end("transferred")
        case Transfer() if talked:
            _onward(run, step.next)
        case Transfer():
            _hush(run)
            kind = outcome or "unavailable"
            run.note("error", code=f"transfer.{kind}", detail=people.reason(reply))
            events = (kind, "failed") if kind in _FAILURES else ("failed",)
            people.otherwise(run, events, "unreachable", step.next)


def hung_up(run: Run, step: Step) -> Handler | None:
    """The caller hangs up: before the answer the wait is abandoned, and the handler of that is given back."""
    if run.hold is None or not isinstance(step, Queue):
        return None
    if run.phase is Phase.TALKING:
        _note_how(run, step, "answered")
        return None
    _note_how(run, step, "abandoned")
    return run.event("abandoned")


def _queue_news(run: Run, step: Queue, event: QueueNews) -> None:
    if event.news not in (News.JOINED, News.POSITION, News.OFFERED):
        return
    run.cancel("request")
    if run.hold and run.hold.fresh:
        run.cancel("music")
        run.hold = replace(run.hold, fresh=False)
    match event.news:
        case News.JOINED:
            _take(run, event.data)
            announce = event.data.get("announce")
            if run.hold and isinstance(announce, dict):
                position = step.announce_position or str(announce.get("position", "no"))
                holdtime = step.announce_holdtime or str(announce.get("holdtime", "no"))
                run.hold = replace(run.hold, announce_position=position, announce_holdtime=holdtime)
            _say_handler(run, "joined")
            _announce(run, step)
        case News.POSITION:
            _take(run, event.data)
            _moved(run, step)
        case News.OFFERED:
            _say_handler(run, "offered")


def _take(run: Run, data: dict[str, Any]) -> None:
    """Remembers the place and the expected wait, where they make sense."""
    hold = run.hold
    position = people.number(data.get("position"))
    if hold and 0 < position < 1_000_000:
        hold = replace(hold, position=int(position))
    if hold:
        run.hold = replace(hold, expected_wait_s=float(people.number(data.get("expected_wait_s"))))


def _moved(run: Run, step: Queue) -> None:
    """The place may have changed: says so, but never twice within 15 s."""
    hold = run.hold
    if hold is None or hold.position == hold.said_position:
        return
    since = run.now - hold.said_at if hold.said_at is not None else LEAST_BETWEEN_S
    if since >= LEAST_BETWEEN_S:
        _announce(run, step)
    else:
        run.start("position", LEAST_BETWEEN_S - since)


def _announce(run: Run, step: Queue) -> None:
    """Says the place and the expected wait, as far as the author or the queue wants it."""
    hold = run.hold
    if hold is None or (hold.announce_position, hold.announce_holdtime) == ("no", "no"):
        return
    words = wording(run.language)
    pieces = []
    if place := _place(hold, step.announce_position_limit, words):
        pieces.append(Text(place))
    holdtime = _holdtime(hold, words)
    if holdtime:
        pieces.append(Text(holdtime))
    run.start("position", step.announce_frequency)
    if pieces:
        _over_music(run)
        run.play_pieces(tuple(pieces), BargeIn.NO)
        run.hold = replace(
            run.hold or hold,
            said_position=hold.position,
            said_at=run.now,
            said_holdtime=hold.said_holdtime or bool(holdtime),
        )


def _place(hold: Hold, limit: int, words: dict[str, str]) -> str:
    beyond = hold.position > limit
    if not hold.position or hold.announce_position not in ("yes", "limit", "more"):
        return ""
    if beyond and hold.announce_position == "limit":
        return ""
    if beyond and hold.announce_position == "more":
        return words["place_more"].format(limit=limit)
    return words["next_in_line"] if hold.position == 1 else words["place"].format(position=hold.position)


def _holdtime(hold: Hold, words: dict[str, str]) -> str:
    wanted = hold.announce_holdtime == "yes" or (hold.announce_holdtime == "once" and not hold.said_holdtime)
    if not wanted or hold.expected_wait_s <= 0:
        return ""
    minutes = max(round(hold.expected_wait_s / 60), 1)
    return words["holdtime_short"] if minutes == 1 else words["holdtime"].format(minutes=minutes)


def _say_handler(run: Run, event: str) -> None:
    handler = run.event(event)
    if handler and handler.prompt:
        _over_music(run)
        run.play(handler.prompt, BargeIn.NO)


def _comfort(run: Run, step: Step) -> None:
    """The author's next comfort message, or the engine's own words."""
    _over_music(run)
    messages = step.comfort if isinstance(step, Queue) else ()
    hold = run.hold
    if hold and messages:
        run.play(messages[hold.comforts % len(messages)], BargeIn.NO)
        run.hold = replace(hold, comforts=hold.comforts + 1)
    elif isinstance(step, Queue):
        run.say_own("waiting", BargeIn.NO)
    else:
        run.say_own("connecting", BargeIn.NO)


def _play_music(run: Run, step: Step, hold: Hold) -> None:
    music = step.music if isinstance(step, Queue | Transfer) else None
    if music:
        run.play(music, BargeIn.NO)
    else:
        run.play_pieces((AudioFile(MUSIC),), BargeIn.NO)
    run.hold = replace(hold, music=run.prompts if run.turn.queue else 0, music_at=run.now)


def _over_music(run: Run) -> None:
    """Makes room for words: music stops, words that are being said do not."""
    if run.hold and run.turn.queue and run.turn.queue[0].prompt == run.hold.music:
        run.stop_prompts()


def _hush(run: Run) -> None:
    """Stops what belongs to the wait; what the flow said before it is heard to its end."""
    if run.hold and all(playing.prompt > run.hold.first for playing in run.turn.queue):
        run.stop_prompts()


def _answered(run: Run, data: dict[str, Any]) -> None:
    """A person answers: from now on the caller is theirs."""
    run.stop_prompts()
    run.cancel(*sorted(run.timers))
    run.phase = Phase.TALKING
    run.said = ()
    if run.hold:
        run.hold = replace(run.hold, agent=str(data.get("agent") or "")[:200], waited_s=run.now - run.hold.since)
    run.event("answered")


def _talked(run: Run, step: Queue, agent: str) -> None:
    """The talk with the agent is over."""
    run.places = {name: place for name, place in run.places.items() if name != step.queue}
    _note_how(run, step, "answered", agent)
    _onward(run, step.next)


def _unanswered(run: Run, step: Queue, event: str, detail: str = "") -> None:
    """Nobody has answered: where the author says, else an apology."""
    if event == "unavailable":
        run.note("error", code="queue.unavailable", detail=detail)
    _hush(run)
    _note_how(run, step, event)
    people.otherwise(run, *_ENDINGS[event], step.next)


def _note_how(run: Run, step: Queue, outcome: str, agent: str = "") -> None:
    """Keeps how the wait went for the flow."""
    hold = run.hold
    if step.into and hold:
        waited_s = hold.waited_s if run.phase is Phase.TALKING else max(run.now - hold.since, 0.0)
        run.assign(step.into, {"outcome": outcome, "agent": agent or hold.agent, "waited_s": round(waited_s, 1)})


def _no_news(run: Run, step: Step) -> None:
    """Nothing came from outside for too long."""
    if isinstance(step, Queue) and run.phase is Phase.HOLDING:
        run.ask("queue_leave", reason="timeout")
    outcome = "" if isinstance(step, Queue) else "no_answer"
    replied(run, step, Replied(0, ok=False, result={"outcome": outcome, "error": "no answer in time"}))


def _onward(run: Run, target: str | None) -> None:
    run.stop_prompts()
    if target:
        run.goto(target)
    else:
        run.end("completed")
