"""Workers' calls without flow, door and bus, each a process of its own: the tests ask for people and play control.

Standard input: {"ask": kind, "arguments": {...}}, {"command": {...}} (control's, to the call), {"answer": {...}} (what
control answers from now on, by command; {"refuse": code}; null: nothing). Standard output: what the flow is told, what
control is asked, and what the archive is given.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from flows.actions import AudioFile, Request
from flows.events import QueueNews, Replied
from ivr.bus import BusError, CommandRefusedError
from ivr.callparts import CallParts
from ivr.clock import SampleClock
from ivr.handover import into_loop
from ivr.people import People
from ivr.prompts import PromptFiles
from ivr.tracks import Tracks
from recordings.bundle import Bundle
from recordings.termination import Termination
from telephony.audio import tone, write_wav
from telephony.legevents import Ended, Frame, Incoming, MediaReady, Played, Referred
from telephony.stack import Stack, StackSettings

MUSIC_HZ = 2000
RTP_TIMEOUT_S = 3.0
CALL_ID = "20261121-101112-aaaaaa"


NUMBERS: dict[str, str] = {}


class DoorlessParts(CallParts):
    """Knows some numbers itself."""

    def uri_of(self, target: str) -> str:
        return NUMBERS.get(target) or super().uri_of(target)


def say(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class FakeLine:
    """Control and the bus."""

    name = "w1"

    def __init__(self) -> None:
        self.answers: dict = {
            "join": {"position": 1, "expected_wait_s": 20.0},
            "renew": {"position": 1},
            "agent_call": {"refuse": "agent.unknown"},
        }
        self.servers: dict = {}

    async def request(self, target: str, data: dict, timeout_s: float = 5.0) -> dict:
        say(asked=data)
        answer = self.answers.get(data["command"], {})
        if answer is None:
            await asyncio.sleep(timeout_s)
            raise BusError("bus.timeout", "nobody")
        if "refuse" in answer:
            raise BusError(answer["refuse"], "no")
        return answer

    def serve(self, target: str, server) -> None:
        self.servers[target] = server

    def listen(self, *_: object) -> None: ...


class Host:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "audio").mkdir()
        write_wav(folder / "audio/music.wav", tone(MUSIC_HZ, 8000, 30_000.0, -20.0), 8000)
        write_wav(folder / "refused.wav", tone(3000, 8000, 300.0, -20.0), 8000)
        self.line = FakeLine()
        self.people: People | None = None
        self.number = 0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self.done = asyncio.Event()
        self.bundle = Bundle.create(self.folder / "recordings", CALL_ID, {})
        self.stack = Stack(StackSettings(codecs=("PCMA",)), into_loop(loop, self.emit))
        say(event="ready", port=self.stack.start())
        threading.Thread(target=self.read, args=(loop,), daemon=True).start()
        await self.done.wait()
        if self.people:
            await self.people.close()
        self.bundle.close(Termination.COMPLETED, "caller")
        say(event="closed", path=str(self.folder / "recordings" / "closed" / CALL_ID))

    def read(self, loop: asyncio.AbstractEventLoop) -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(self.told, json.loads(line))

    def told(self, what: dict) -> None:
        match what:
            case {"ask": kind, "arguments": arguments}:
                self.number += 1
                if "whisper" in arguments:
                    arguments["whisper"] = tuple(AudioFile(path) for path in arguments["whisper"])
                assert self.people
                assert self.people.ask(Request(self.number, kind, arguments))
            case {"command": command}:
                asyncio.get_running_loop().create_task(self.command(command))
            case {"numbers": numbers}:
                NUMBERS.update(numbers)
            case {"answer": answers}:
                self.line.answers |= answers

    async def command(self, command: dict) -> None:
        try:
            say(command=command["command"], answer=await self.line.servers[f"call/{CALL_ID}"](command))
        except CommandRefusedError as error:
            say(command=command["command"], refused=error.code)

    def emit(self, leg, event) -> None:
        match event:
            case Incoming() if self.people is None:
                self.incoming = event
                self.leg = leg
                self.stack.post(leg.answer)
            case Incoming():
                if not self.people.take_supervisor(leg, event.headers):
                    self.stack.post(lambda: leg.hang_up(486))
            case _ if self.people and leg is not self.leg:
                self.people.on_supervisor(leg, event)
            case MediaReady() if leg is self.leg and self.people is None:
                self.begin()
            case Frame() if leg is self.leg:
                self.clock.advance(event.sample + 480)
                self.tracks.write(event)
            case Played(token) if self.people and leg is self.leg:
                self.people.on_played(token)
            case Referred() if self.people:
                self.people.on_referred(event)
            case Ended() if leg is self.leg:
                if self.people:
                    self.people.hung_up()
                self.done.set()

    def begin(self) -> None:
        self.clock, self.tracks = SampleClock(), Tracks(self.bundle)
        refused = self.folder / "refused.wav"
        files = PromptFiles(self.folder, lambda _seconds: refused, lambda: refused)
        music = self.folder / "audio/music.wav"
        parts = DoorlessParts(
            CALL_ID, self.incoming.caller, self.incoming.called, self.incoming.source, self.stack,
            lambda: None, files, lambda: music, lambda _name: refused, self.tracks, self.clock, self.record,
            self.folder, RTP_TIMEOUT_S,
        )  # fmt: skip
        self.people = People(parts, self.leg, self.line, self.tell, lambda reason: self.stack.post(self.leg.hang_up))
        say(event="up")

    def record(self, kind: str, sample: int | None, leg: str | None, data: dict) -> None:
        say(kind=kind, leg=leg, **data)
        self.bundle.event(kind, sample, leg, data)

    def tell(self, event) -> None:
        match event:
            case QueueNews():
                say(news=str(event.news), data=event.data)
            case Replied():
                say(replied=event.ok, **event.result)
            case _:
                say(told=asdict(event))


def main() -> None:
    """Has everything imported and forks a host for each connection, which becomes its standard input and output; the
    first line names its folder.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(sys.argv[1])
        listening.listen()
        say(event="ready")
        while True:
            line, _ = listening.accept()
            if os.fork() == 0:
                os.dup2(line.fileno(), 0)
                os.dup2(line.fileno(), 1)
                threading.Timer(170, lambda: os._exit(3)).start()
                asyncio.run(Host(Path(sys.stdin.readline().strip())).run())
                os._exit(0)
            line.close()


main()
