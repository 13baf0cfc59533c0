"""`ivr flow talk`: a conversation with a flow in the terminal, on the engine that also answers the phone."""

import asyncio
import random
import secrets
import sys
import time
from pathlib import Path

from flows.actions import Request
from flows.events import News, Replied
from flows.flow import Flow
from flows.golden import Scripted, read, usual
from flows.problems import Problem
from flows.simulation import ENDS, Outside, Simulation, Who
from ivr.flowfiles import read_text
from ivr.httpsteps import HttpSteps

HELP = (
    "type what you say; #123 presses keys; ~ stays silent; !text speaks over the prompt; "
    '"vars" shows the variables; "bye" hangs up'
)
QUEUE_HELP = (
    "    the caller waits: !joined 3 120 (place, expected seconds), !position 2 60, !offered anna, !answered anna, "
    "!ended, !no_agents, !full, !unavailable; ~ waits on"
)
NEWS = (*News, *ENDS)


def talk(flow: Flow, caller: str, answers: Path | None) -> int:
    """Runs until the call ends or input does. Exit code 0, 2 if the answers cannot be read."""
    outside: Outside | None = _outside
    if answers:
        outside = _scripted(answers)
        if outside is None:
            return 2
    call_id = (
        f"talk-{secrets.token_hex(6)}"  # its own: services take an Idempotency-Key that they know for a second try
    )
    simulation = Simulation(flow, outside or _outside, now=time.time(), caller=caller, call_id=call_id)
    _say(f"{flow.name} {flow.version}: {HELP}")
    simulation.begin()
    shown = _show(simulation, 0)
    while not simulation.session.ended:
        try:
            line = input(f"[{simulation.session.step}] > ").strip()
        except (EOFError, RuntimeError):  # RuntimeError: there is no standard input at all
            line = "bye"
        turn(simulation, line)
        if (
            line != "vars"
            and all(one.who is not Who.HOTLINE for one in simulation.lines[shown:])
            and not simulation.over
        ):
            _say("    nothing is said to that; ~ lets time go by")
        shown = _show(simulation, shown)
    _say(f"the call is over: {simulation.reason or 'the caller hung up'}")
    return 0


def turn(simulation: Simulation, line: str) -> None:
    """Does what one line of input says."""
    match line:
        case "" | "~":
            simulation.keep_silent()
        case "vars":
            for name, value in simulation.session.variables.items():
                _say(f"    {name} = {value!r}")
        case "bye":
            simulation.hang_up()
        case _ if line.startswith("#") and set(line) <= set("0123456789*#ABCD"):
            simulation.listen()
            simulation.key(line[1:] or "#")
            simulation.pause()
        case _ if line.startswith("!"):
            if not _news(simulation, *line[1:].split()):
                simulation.say(line[1:])
        case _:
            simulation.listen()
            simulation.say(line)


def _news(simulation: Simulation, what: str = "", *words: str) -> bool:
    """What happens to a caller who waits: numbers are place and expected seconds, a word is the agent."""
    if what not in NEWS:
        return False
    numbers = [int(word) for word in words if word.isdecimal()]
    data: dict[str, object] = dict(zip(("position", "expected_wait_s"), numbers, strict=False))
    if names := [word for word in words if not word.isdecimal()]:
        data["agent"] = names[0]
    simulation.listen()
    return simulation.news(what, data)


def _show(simulation: Simulation, shown: int) -> int:
    for line in simulation.lines[shown:]:
        if line.who is Who.HOTLINE:
            _say(f"{line.at:7.1f} s  {line.text}")
    return len(simulation.lines)


def _outside(request: Request) -> Replied | None:
    """The real web service; chance; recordings and people that are there; a queue's news come from the keyboard."""
    if request.kind == "http":
        return asyncio.run(_http(request))
    if request.kind == "queue":
        _say(QUEUE_HELP)
        return None
    if request.kind in ("queue_leave", "queue_priority"):
        return None
    if request.kind == "random":
        return Replied(request.request, ok=True, result={"value": random.random()})  # noqa: S311 - no secret hangs on it
    return Replied(request.request, ok=True, result=usual(request))


async def _http(request: Request) -> Replied:
    async with HttpSteps() as http:
        reply = await http.answer(request)
    what = reply.result.get("error") or f"status {reply.result['status']}"
    _say(f"    {request.arguments['method']} {request.arguments['url']}: {what}")
    return reply


def _scripted(file: Path) -> Outside | None:
    text = read_text(file)
    golden, _, problems = (None, None, [text]) if isinstance(text, Problem) else read(text, str(file))
    if golden is None:
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
        return None
    return Scripted(golden.conversation[0])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
