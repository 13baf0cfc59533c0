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

from telephony import stack as stack_module
from telephony.audio import tone, write_wav
from telephony.leg import Leg
from telephony.legevents import Answered, Ended, Frame, Held, Incoming, Key, MediaReady, Ringing
from telephony.stack import Stack, StackSettings


class Registered(stack_module._Account):
    """The account of a phone that has registered."""

    def __init__(self, party: "Party") -> None:
        super().__init__(party.stack)
        self.party = party

    def onRegState(self, parameters) -> None:
        self.party.say(event="registered", status=int(parameters.code))


class PhoneLeg(Leg):
    """A leg that does what phones do: takes a REFER where it is told so, and an INVITE with Replaces."""

    party: "Party"

    def onCallTransferRequest(self, parameters) -> None:
        if self.party.refer == "take":
            parameters.statusCode = 202
            parameters.newCall = self.party.new_leg()
        else:
            super().onCallTransferRequest(parameters)

    def onCallReplaced(self, parameters) -> None:
        parameters.newCall = self.party.new_leg(parameters.newCallId)


class Party:
    def __init__(self, hz: float, heard: Path, manner: str) -> None:
        self.manner = manner
        self.refer = "refuse"
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

    def new_leg(self, call_id: int = pj.PJSUA_INVALID_ID) -> Leg:
        """A leg that takes the place of the present one."""
        made: list[Leg] = []
        made.append(PhoneLeg(self.stack, lambda event: self.emit(made[0], event), call_id))
        self.stack._legs.append(made[0])
        self.leg = made[0]
        return made[0]

    def emit(self, leg, event) -> None:
        if isinstance(event, Incoming):
            self.incoming(leg, event)
            return
        if leg is not self.leg:
            return
        match event:
            case Frame(_, heard8k, _):
                self.heard.write(heard8k)
            case MediaReady():
                self.stack.post(lambda: leg.player.play(1, str(self.sound)))
            case Ringing(status):
                self.say(event="ringing", status=status)
            case Answered():
                self.say(event="answered")
            case Key(key):
                self.say(event="key", key=key)
            case Held(held):
                self.say(event="held", held=held)
            case Ended(status, reason, by_far_end):
                self.leg = None
                self.say(event="ended", status=status, reason=reason, by_far_end=by_far_end)

    def incoming(self, leg, event: Incoming) -> None:
        if self.leg is not None:
            self.stack.post(lambda: leg.hang_up(486))
            return
        self.leg = leg
        self.say(event="incoming", caller=event.caller, called=event.called, headers=event.headers)
        self.take(leg)

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
        dialled = threading.Event()

        def emit(event) -> None:
            dialled.wait(10)
            self.emit(future.result(), event)

        future = self.stack.dial(uri, emit, headers)
        self.leg = future.result(10)
        dialled.set()

    def register(self, address: str, user: str, password: str) -> None:
        account = pj.AccountConfig()
        account.idUri = f"sip:{user}@{address}"
        account.regConfig.registrarUri = f"sip:{address}"
        account.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
        account.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
        self.stack.account = Registered(self)
        self.stack.account.create(account)

    def do(self, command: dict) -> None:
        leg = self.leg
        match command["do"]:
            case "dial":
                self.dial(command["uri"], command.get("headers", {}))
            case "register":
                self.stack.post(lambda: self.register(command["address"], command["user"], command["password"]))
            case "answer":
                self.stack.post(leg.answer)
            case "keys":
                self.stack.post(lambda: leg.send_keys(command["keys"]))
            case "info":
                self.stack.post(lambda: send_info(leg, command["keys"]))
            case "refer":
                self.refer = command["refer"]
            case "hold":
                self.stack.post(lambda: leg.setHold(pj.CallOpParam(True)))
            case "unhold":
                parameters = pj.CallOpParam(True)
                parameters.opt.flag = pj.PJSUA_CALL_UNHOLD
                self.stack.post(lambda: leg.reinvite(parameters))
            case "manner":
                self.manner = command["manner"]
            case "hang_up":
                for one in list(self.stack._legs):
                    self.stack.post(one.hang_up)
            case "ready":
                self.say(event="ready again", talks=self.leg is not None)


def send_info(leg, keys: str) -> None:
    parameters = pj.CallSendDtmfParam()
    parameters.method, parameters.digits = pj.PJSUA_DTMF_METHOD_SIP_INFO, keys
    leg.sendDtmf(parameters)


def main() -> None:
    threading.Timer(600, lambda: os._exit(3)).start()
    stack_module.Leg = PhoneLeg
    PhoneLeg.party = party = Party(float(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    for line in sys.stdin:
        party.do(json.loads(line))
    party.stack.stop()
    os._exit(0)


main()
