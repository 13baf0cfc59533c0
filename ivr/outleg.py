"""A leg that the hotline itself dials: it rings, is answered or not, is told something, talks, and ends."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from flows.actions import AudioFile, BargeIn, Play, Silence, Text
from ivr.callparts import CallParts
from ivr.handover import into_loop
from ivr.playback import LegPlayback
from ivr.prompts import Prompts
from telephony.leg import Leg
from telephony.legevents import (
    Answered,
    Ended,
    Frame,
    Held,
    Key,
    LegEvent,
    MediaReady,
    Played,
    PlayFailed,
    Ringing,
)

log = logging.getLogger(__name__)
RTP_CHECK_S = 1.0
KEY_PAUSE_S = 1.0  # what a comma in keys to be sent means
KEY_S = 0.26  # pjsua sends a key for 160 ms and pauses for 50
_BUSY = frozenset((486, 600))
_DECLINED = frozenset((603, 403))
_NO_ANSWER = frozenset((408, 480, 487))

Piece = Text | AudioFile | Silence


class Outcome(StrEnum):
    """What came of ringing somebody."""

    ANSWERED = "answered"
    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"


class OutLeg:
    """One outgoing leg. Event loop only. `on_key`, `on_held`, `on_ended` and `on_frame` may be set once it is made.

    `shown` is who seems to call, the caller unless given; with a `track` what is said goes into that recording.
    """

    def __init__(
        self,
        parts: CallParts,
        target: str,
        headers: Mapping[str, str],
        track: str = "",
        shown: str | None = None,
    ) -> None:
        self.target = target
        self.on_frame: Callable[[Frame], None] = lambda frame: parts.tracks.write_party(track, frame) if track else None
        self._shown = parts.caller if shown is None else shown
        self.status = 0
        self.codec = ""
        self.leg: Leg | None = None
        self.on_key: Callable[[str], None] = lambda _key: None
        self.on_held: Callable[[bool], None] = lambda _held: None
        self.on_ended: Callable[[], None] = lambda: None
        self.on_ringing: Callable[[], None] = lambda: None
        self.on_played: Callable[[int], None] = lambda _token: None
        self._parts = parts
        self._headers = headers
        self._cancelled = False
        self._answered = False
        self._held = False
        self._news = asyncio.Event()
        self._prompts: Prompts | None = None
        self.ended = False

    async def ring(self, timeout_s: float) -> Outcome:
        """Dials and waits for the answer."""
        loop, parts = asyncio.get_running_loop(), self._parts
        shown = self._shown
        name, user = (f'"{_quoted(shown)}" ', _user(shown)) if shown else ("", parts.stack.settings.user)
        caller = f"{name}<sip:{user}@{parts.home}>"
        dialled = parts.stack.dial(parts.uri_of(self.target), into_loop(loop, self._on_event), self._headers, caller)
        # Not awaited: a leg whose ringing nobody waits for any more must be hung up all the same.
        dialled.add_done_callback(into_loop(loop, self._on_dialled))
        timed_out = False
        try:
            async with asyncio.timeout(timeout_s):
                await self._until(lambda: self._answered or self.ended or self._cancelled)
        except TimeoutError:
            timed_out = True
        if self._answered and not self._cancelled:
            return Outcome.ANSWERED
        cancelled = self._cancelled
        self.cancel()
        if cancelled:
            return Outcome.CANCELLED
        return Outcome.NO_ANSWER if timed_out else _outcome(self.status)

    def cancel(self) -> None:
        """Nobody needs the answer any more: `ring` returns CANCELLED."""
        self._cancelled = True
        self._news.set()
        self.hang_up()

    def hang_up(self) -> None:
        """Ends the leg, whatever it does."""
        if self.leg is not None and not self.ended:
            self._parts.stack.post(self.leg.hang_up)

    async def gone(self) -> None:
        """Waits for the end of the leg."""
        await self._until(lambda: self.ended)

    async def tell(self, pieces: tuple[Piece, ...], language: str, voice: str) -> None:
        """Plays a prompt that this leg alone hears; returns when it was played, failed, or the leg has ended."""
        if not pieces or self.leg is None:
            return
        played: list[str] = []

        def over(_play: Play, how: str, _reason: str) -> None:
            played.append(how)
            self._news.set()

        playback = LegPlayback(self._parts.stack, self.leg)
        self._prompts = prompts = Prompts(self._parts.speech(), playback, self._parts.files, lambda _play: None, over)
        making = asyncio.create_task(prompts.run(), name="whisper")
        try:
            prompts.play(Play(1, pieces, language, voice, BargeIn.NO, "whisper"))
            await self._until(lambda: self.ended or bool(played))
        finally:
            making.cancel()
            prompts.stop()
            self._prompts = None

    async def send_keys(self, keys: str) -> None:
        """Sends keys as RTP events, a comma being a pause of one second; returns when they were sent."""
        for part in keys.replace(",", " , ").split():
            if self.ended or self.leg is None:
                return
            if part == ",":
                await asyncio.sleep(KEY_PAUSE_S)
            else:
                self._parts.stack.post(partial(self.leg.send_keys, part))
                await asyncio.sleep(KEY_S * len(part))

    def play_tone(self, name: str) -> None:
        """Plays a call-progress tone to this leg alone, once."""
        if self.leg is not None and not self.ended:
            with suppress(OSError):
                LegPlayback(self._parts.stack, self.leg).play(0, str(self._parts.tone(name)))

    def stop_tones(self) -> None:
        """Silences what is played to this leg."""
        if self.leg is not None and not self.ended:
            LegPlayback(self._parts.stack, self.leg).stop()

    def _on_dialled(self, dialled: "Future[Leg]") -> None:
        if (error := dialled.exception()) is not None:
            log.warning("%s", error)
            self.ended = True
        else:
            self.leg = dialled.result()
            if self._cancelled:
                self.hang_up()
        self._news.set()

    def _on_event(self, event: LegEvent) -> None:
        match event:
            case Frame():
                if self._answered and not self.ended:
                    self.on_frame(event)
            case Ringing():
                self.on_ringing()
            case MediaReady(codec):
                self.codec = codec
            case Answered():
                self._answered = True
                self._watch_rtp(-1, asyncio.get_running_loop().time())
            case Key(key):
                self.on_key(key)
            case Held(held):
                self._held = held
                self.on_held(held)
            case Played(token) if self._prompts is not None:
                self._prompts.played(token)
            case Played(token):
                self.on_played(token)
            case PlayFailed(token, reason) if self._prompts is not None:
                self._prompts.play_failed(token, reason)
            case Ended(status):
                self.ended, self.status = True, status
                self.on_ended()
        self._news.set()

    def _watch_rtp(self, packets: int, since: float) -> None:
        """Hangs up on a phone that has vanished: no RTP packet for `rtp_timeout_s`, hold excepted."""
        if self.ended or self.leg is None:
            return
        loop = asyncio.get_running_loop()
        received = self.leg.rtp.get("rx_packets", 0)
        if received != packets or self._held:
            packets, since = received, loop.time()
        elif loop.time() - since > self._parts.rtp_timeout_s:
            log.warning("%s sends nothing any more: hung up", self.target)
            self.hang_up()
            return
        self._parts.stack.post(self.leg.read_rtp)
        loop.call_later(RTP_CHECK_S, self._watch_rtp, packets, since)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._news.clear()
            await self._news.wait()


class Dial(Protocol):
    """Makes a leg to an agent, a number or a SIP URI; with the name of a `track` what it says is recorded."""

    def __call__(self, target: str, headers: Mapping[str, str], track: str) -> OutLeg: ...


def headers_of(parts: CallParts, more: Mapping[str, Any]) -> dict[str, str]:
    """The context that an agent's phone may show or hand to a screen: `X-Hotline-...`, one line each."""
    values = {"Call": parts.call_id, "Caller": parts.caller, "Called": parts.called, **more}
    return {f"X-Hotline-{name}": _one_line(value) for name, value in values.items() if value not in (None, "")}


def _one_line(value: object) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in str(value))[:200]


def _quoted(name: str) -> str:
    return _one_line(name).replace("\\", "").replace('"', "")


def _user(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "+-_.")) or "caller"


def _outcome(status: int) -> Outcome:
    if status in _BUSY:
        return Outcome.BUSY
    if status in _DECLINED:
        return Outcome.DECLINED
    return Outcome.NO_ANSWER if status in _NO_ANSWER else Outcome.UNREACHABLE
