"""Supervisors in a call: who may come in by which token, how they take part, and that it is on record.

A supervisor's own worker brings the voice: it asks this call for a one-time token by the bus, and then makes a SIP leg
straight to this worker whose INVITE bears the token.
"""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import Any

from ivr.acdline import AcdLine
from ivr.bus import CommandRefusedError
from ivr.callparts import CallParts
from ivr.room import Room, Supervisor
from ivr.whohears import Mode
from telephony.leg import Leg
from telephony.legevents import Ended, Key, LegEvent

log = logging.getLogger(__name__)
TOKEN_HEADER = "X-Hotline-Token"  # noqa: S105 - the header's name
TOKEN_LIVES_S = 10.0
_OF_KEY = {"1": Mode.LISTEN, "2": Mode.WHISPER, "3": Mode.INTRUDE}


@dataclass(frozen=True, slots=True)
class Pass:
    """What a token stands for."""

    who: str
    agent: str
    mode: Mode


class Supervision:
    """The supervisors of one call. Event loop only."""

    def __init__(self, parts: CallParts, room: Room, acd: AcdLine) -> None:
        self._parts = parts
        self._room = room
        self._acd = acd
        self._passes: dict[str, Pass] = {}
        self._legs: dict[Leg, str] = {}
        self._count = 0

    def admit(self, data: dict[str, Any]) -> str:
        """Gives a one-time token for `who` to take part by `mode`. Raises CommandRefusedError."""
        try:
            granted = Pass(str(data["who"]), str(data.get("agent", "")), Mode(data["mode"]))
        except (KeyError, ValueError) as error:
            raise CommandRefusedError(
                "supervise.bad", f"who, agent, mode (listen, whisper, intrude): {error}"
            ) from error
        token = secrets.token_urlsafe(24)
        self._passes[token] = granted
        asyncio.get_running_loop().call_later(TOKEN_LIVES_S, self._passes.pop, token, None)
        return token

    def redeem(self, token: str) -> Pass | None:
        """What the token is good for; it is good for nothing afterwards."""
        return self._passes.pop(token, None)

    @property
    def sip_address(self) -> str:
        """Where a supervisor's worker brings the voice."""
        return f"127.0.0.1:{self._parts.stack.port}"

    def take(self, leg: Leg, headers: dict[str, str]) -> bool:
        """An INVITE to this worker: answers it where it bears a token; else it is none of a supervisor's."""
        granted = self.redeem(headers.get(TOKEN_HEADER.lower(), ""))
        if granted is None:
            return False
        self._parts.stack.post(leg.answer)
        self._legs[leg] = self.enter(granted, leg)
        return True

    def enter(self, granted: Pass, party: Any) -> str:  # noqa: ANN401 - a party of the bridge
        """Somebody takes part from now on; returns the name of the place."""
        self._count += 1
        place = f"supervisor-{self._count}"
        self._room.supervisors[place] = Supervisor(granted.who, party, granted.mode)
        self._room.arrange()
        self._tell(granted.who, granted.agent, str(granted.mode))
        return place

    def turn(self, place: str, mode: Mode) -> None:
        """A supervisor takes part in another way."""
        one = self._room.supervisors.get(place)
        if one is not None and one.mode is not mode:
            one.mode = mode
            self._room.arrange()
            self._tell(one.who, "", str(mode))

    def leave(self, place: str) -> None:
        """A supervisor is gone."""
        one = self._room.supervisors.pop(place, None)
        if one is not None:
            self._room.arrange()
            self._tell(one.who, "", "left")

    def on_leg_event(self, leg: Leg, event: LegEvent) -> None:
        """What a supervisor's leg reports: 1, 2, 3 change how the supervisor takes part."""
        place = self._legs.get(leg)
        if place is None:
            return
        match event:
            case Key(key) if key in _OF_KEY:
                self.turn(place, _OF_KEY[key])
            case Ended():
                del self._legs[leg]
                self.leave(place)

    def close(self) -> None:
        """The call is over."""
        for leg in self._legs:
            self._parts.stack.post(leg.hang_up)
        for place in list(self._room.supervisors):
            self.leave(place)

    def _tell(self, who: str, agent: str, what: str) -> None:
        self._parts.note("supervised", "agent", who=who, what=what)
        self._acd.tell("audit", who=who, what=what, agent=agent)
