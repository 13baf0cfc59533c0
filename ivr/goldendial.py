"""Calls a running hotline with golden conversations, several at a time, and reads from its archive what was said.

Every call is an `ivr dial` process; the hotline's archive must be on this machine, its call is found by SIP Call-ID.
"""

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from flows.flow import Flow
from flows.golden import Conversation, Outcome
from ivr.config import Config
from ivr.goldencall import faults, phone_turns, voice
from recordings.errors import CallNotFoundError
from recordings.event import Event
from recordings.read import call_ids, read
from telephony.address import reachable_address

ANSWERS_WITHIN_S = 4.0
ARCHIVED_WITHIN_S = 30.0
NEWEST = 200  # calls among which one that just ended is looked for


class NoHotlineError(Exception):
    """Nothing can be called: says where was tried and what to do."""

    code = "no_hotline"


@dataclass(slots=True)
class Plan:
    """One conversation of a file: a call to make, or why it is left out; then what is wrong with it, by turn."""

    file: Path
    flow: Flow
    number: int
    conversation: Conversation
    virtual: Outcome
    left_out: str = ""
    line: str = ""
    call: str = ""
    faults: list[tuple[int, str]] = field(default_factory=list)


def hotline_uri(config: Config, uri: str) -> str:
    """The address to call: the one given, else that of the settings. Raises NoHotlineError where neither says one."""
    if uri:
        if not re.match(r"sip:([^@\s]+@)?[^@:;\s]+(:\d+)?(;\S+)?$", uri):
            raise NoHotlineError(f"{uri}: write the address as sip:127.0.0.1:5060")
        return uri
    if not config.telephony.port:
        raise NoHotlineError("[telephony] port is 0, any free one: name the one of the ready line, --uri sip:HOST:PORT")
    return f"sip:{reachable_address(config.telephony.address)}:{config.telephony.port}"


def line_of(config: Config, flow: str) -> str:
    """The number to call for a flow; "" if no line leads to it."""
    lines = config.telephony.lines
    named = next((number for number, name in lines.items() if name == flow and number != "*"), "")
    return named or ("hotline" if lines.get("*") == flow and "hotline" not in lines else "")


async def answers(uri: str) -> None:
    """Asks the hotline whether it is there (SIP OPTIONS over UDP). Raises NoHotlineError if nothing answers."""
    match = re.match(r"sip:(?:[^@]*@)?([^:;]+)(?::(\d+))?", uri)
    assert match
    host, port = match[1], int(match[2] or 5060)
    loop = asyncio.get_running_loop()
    what = f"no hotline answers at {host}:{port}: start one with `ivr serve`, or name it with --uri sip:HOST:PORT"
    try:
        transport, ping = await loop.create_datagram_endpoint(_Ping, remote_addr=(host, port))
    except OSError as error:
        raise NoHotlineError(f"{what} ({error})") from error
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            while not ping.answered.done():
                transport.sendto(_options(host, port, transport.get_extra_info("sockname")))
                await asyncio.wait([ping.answered], timeout=0.5)
        ping.answered.result()
    except (OSError, TimeoutError) as error:
        raise NoHotlineError(what) from error
    finally:
        transport.close()


class _Ping(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def datagram_received(self, _data: bytes, _source: tuple[str | Any, int]) -> None:
        if not self.answered.done():
            self.answered.set_result(True)

    def error_received(self, error: Exception) -> None:
        if not self.answered.done():
            self.answered.set_exception(error)


def _options(host: str, port: int, here: tuple[str, int]) -> bytes:
    """RFC 3261 section 11."""
    return (
        f"OPTIONS sip:{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {here[0]}:{here[1]};branch=z9hG4bKgolden{here[1]};rport"
        f"\r\nMax-Forwards: 70\r\nFrom: <sip:test@{here[0]}>;tag=golden\r\nTo: <sip:{host}>\r\n"
        f"Call-ID: golden-{here[1]}@{here[0]}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


async def dial_all(config: Config, config_file: Path, uri: str, plans: Sequence[Plan], at_once: int) -> None:
    """Makes the calls, `at_once` at a time, and writes into each plan what is wrong.

    Raises NoHotlineError before the first call if nothing answers at the address.
    """
    await answers(uri)
    places = asyncio.Semaphore(at_once)

    async def one(plan: Plan) -> None:
        async with places:
            await _dial(config, config_file, re.sub(r"sip:([^@]*@)?", f"sip:{plan.line}@", uri, count=1), plan)

    async with asyncio.TaskGroup() as group:
        for plan in plans:
            group.create_task(one(plan), name=f"call {plan.conversation.name}")


async def _dial(config: Config, config_file: Path, uri: str, plan: Plan) -> None:
    command = ["-m", "ivr", "dial", "--config", str(config_file), uri, "--json", "--voice", voice(plan.conversation)]
    phone = await asyncio.create_subprocess_exec(
        sys.executable, *command, *phone_turns(plan.conversation), stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, trouble = await phone.communicate()
    finally:
        if phone.returncode is None:
            phone.kill()
    if not out:
        plan.faults = [(0, f"the test phone could not call: {trouble.decode(errors='replace').strip()[-300:]}")]
        return
    outcome = json.loads(out)
    if not outcome["answered"]:
        plan.faults = [(0, f"the call was not answered: {outcome['status']} {outcome['reason']}")]
        return
    plan.call, events = await _archived(config.recordings_folder, outcome["sip_call_id"])
    if not events:
        folder = config.recordings_folder
        plan.faults = [(0, f"the call is not in {folder}: use the --config that the hotline runs with, on its machine")]
        return
    began = [turn["at"] for turn in outcome["turns"]]
    plan.faults = list(faults(plan.flow, plan.conversation, began, events))


async def _archived(folder: Path, sip_call_id: str) -> tuple[str, list[Event]]:
    """The call's name and events once it is over; nothing if it does not come into the archive in time."""
    try:
        async with asyncio.timeout(ARCHIVED_WITHIN_S):
            while True:
                found = await asyncio.to_thread(_find, folder, sip_call_id)
                if found is not None:
                    return found
                await asyncio.sleep(0.2)
    except TimeoutError:
        return "", []


def _find(folder: Path, sip_call_id: str) -> tuple[str, list[Event]] | None:
    for call_id in islice(call_ids(folder), NEWEST):
        try:
            events = read(folder, call_id).events
        except CallNotFoundError:
            continue
        if events and events[0].data.get("sip_call_id") == sip_call_id and events[-1].kind == "call.ended":
            return call_id, events
    return None
