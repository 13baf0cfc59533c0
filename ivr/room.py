"""Who is in a call with people, at which stage it is, and so who hears whom; the caller's music on hold."""

import logging
from dataclasses import dataclass

from ivr.callparts import CallParts
from ivr.playback import LegPlayback
from ivr.whohears import AGENT, CALLER, CONSULTED, Mode, Stage, Supervising, hearing, music_for_caller
from telephony.bridge import Party
from telephony.leg import Leg

log = logging.getLogger(__name__)
MUSIC_TOKEN = -2  # prompts count up from 1, the beep is -1


@dataclass(slots=True)
class Supervisor:
    """A supervisor's ear, and mouth, in the call."""

    who: str
    party: Party
    mode: Mode


class Room:
    """One call's. Event loop only; what is arranged takes effect at the bridge's next tick."""

    def __init__(self, parts: CallParts, caller: Leg) -> None:
        self._parts = parts
        self._parties: dict[str, Party] = {CALLER: caller}
        self._playback = LegPlayback(parts.stack, caller)
        self._music = False
        self.stage = Stage.ALONE
        self.supervisors: dict[str, Supervisor] = {}

    def seat(self, name: str, party: Party | None) -> None:
        """Gives the place AGENT or CONSULTED to somebody, or to nobody."""
        if party is None:
            self._parties.pop(name, None)
        else:
            self._parties[name] = party

    def enter(self, stage: Stage, *, music: bool | None = None) -> None:
        """Goes on to a stage. `music` says whether the caller hears music, where the stage does not say it."""
        self.stage = stage
        self.arrange()
        self._play_music(music_for_caller(stage) if music is None else music)

    def arrange(self) -> None:
        """Has those hear each other who shall."""
        who = dict(self._parties)
        for name, supervisor in self.supervisors.items():
            who[name] = supervisor.party
        supervising = [Supervising(name, one.mode) for name, one in self.supervisors.items()]
        pairs = [
            (who[speaker], who[hearer])
            for speaker, hearer in hearing(self.stage, supervising)
            if speaker in who and hearer in who
        ]
        stack = self._parts.stack
        stack.post(lambda: stack.bridge.connect(pairs))

    def empty(self) -> None:
        """The people are gone: the caller is the flow's again."""
        self.seat(AGENT, None)
        self.seat(CONSULTED, None)
        self.enter(Stage.ALONE)

    def played(self, token: int) -> None:
        """A file was played out to the caller: music begins anew."""
        if token == MUSIC_TOKEN and self._music:
            self._start_music()

    def _play_music(self, wanted: bool) -> None:
        if wanted == self._music:
            return
        self._music = wanted
        self._playback.stop()
        if wanted:
            self._start_music()

    def _start_music(self) -> None:
        try:
            self._playback.play(MUSIC_TOKEN, str(self._parts.music()))
        except OSError as error:
            log.error("no music on hold: %s", error)
