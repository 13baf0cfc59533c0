"""`ivr flow talk`: a conversation with a flow in the terminal, on the engine that also answers the phone."""

import asyncio
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flows.actions import Request
from flows.events import Replied
from flows.flow import Flow
from flows.golden import Scripted, read
from flows.simulation import Outside, Simulation, Who
from ivr.httpsteps import HttpSteps

HELP = (
    "type what you say; #123 presses keys; ~ stays silent; !text speaks over the prompt; "
    '"vars" shows the variables; "bye" hangs up'
)


def talk(flow: Flow, caller: str, answers: Path | None) -> int:
    """Runs until the call ends or input does. Exit code 0, 2 if the answers cannot be read."""
    outside: Outside | None = _outside
    if answers:
        outside = _scripted(answers)
        if outside is None:
            return 2
    simulation = Simulation(flow, outside or _outside, now=time.time(), caller=caller)
    _say(f"{flow.name} {flow.version}: {HELP}")
    simulation.begin()
    shown = _show(simulation, 0)
    while not simulation.session.ended:
        try:
            line = input(f"[{simulation.session.step}] > ").strip()
        except EOFError:
            line = "bye"
        turn(simulation, line)
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
        case _ if line.startswith("#") and len(line) > 1 and set(line[1:]) <= set("0123456789*#ABCD"):
            simulation.listen()
            simulation.key(line[1:])
            simulation.pause()
        case _ if line.startswith("!"):
            simulation.say(line[1:])
        case _:
            simulation.listen()
            simulation.say(line)


def _show(simulation: Simulation, shown: int) -> int:
    for line in simulation.lines[shown:]:
        if line.who is Who.HOTLINE:
            _say(f"{line.at:7.1f} s  {line.text}")
    return len(simulation.lines)


def _outside(request: Request) -> Replied:
    """The real web service; chance; recordings that always work."""
    if request.kind == "http":
        return asyncio.run(_http(request))
    if request.kind == "random":
        return Replied(request.request, ok=True, result={"value": random.random()})  # noqa: S311 - no secret hangs on it
    return Replied(request.request, ok=True, result={"file": "recording.wav", "seconds": 3.0})


async def _http(request: Request) -> Replied:
    async with HttpSteps() as http:
        reply = await http.answer(request)
    what = reply.result.get("error") or f"status {reply.result['status']}"
    _say(f"    {request.arguments['method']} {request.arguments['url']}: {what}")
    return reply


def _scripted(file: Path) -> Callable[[Request], Replied] | None:
    try:
        golden, _, problems = read(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{file}: {error}\n")
        return None
    if golden is None:
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
        return None
    return Scripted(golden.conversation[0])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
