"""The test phone, `ivr dial`: calls a SIP URI, says and presses what it is told, records, measures the replies.

A process of its own with its own pjsua2. After each answer of the far end it waits for silence before its next turn.
"""

import array
import asyncio
import contextlib
import json
import os
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from ivr.handover import into_loop
from ivr.playback import LegPlayback
from ivr.replies import Replies
from telephony.errors import DialError, TelephonyError
from telephony.leg import Leg
from telephony.legevents import Answered, Ended, Frame, LegEvent, MediaReady, Played, PlayFailed
from telephony.stack import Stack, StackSettings
from tts.errors import SynthesiserFailed

ANSWER_WITHIN_S = 35.0
REPLY_WITHIN_S = 8.0
PROMPT_ENDS_WITHIN_S = 60.0
KEY_S = 0.25  # pjsua2 sends a key in 240 ms
REQUEST_TIMEOUT = 408  # RFC 3261 section 8.1.3.1: what a phone makes of no answer at all
SILENCE_BROKEN_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of the phone's: `what` is say, play, keys, silence or wait; `value` the text, file, keys or seconds."""

    what: str
    value: str


@dataclass(slots=True)
class Outcome:
    """What came of the call, for people and for `--json`. A turn's `at` is when it began, in Unix seconds."""

    uri: str
    sip_call_id: str = ""
    answered: bool = False
    answer_ms: int = 0
    codec: str = ""
    turns: list[dict[str, Any]] = field(default_factory=list)
    status: int = 0
    reason: str = ""
    ended_by: str = ""
    rtp: dict[str, Any] = field(default_factory=dict)
    recording: str = ""


class Phone:
    """One outgoing call. `voice` makes a text into a file to play; `tell` gets a line for each thing that happens.

    What is to be said is spoken into files before the call: the far end never waits for the synthesiser.
    """

    def __init__(self, voice: Callable[[str], Path], tell: Callable[[float, str], None]) -> None:
        self._voice = voice
        self._tell = tell
        self._replies = Replies()
        self._sound = (array.array("h"), array.array("h"))
        self._answered = asyncio.Event()
        self._ended = asyncio.Event()
        self._finished = asyncio.Event()
        self._failure = ""

    async def call(self, uri: str, steps: Sequence[Step], bind: str, linger_s: float = 1.0) -> Outcome:
        """Makes the call and carries out the steps; returns when it is over.

        Raises DialError for an unusable URI, StackError for an address to bind to that is not this machine's,
        SynthesiserFailed for a text that cannot be spoken.
        """
        loop = asyncio.get_running_loop()
        self._outcome = Outcome(uri)
        texts = dict.fromkeys(step.value for step in steps if step.what == "say")
        self._spoken = {text: await asyncio.to_thread(self._voice, text) for text in texts}
        stack = Stack(StackSettings(bind=bind, user="phone"), lambda _leg, _event: None)
        stack.start()
        self._began = loop.time()
        self._say(f"calling {uri}")
        leg = await asyncio.wrap_future(stack.dial(uri, into_loop(loop, self._on_leg_event)))
        self._began = loop.time()  # the INVITE leaves now: the stack's thread may have slept a little before
        waiting = asyncio.create_task(self._ended.wait())
        talking = asyncio.create_task(self._talk(stack, leg, steps, linger_s))
        await asyncio.wait([waiting, talking], return_when=asyncio.FIRST_COMPLETED)
        talking.cancel()
        if not self._ended.is_set():
            stack.post(leg.hang_up)
            await asyncio.wait([waiting], timeout=5)
        waiting.cancel()
        self._outcome.sip_call_id = leg.sip_call_id
        self._note_reply()
        return self._outcome

    def sound(self) -> tuple["array.array[int]", "array.array[int]"]:
        """What was said and what was heard, `int16` at 8 kHz on one clock."""
        return self._sound

    async def _talk(self, stack: Stack, leg: Leg, steps: Sequence[Step], linger_s: float) -> None:
        """Carries the steps out: after a `wait` at once, else when the far end has fallen silent."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._answered.wait(), ANSWER_WITHIN_S)
        if not self._answered.is_set():
            return
        playback = LegPlayback(stack, leg)
        at_once = False
        for number, step in enumerate(steps, 1):
            if step.what == "wait":
                await asyncio.sleep(float(step.value))
                at_once = True
                continue
            if not at_once:
                await self._far_end_finishes()
            at_once = False
            self._note_reply()
            self._say(f"{step.what:5} {step.value}")
            turn = {**asdict(step), "at": time.time(), "reply_ms": None, "failure": ""}
            self._outcome.turns.append(turn)
            if step.what == "keys":
                await self._press(stack, leg, step.value)
            elif step.what == "silence":
                self._replies.spoke(len(self._sound[1]))
                await self._replies.reply(SILENCE_BROKEN_WITHIN_S)
            else:
                await self._play(playback, number, step)
            turn["failure"], self._failure = self._failure, ""
        await self._far_end_finishes()
        await asyncio.sleep(linger_s)

    async def _far_end_finishes(self) -> None:
        if await self._replies.reply(REPLY_WITHIN_S):
            await self._replies.silence(PROMPT_ENDS_WITHIN_S)

    async def _press(self, stack: Stack, leg: Leg, keys: str) -> None:
        """Presses one key after another: the reply is counted from the last one."""
        for place, key in enumerate(keys):
            if place:
                await asyncio.sleep(KEY_S)
            self._replies.spoke(len(self._sound[1]))
            stack.post(partial(leg.send_keys, key))

    async def _play(self, playback: LegPlayback, token: int, step: Step) -> None:
        path = Path(step.value) if step.what == "play" else self._spoken[step.value]
        self._finished.clear()
        playback.play(token, str(path))
        await self._finished.wait()

    def _note_reply(self) -> None:
        if self._outcome.turns:
            self._outcome.turns[-1]["reply_ms"] = self._replies.reply_ms

    def _on_leg_event(self, event: LegEvent) -> None:
        match event:
            case MediaReady(codec):
                self._outcome.codec = codec
            case Answered():
                self._outcome.answered = True
                self._outcome.answer_ms = round(1000 * (asyncio.get_running_loop().time() - self._began))
                self._say(f"answered ({self._outcome.codec})")
                self._answered.set()
            case Frame(sample, heard8k, played8k):
                self._sound[0].frombytes(played8k)
                self._sound[1].frombytes(heard8k)
                self._replies.frame(sample, heard8k, played8k)
            case Played():
                self._finished.set()
            case PlayFailed(_, reason):
                self._failure = reason
                self._say(f"cannot play: {reason}")
                self._finished.set()
            case Ended(status, reason, by_far_end, rtp):
                outcome = self._outcome
                outcome.status, outcome.reason, outcome.rtp = status, reason, rtp
                outcome.ended_by = "far end" if by_far_end else "phone"
                self._say(f"ended by the {outcome.ended_by}: {status} {reason}")
                self._ended.set()

    def _say(self, line: str) -> None:
        self._tell(asyncio.get_running_loop().time() - self._began, line)


def main(
    uri: str, steps: Sequence[Step], record: Path | None, *, as_json: bool, bind: str, voice_name: str
) -> NoReturn:
    """`ivr dial`: exit code 0: answered, every turn made; 1: not so; 2: it could not be made as asked.

    Ends the process: pjsua2 objects are alive.
    """
    from ivr.phonevoice import PhoneVoice  # noqa: PLC0415 - engines only when something is to be said

    def tell(at_s: float, line: str) -> None:
        if not as_json:
            print(f"{at_s:7.2f}  {line}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        phone = Phone(PhoneVoice(voice_name, Path(folder)).file, tell)
        try:
            outcome = asyncio.run(phone.call(uri, steps, bind))
            status = 0 if outcome.answered and not any(turn["failure"] for turn in outcome.turns) else 1
            if record is not None:
                _write(record, *phone.sound())
                outcome.recording = str(record)
            _report(outcome, as_json=as_json)
        except (TelephonyError, SynthesiserFailed) as error:
            sys.stderr.write(f"{error}\n")
            status = 2
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _report(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")
        return
    replies = ", ".join(f"{turn['reply_ms']} ms" for turn in outcome.turns if turn["reply_ms"] is not None)
    rtp = outcome.rtp
    if outcome.answered:
        sys.stdout.write(
            f"answered after {outcome.answer_ms} ms; replies after {replies or 'none'}; "
            f"RTP received {rtp.get('rx_packets', 0)} lost {rtp.get('rx_lost', 0)} "
            f"jitter {rtp.get('rx_jitter_ms', 0)} ms\n"
        )
    else:
        hint = "; nothing answers there: is the hotline running?" if outcome.status == REQUEST_TIMEOUT else ""
        sys.stdout.write(f"not answered: {outcome.status} {outcome.reason}{hint}\n")
    if outcome.recording:
        sys.stdout.write(f"recording (left: this phone, right: the far end): {outcome.recording}\n")


def _write(path: Path, said: "array.array[int]", heard: "array.array[int]") -> None:
    import numpy as np  # noqa: PLC0415
    import soundfile  # noqa: PLC0415

    soundfile.write(path, np.column_stack((said, heard)).astype(np.int16), 8000, "PCM_16")


def local_address(uri: str) -> str:
    """This machine's address on the way to the URI's host. Raises DialError for a host that nobody knows."""
    match = re.match(r"<?sip:(?:[^@]*@)?(\[[^\]]+\]|[^:;?>]+)", uri)
    host = match[1].strip("[]") if match else ""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
    except OSError as error:
        raise DialError(f"cannot call {uri}: the host {host!r} is not known") from error
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(address)
        except OSError as error:
            raise DialError(f"cannot call {uri}: no way to {host} ({error.strerror})") from error
        return str(probe.getsockname()[0])
