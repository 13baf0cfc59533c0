"""What a caller says and when: turns that wait for prompts, or sound on a loop. Pure: time comes in, packets go out.

Times are Unix seconds; `next` is asked every 20 ms for what to send, `heard` is told of every packet that came.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from bench import alaw
from bench.alaw import PACKET_SAMPLES
from bench.rtp import KeyEvent, key_events

PROMPT_OVER_S = 0.7  # a prompt that has been quiet for so long is over
PAUSE_S = 0.3  # a stopped prompt is quiet for so long before the answer to the interruption
NO_PROMPT_S = 20.0
NO_REPLY_S = 8.0
_NOISE_SEED = 711
_NOISE_RMS = 12.0  # about -69 dBFS: a quiet line, never digital silence


class Kind(StrEnum):
    """SAY and KEY after a prompt, BARGE: speech over a prompt."""

    SAY = "say"
    KEY = "key"
    BARGE = "barge"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the caller's: A-law `sound`, or a `key`. A barge begins `into_s` after the prompt did."""

    kind: Kind
    label: str
    sound: bytes = b""
    key: str = ""
    into_s: float = 0.0


@dataclass(slots=True)
class Mark:
    """What was measured of a turn, None where it did not happen.

    `began` and `ended`: the first and the last packet of speech or of the key were sent. `reply`: the first loud packet
    after the caller's last one, for a key after its first. `prompt_ended`: the last loud packet of the prompt that a
    barge interrupted. `answered_early`: a prompt was heard while the caller still spoke.
    """

    kind: Kind
    label: str
    began: float = 0.0
    ended: float = 0.0
    reply: float | None = None
    prompt_ended: float | None = None
    answered_early: bool = False


class Talker(Protocol):
    """The caller's side of a conversation."""

    def next(self, now: float) -> bytes | KeyEvent:
        """The next 20 ms to send."""
        ...

    def heard(self, loud: bool, arrived_at: float) -> None:
        """A packet came."""
        ...

    @property
    def done(self) -> bool:
        """True once there is nothing more to say."""
        ...


def quiet_line(seconds: float = 1.0) -> bytes:
    """A-law of the faint noise between words."""
    samples = np.random.default_rng(_NOISE_SEED).normal(0.0, _NOISE_RMS, int(seconds * alaw.RATE_HZ))
    return alaw.encode(samples.astype(np.int16))


_QUIET = quiet_line()


class _Line:
    """The faint noise, 20 ms at a time."""

    def __init__(self) -> None:
        self._place = 0

    def next(self) -> bytes:
        piece = _QUIET[self._place : self._place + PACKET_SAMPLES]
        self._place = (self._place + PACKET_SAMPLES) % len(_QUIET)
        return piece


class Loop:
    """Sound again and again for `for_s` seconds, whatever the hotline says; starts `offset_s` into it."""

    def __init__(self, sound: bytes, offset_s: float = 0.0, for_s: float = float("inf")) -> None:
        self._left = for_s * 50
        self._sound = sound[: len(sound) // PACKET_SAMPLES * PACKET_SAMPLES]
        self._place = int(offset_s * 50) * PACKET_SAMPLES % len(self._sound)
        self.loud_heard = 0

    @property
    def done(self) -> bool:
        """True once the time is over."""
        return self._left <= 0

    def next(self, now: float) -> bytes:  # noqa: ARG002 - a loop knows no time
        """See `Talker`."""
        self._left -= 1
        piece = self._sound[self._place : self._place + PACKET_SAMPLES]
        self._place = (self._place + PACKET_SAMPLES) % len(self._sound)
        return piece

    def heard(self, loud: bool, arrived_at: float) -> None:  # noqa: ARG002
        """Counts how many packets had a prompt in them."""
        self.loud_heard += loud


class _Phase(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    LISTENING = "listening"
    DONE = "done"


class Script:
    """Turn after turn; `marks` has those that were made. Ends early when the hotline falls silent for good."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.marks: list[Mark] = []
        self._turns = deque(turns)
        self._line = _Line()
        self._packets: deque[bytes | KeyEvent] = deque()
        self._prompt_began: float | None = None
        self._last_loud = 0.0
        self._deadline: float | None = None
        self._phase = _Phase.WAITING if turns else _Phase.DONE

    @property
    def done(self) -> bool:
        """True after the reply to the last turn."""
        return self._phase is _Phase.DONE

    def next(self, now: float) -> bytes | KeyEvent:
        """See `Talker`."""
        if self._phase is _Phase.WAITING and self._is_time(now):
            self._begin(now)
        elif self._phase is not _Phase.SENDING and self._is_too_late(now):
            self._go_on(now)
        if self._phase is not _Phase.SENDING:
            return self._line.next()
        self.marks[-1].ended = now
        packet = self._packets.popleft()
        if not self._packets:
            self._said_it()
        return packet

    def heard(self, loud: bool, arrived_at: float) -> None:
        """See `Talker`."""
        if not loud:
            return
        paused = arrived_at - self._last_loud > PAUSE_S
        self._last_loud = arrived_at
        if self._phase is _Phase.WAITING:
            self._prompt_began = self._prompt_began or arrived_at
        elif self._phase is not _Phase.DONE:
            self._hear_reply(self.marks[-1], arrived_at, paused)

    def _is_time(self, now: float) -> bool:
        if self._prompt_began is None:
            return False
        if self._turns[0].kind is Kind.BARGE:
            return now - self._prompt_began >= self._turns[0].into_s
        return now - self._last_loud >= PROMPT_OVER_S

    def _is_too_late(self, now: float) -> bool:
        if self._deadline is None:
            self._deadline = now + (NO_PROMPT_S if self._phase is _Phase.WAITING else NO_REPLY_S)
        return now > self._deadline

    def _begin(self, now: float) -> None:
        turn = self._turns.popleft()
        self.marks.append(Mark(turn.kind, turn.label, began=now))
        self._packets.extend(key_events(turn.key) if turn.key else packets(turn.sound))
        self._phase = _Phase.SENDING

    def _said_it(self) -> None:
        """The caller has finished; a key's reply may have come while its packets were still going out."""
        self._deadline = None
        self._phase = _Phase.LISTENING
        if self.marks[-1].reply is not None:
            self._take_turn(self.marks[-1].reply)

    def _hear_reply(self, mark: Mark, at: float, paused: bool) -> None:
        if mark.kind is Kind.BARGE and not paused:
            mark.prompt_ended = at
        elif self._phase is _Phase.LISTENING:
            mark.reply = at
            self._take_turn(at)
        elif mark.kind is Kind.KEY:
            mark.reply = mark.reply or at
        else:
            mark.answered_early = True

    def _go_on(self, now: float) -> None:
        """Nothing was heard for too long: without a prompt the script ends, without a reply its next turn comes."""
        if self._phase is _Phase.WAITING:
            self._phase = _Phase.DONE
        elif self._phase is _Phase.LISTENING:
            self._last_loud = now
            self._take_turn(now)

    def _take_turn(self, prompt_began: float) -> None:
        self._prompt_began = prompt_began
        self._deadline = None
        self._phase = _Phase.WAITING if self._turns else _Phase.DONE


def packets(sound: bytes) -> list[bytes]:
    """The sound in whole packets, from the first to the last that is loud: what is timed begins and ends with them."""
    whole = len(sound) // PACKET_SAMPLES * PACKET_SAMPLES
    pieces = [sound[place : place + PACKET_SAMPLES] for place in range(0, whole, PACKET_SAMPLES)]
    loud = [number for number, piece in enumerate(pieces) if alaw.is_loud(piece)]
    return pieces[loud[0] : loud[-1] + 1] if loud else []
