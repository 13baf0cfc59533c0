"""A phone of the tests, a process of its own: says one tone all the time, keeps what it hears, does as it is told.

Arguments: the tone's frequency, the file for what it hears (int16 at 8 kHz), what it does with a call (answer, ring,
busy, decline, silent). Standard input: one JSON command a line; standard output: one JSON event a line.
"""

import json
import os
import sys
import tempfile
import threading
from pathlib import Path

import pjsua2 as pj

from telephony.audio import tone, write_wav
from telephony.legevents import Answered, Ended, Frame, Held, Incoming, Key, MediaReady, Ringing
from telephony.stack import Stack, StackSettings


class Party:
    def __init__(self, hz: float, heard: Path, manner: str) -> None:
        self.manner = manner
        self.leg = None
        self.heard = heard.open("wb", buffering=0)
        folder = Path(tempfile.mkdtemp(prefix="hotline-party-"))
        self.sound = folder / "tone.wav"
        write_wav(self.sound, tone(hz, 8000, 180_000.0, -20.0), 8000)
        self.stack = Stack(StackSettings(codecs=("PCMA",), user="party"), self.emit)
        self.say(event="ready", port=self.stack.start())

    def say(self, **event: object) -> None:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()

    def emit(self, leg, event) -> None:
        match event:
            case Frame(_, heard8k, _):
                self.heard.write(heard8k)
            case Incoming(caller=caller, called=called, headers=headers):
                self.leg = leg
                self.say(event="incoming", caller=caller, called=called, headers=headers)
                self.take(leg)
            case MediaReady():
                self.stack.post(lambda: self.leg.player.play(1, str(self.sound)))
            case Ringing(status):
                self.say(event="ringing", status=status)
            case Answered():
                self.say(event="answered")
            case Key(key):
                self.say(event="key", key=key)
            case Held(held):
                self.say(event="held", held=held)
            case Ended(status, reason, by_far_end):
                self.say(event="ended", status=status, reason=reason, by_far_end=by_far_end)

    def take(self, leg) -> None:
        match self.manner:
            case "answer":
                self.stack.post(leg.answer)
            case "ring":
                self.stack.post(lambda: leg.answer(180))
            case "busy":
                self.stack.post(lambda: leg.hang_up(486))
            case "decline":
                self.stack.post(lambda: leg.hang_up(603))
            case "early":
                self.stack.post(lambda: leg.answer(183))

    def dial(self, uri: str, headers: dict[str, str]) -> None:
        self.leg = self.stack.dial(uri, lambda event: self.emit(self.leg, event), headers).result(10)

    def do(self, command: dict) -> None:
        leg = self.leg
        match command["do"]:
            case "dial":
                self.dial(command["uri"], command.get("headers", {}))
            case "answer":
                self.stack.post(leg.answer)
            case "keys":
                self.stack.post(lambda: leg.send_keys(command["keys"]))
            case "info":
                self.stack.post(lambda: send_info(leg, command["keys"]))
            case "hold":
                self.stack.post(lambda: leg.setHold(pj.CallOpParam(True)))
            case "unhold":
                parameters = pj.CallOpParam(True)
                parameters.opt.flag = pj.PJSUA_CALL_UNHOLD
                self.stack.post(lambda: leg.reinvite(parameters))
            case "manner":
                self.manner = command["manner"]
            case "hang_up":
                self.stack.post(leg.hang_up)


def send_info(leg, keys: str) -> None:
    parameters = pj.CallSendDtmfParam()
    parameters.method, parameters.digits = pj.PJSUA_DTMF_METHOD_SIP_INFO, keys
    leg.sendDtmf(parameters)


def main() -> None:
    threading.Timer(170, lambda: os._exit(3)).start()
    party = Party(float(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    for line in sys.stdin:
        party.do(json.loads(line))
    party.stack.stop()
    os._exit(0)


main()
