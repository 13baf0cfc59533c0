"""One caller's conversation: frames and keys in, flow steps, prompts out. Knows neither bus nor store.

Everything here runs on the event loop, one call at a time a process. Barge-in has no await on its way: a frame's voice
activity, the flow's decision and the player's stop happen in one call of `on_frame`.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from asr.listener import Listener, ListenerEvent, VoiceEnded, VoiceStarted
from flows import actions, events
from flows.run import masked
from flows.session import Session
from ivr.clock import SampleClock
from ivr.hearing import archived, flow_event, timeouts_of, turn_of, wanted
from ivr.outside import BEEP_TOKEN, Outside
from ivr.playtime import PlayTime
from ivr.prompts import Playback, PromptFiles, Prompts, Speech
from ivr.timers import Timers
from ivr.tracks import Tracks
from ivr.waterfall import Turn, Waterfall
from telephony.legevents import Frame, KeyMethod

log = logging.getLogger(__name__)


_CAUSES = {
    events.KeyPressed: "key",
    events.SpeechPartial: "barge_in",
    events.SpeechEnded: "barge_in",
    events.SpeechTooLong: "barge_in",
}


_ANSWERS = (events.KeyPressed, events.SpeechEnded, events.SpeechTooLong)
ListenerFor = Callable[[str, Callable[[ListenerEvent], None]], Listener]


class Record(Protocol):
    """The call's archive: one event on the sample clock."""

    def __call__(self, kind: str, sample: int | None, leg: str | None, data: dict[str, Any]) -> object: ...


class Conversation:
    """Joins the flow engine, hearing and speaking for one call. `hang_up(reason)` ends the leg; `ask_people(request)`
    is given each request first and says whether it was one for people.
    """

    def __init__(
        self,
        session: Session,
        listener_for: ListenerFor,
        speech: Speech,
        playback: Playback,
        files: PromptFiles,
        record: Record,
        tracks: Tracks,
        send_keys: Callable[[str], None],
        hang_up: Callable[[str], None],
        ask_people: Callable[[actions.Request], bool] = lambda _request: False,
    ) -> None:
        self._session = session
        self._playback = playback
        self._record = record
        self._hang_up = hang_up
        self._ask_people = ask_people
        self.clock = SampleClock()
        self._waterfall = Waterfall()
        self._play_time = PlayTime()
        self._timers = Timers(lambda name: self.tell(events.TimerFired(name)))
        self._prompts = Prompts(speech, playback, files, self._prompt_began, self._prompt_ended)
        self._listener_for = listener_for
        self._language = session.language
        self._listener = listener_for(self._language, self.on_heard)
        self._tracks = tracks
        self._outside = Outside(tracks, self.tell, lambda: playback.play(BEEP_TOKEN, str(files.beep())), send_keys)
        self._leaving: str | None = None
        self._cause = ""
        self._over = False

    async def run(self) -> None:
        """What must run beside the event handlers until the call is over."""
        await self._prompts.run()

    def tell(self, event: events.Event) -> None:
        """Gives the flow one event and carries out what it answers."""
        if self._over:
            return
        self._cause = _CAUSES.get(type(event), "stopped")
        asked = self._session.handle(event, time.time())
        for action in asked:
            self._carry_out(action)
        if isinstance(event, _ANSWERS) and not any(isinstance(action, actions.Request) for action in asked):
            self._waterfall.unanswered()

    # What the leg reports.

    def on_frame(self, frame: Frame) -> None:
        """60 ms of both directions."""
        self.clock.advance(frame.sample + len(frame.heard8k) // 2)
        self._tracks.write(frame)
        self._outside.frame(frame.sample, frame.heard8k)
        self._listener.feed(frame.heard8k, frame.sample)
        if turn := self._waterfall.heard(frame.sample, frame.played8k):
            self._record("turn", turn.prompt_sample, None, turn.as_event())

    def on_key(self, key: str, method: KeyMethod) -> None:
        """A key of the caller's."""
        now = self.clock.now
        shown = "*" if self._session.is_key_secret or self._tracks.paused else key
        self._record("key", now, "caller", {"key": shown, "method": str(method)})
        if self._outside.key(key):
            return
        self._waterfall.answered(Turn(f"key {shown}", now, now, now))
        self.tell(events.KeyPressed(key))

    def on_held(self, held: bool) -> None:
        """The caller put the call on hold, or came back: timers wait meanwhile, as the leg's player does by itself."""
        self._record("held" if held else "resumed", self.clock.now, "caller", {})
        if held:
            self._timers.freeze()
        else:
            self._timers.thaw()

    def on_playing(self, token: int) -> None:
        """A file of a prompt went onto the bridge."""
        self._waterfall.playing(self.clock.now)
        self._prompts.started(token)

    def on_played(self, token: int) -> None:
        """A file of a prompt, or the beep, was played out."""
        if token == BEEP_TOKEN:
            self._outside.beeped(self.clock.now)
        self._prompts.played(token)

    def on_play_failed(self, token: int, reason: str) -> None:
        """A file of a prompt, or the beep, could not be played."""
        if token == BEEP_TOKEN:
            self._outside.not_beeped()
        self._prompts.play_failed(token, reason)

    def on_hung_up(self, by: str) -> None:
        """The leg is gone: the flow's last word, then nothing more."""
        if (left := self._outside.left_message()) is not None:
            self.tell(left)
        self.tell(events.HungUp(by))
        if missed := self._listener.dropped_samples:
            detail = f"the recogniser was too slow and missed {missed / 8000:.1f} s of the caller"
            self._record("error", self.clock.now, "caller", {"code": "asr.overrun", "detail": detail})
        self._over = True
        self._timers.cancel_running()
        self._outside.close()
        self._listener.close()
        for play in self._prompts.stop():
            self._prompt_over(play, "hangup")

    # What hearing reports.

    def on_heard(self, heard: ListenerEvent) -> None:
        """An event of the listener's."""
        match heard:
            case VoiceStarted(edge):
                self._outside.voice(edge, speaking=True)
            case VoiceEnded(edge):
                self._outside.voice(edge, speaking=False)
        secret, now = self._session.is_secret or self._tracks.paused, self.clock.now
        for kind, sample, data in archived(heard, self._session.step, secret=secret):
            self._record(kind, now if sample is None else sample, "caller", data)
        if (turn := turn_of(heard, now, secret=secret)) is not None:
            self._waterfall.answered(turn)
        if (event := flow_event(heard)) is not None:
            self.tell(event)

    # What the flow asks for.

    def _carry_out(self, action: actions.Action) -> None:
        match action:
            case actions.Play():
                self._waterfall.stepped(self.clock.now, action.step)
                self._prompts.play(action)
            case actions.PausePrompt():
                self._prompts.pause()
                self._play_time.paused(self.clock.now)
            case actions.ResumePrompt():
                self._prompts.resume()
                self._play_time.resumed(self.clock.now)
            case actions.StopPrompts():
                for play in self._prompts.stop():
                    self._prompt_over(play, self._cause)
            case actions.Listen(expect):
                self._hear_in(expect.language)
                self._listener.listen(wanted(expect), timeouts_of(expect))
            case actions.StopListening():
                self._listener.stop()
            case actions.StartTimer(timer, seconds):
                self._timers.start(timer, seconds)
            case actions.CancelTimer(timer):
                self._timers.cancel(timer)
            case actions.Note(kind, data):
                self._record(kind, self.clock.now, None, _hidden(data) if self._tracks.paused else data)
            case actions.Request():
                if not self._ask_people(action):
                    self._outside.ask(action)
            case actions.HangUp(reason):
                self._leave(reason)

    def _hear_in(self, language: str) -> None:
        """Takes the recogniser of a language that the flow has switched to."""
        if language != self._language:
            self._language = language
            self._listener.close()
            self._listener = self._listener_for(language, self.on_heard)
            if not self._listener.can_hear:
                failed = events.RecogniserFailed(f"there is no recogniser for {language}")
                asyncio.get_running_loop().call_soon(self.tell, failed)  # after what the flow has asked for by now

    def _leave(self, reason: str) -> None:
        self._leaving = reason
        if self._prompts.playing is None:
            self._hang_up(reason)

    def _prompt_began(self, play: actions.Play) -> None:
        self._play_time.began(play.prompt, self.clock.now)
        said = " ".join(piece.text for piece in play.pieces if isinstance(piece, actions.Text))
        text = "***" if play.secret else said
        files = [piece.path for piece in play.pieces if isinstance(piece, actions.AudioFile)]
        data = {"prompt": play.prompt, "step": play.step, "text": text, "file": ", ".join(files)}
        self._record("prompt.started", self.clock.now, "hotline", data)

    def _prompt_ended(self, play: actions.Play, how: str, reason: str) -> None:
        self._prompt_over(play, how)
        if how == "failed":
            self._record("error", self.clock.now, "hotline", {"code": "tts", "detail": reason})
            self.tell(events.PromptFailed(play.prompt, reason))
        else:
            self.tell(events.PromptFinished(play.prompt))
        if self._leaving is not None and self._prompts.playing is None:
            self._hang_up(self._leaving)

    def _prompt_over(self, play: actions.Play, how: str) -> None:
        played_ms = self._play_time.ended_ms(play.prompt, self.clock.now)
        data = {"prompt": play.prompt, "reason": how, "played_ms": played_ms}
        self._record("prompt.ended", self.clock.now, "hotline", data)


def _hidden(data: dict[str, Any]) -> dict[str, Any]:
    """A note without what the caller gave: while the recording is paused nothing of that is written down."""
    return {name: masked(value) if name in ("text", "value") else value for name, value in data.items()}
