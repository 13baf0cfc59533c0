"""One call from INVITE to closed bundle: joins the leg, the conversation, the archive and the bus."""

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import SystemRandom
from typing import Any, Protocol

from flows import events
from flows.actions import Request
from ivr import callsounds
from ivr.acdline import Line
from ivr.callparts import CallParts
from ivr.config import Config
from ivr.conversation import Conversation
from ivr.people import People
from ivr.playback import LegPlayback
from ivr.preload import Preloaded
from ivr.prompts import PromptFiles
from ivr.tracks import Tracks
from recordings.bundle import Bundle
from recordings.callid import new_call_id
from recordings.errors import BundleCreateError
from recordings.termination import Termination
from telephony.leg import Leg
from telephony.legevents import (
    Ended,
    Frame,
    Held,
    Incoming,
    Key,
    LegEvent,
    MediaReady,
    Played,
    PlayFailed,
    Playing,
    Referred,
    Refused,
)
from telephony.stack import Stack

log = logging.getLogger(__name__)


class CallBus(Line, Protocol):
    """What a call needs of the bus (`ivr.bus.Bus`)."""

    def publish_event(self, call_id: str, event: dict[str, Any]) -> None: ...


ATTEMPTS = 3
REFUGES = tuple(Path(folder) / "hotline-recordings" for folder in (tempfile.gettempdir(), "/dev/shm"))  # noqa: S108 - bundles are for this user's eyes only
RTP_CHECK_S = 1.0
REQUEST_TIMEOUT = 408  # what the stack notes when the ACK to its 200 does not come
NOT_ACCEPTABLE_HERE = 488  # no codec in common, or none of the two kinds of sound, plain or SRTP
REQUEST_TERMINATED = 487  # what the door's BYE says when the answer came after the CANCEL, or after another's answer
GOODBYE_S = 2.0
GONE_WITHIN_S = 40.0  # a BYE that nobody answers is given up after 32 s (RFC 3261 timer F)


class CallSession:
    """The worker's call. Event loop only; `done` is called when the leg is gone."""

    def __init__(
        self,
        config: Config,
        preloaded: Preloaded,
        stack: Stack,
        leg: Leg,
        bus: CallBus,
        done: Callable[[], None],
    ) -> None:
        self._config = config
        self._preloaded = preloaded
        self._stack = stack
        self.leg = leg
        self._bus = bus
        self._done = done
        self._conversation: Conversation | None = None
        self._people: People | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._termination: Termination | None = None
        self._incoming: Incoming | None = None
        self._reason = ""
        self._ended: Ended | None = None
        self._held = False
        self._closed = False
        self._archived = False

    def begin(self, incoming: Incoming) -> None:
        """Opens the bundle and answers; a called number without a flow is refused with 404.

        Raises BundleCreateError where no disk takes a bundle; then nothing was answered.
        """
        self._incoming = incoming
        lines = self._config.telephony.lines
        flow = self._preloaded.flow(lines.get(incoming.called) or lines.get("*", ""))
        self._bundle = open_bundle(self._config, incoming.caller, incoming.called)
        about = {"caller": incoming.caller, "called": incoming.called, "sip_call_id": incoming.sip_call_id}
        if flow is None:
            self._record("call.started", None, None, about)
            self._end_with(Termination.FLOW_ERROR)
            self._stack.post(lambda: self.leg.hang_up(404, "No such line"))
            return
        self._flow = flow
        self._record("call.started", None, None, {**about, **flow.facts(), "worker_pid": os.getpid()})
        self._stack.post(self.leg.answer)
        self._run(self._watch_rtp(), "rtp watch")
        loop = asyncio.get_running_loop()
        loop.call_later(self._config.telephony.max_call, self._hang_up_with, Termination.MAX_DURATION)

    def take_leg(self, leg: Leg, headers: dict[str, str]) -> bool:
        """A second INVITE: a supervisor's, or nobody's."""
        return self._people is not None and not self._closed and self._people.take_supervisor(leg, headers)

    def on_leg_event(self, leg: Leg, event: LegEvent) -> None:
        """What a leg reports, in order; the bridge's clock runs on for a moment after the leg's end."""
        if leg is not self.leg:
            self._with_people(lambda people: people.on_supervisor(leg, event))
            return
        if self._closed:
            return
        match event, self._conversation:
            case MediaReady(codec), None:
                self._converse(codec)
            case Frame(), Conversation() as conversation:
                conversation.on_frame(event)
            case Key(key, method), Conversation() as conversation:
                conversation.on_key(key, method)
            case Playing(token), Conversation() as conversation:
                conversation.on_playing(token)
            case Played(token), Conversation() as conversation:
                conversation.on_played(token)
                self._with_people(lambda people: people.on_played(token))
            case Referred(), _:
                self._with_people(lambda people: people.on_referred(event))
            case PlayFailed(token, reason), Conversation() as conversation:
                conversation.on_play_failed(token, reason)
            case Held(held), conversation:
                self._held = held
                if conversation is not None:
                    conversation.on_held(held)
            case Ended(), _:
                self._over(event)

    def fail(self, reason: str) -> None:
        """Something of ours broke: the archive says what, the caller hears the end."""
        self._record("error", None, None, {"code": "internal", "detail": reason})
        self._hang_up_with(Termination.FLOW_ERROR)

    def shut_down(self) -> None:
        """The hotline stops: BYE, and the archive says why."""
        self._hang_up_with(Termination.SHUTDOWN)
        asyncio.get_running_loop().call_later(GOODBYE_S, self._done)

    async def finish(self) -> None:
        """Closes the bundle, once `begin` has opened it. After this the call is the archive's."""
        for task in self._tasks:
            task.cancel()
        ended = self._ended
        self._closed = True
        if ended is None and self._conversation is not None:
            self._conversation.on_hung_up("hotline")
            self._with_people(People.hung_up)
        if self._people is not None:
            await self._people.close()
        termination = self._termination or _why(ended, answered=self._conversation is not None)
        by_caller = ended is not None and ended.by_far_end and termination is not Termination.NO_ACK
        by = "caller" if by_caller else "hotline"
        data = {"rtp": ended.rtp if ended else {}, "sip_status": ended.status if ended else 0, "reason": self._reason}
        self._archived = True
        event = await asyncio.to_thread(self._bundle.close, termination, by, data)
        self._bus.publish_event(self._bundle.call_id, event)

    @staticmethod
    def archive_refused(config: Config, refused: Refused, bus: CallBus) -> None:
        """Keeps a call that the stack refused before it became one (RFC 3261 section 13.3.1.3)."""
        bundle = open_bundle(config, refused.caller, refused.called)
        about = {"caller": refused.caller, "called": refused.called, "sip_call_id": refused.sip_call_id}
        bus.publish_event(bundle.call_id, bundle.event("call.started", None, None, about))
        data = {"sip_status": refused.status, "reason": refused.reason}
        no_codec = refused.status == NOT_ACCEPTABLE_HERE
        termination = Termination.CODEC_MISMATCH if no_codec else Termination.BAD_REQUEST
        bus.publish_event(bundle.call_id, bundle.close(termination, "hotline", data))

    def _converse(self, codec: str) -> None:
        assert self._incoming is not None
        self._record("media.started", 0, "caller", {"codec": codec})
        files = PromptFiles(self._flow.folder, self._preloaded.silence, self._preloaded.beep)
        tracks = Tracks(self._bundle)
        self._conversation = conversation = Conversation(
            self._flow.session(),
            self._preloaded.listener,
            self._preloaded.speech(),
            LegPlayback(self._stack, self.leg),
            files,
            self._record,
            tracks,
            lambda keys: self._stack.post(lambda: self.leg.send_keys(keys)),
            self._flow_hangs_up,
            self._ask_people,
        )
        incoming = self._incoming
        parts = CallParts(
            self._bundle.call_id,
            incoming.caller,
            incoming.called,
            incoming.source,
            self._stack,
            self._preloaded.speech,
            files,
            lambda: callsounds.music(self._flow.folder),
            self._preloaded.tone,
            tracks,
            conversation.clock,
            self._record,
            self._config.run_folder,
            self._config.telephony.rtp_timeout,
        )
        self._people = People(parts, self.leg, self._bus, conversation.tell, self._flow_hangs_up)
        self._run(conversation.run(), "conversation")
        language = self._flow.flow.header.language
        if self._preloaded.recogniser(language) is None:
            conversation.tell(events.RecogniserFailed(f"there is no recogniser for {language}"))
        conversation.tell(events.CallStarted(self._bundle.call_id, self._incoming.caller, self._incoming.called))

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        def over(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("%s failed", name, exc_info=error)
                self.fail(f"{name}: {error}")

        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(over)
        self._tasks.append(task)

    async def _watch_rtp(self) -> None:
        """Ends a call whose caller has vanished: no RTP packet for `rtp_timeout`, hold excepted."""
        loop = asyncio.get_running_loop()
        packets, since = -1, loop.time()
        while True:
            await asyncio.sleep(RTP_CHECK_S)
            self._stack.post(self.leg.read_rtp)
            received = self.leg.rtp.get("rx_packets", 0)
            if received != packets or self._held:
                packets, since = received, loop.time()
            elif loop.time() - since > self._config.telephony.rtp_timeout:
                self._hang_up_with(Termination.RTP_TIMEOUT)
                return

    def _record(self, kind: str, sample: int | None, leg: str | None, data: dict[str, Any]) -> None:
        if self._archived:
            return
        self._bus.publish_event(self._bundle.call_id, self._bundle.event(kind, sample, leg, data))

    def _ask_people(self, request: Request) -> bool:
        return self._people is not None and self._people.ask(request)

    def _with_people(self, do: Callable[[People], object]) -> None:
        if self._people is not None:
            do(self._people)

    def _flow_hangs_up(self, reason: str) -> None:
        self._reason = reason
        self._hang_up_with(Termination.FLOW_ERROR if reason == "flow_error" else Termination.COMPLETED)

    def _end_with(self, termination: Termination) -> None:
        self._termination = self._termination or termination

    def _hang_up_with(self, termination: Termination) -> None:
        if self._ended is None:
            self._end_with(termination)
            self._stack.post(self.leg.hang_up)
            asyncio.get_running_loop().call_later(GONE_WITHIN_S, self._done)

    def _over(self, ended: Ended) -> None:
        self._ended = ended
        self._closed = True
        try:
            if self._conversation is not None:
                self._conversation.on_hung_up("caller" if ended.by_far_end else "hotline")
            self._with_people(People.hung_up)
        finally:
            self._done()


def _why(ended: Ended | None, *, answered: bool) -> Termination:
    if ended is None:
        return Termination.SHUTDOWN
    if not answered or ended.status == REQUEST_TERMINATED:
        return Termination.CANCELLED
    if ended.status == REQUEST_TIMEOUT:
        return Termination.NO_ACK
    return Termination.CALLER_HANGUP if ended.by_far_end else Termination.COMPLETED


def open_bundle(config: Config, caller: str, called: str, call_id: str = "") -> Bundle:
    """Opens the call's bundle; where the archive's disk refuses even that, one in the system's temporary folder, and
    where that is on the same full disk, one in memory.

    A caller is answered all the same; `ivr bundle repair FOLDER` brings such calls home. Raises BundleCreateError.
    """
    about = {"caller": caller, "called": called}
    for _ in range(ATTEMPTS):
        try:
            return Bundle.create(config.recordings_folder, call_id or _new_id(), about)
        except BundleCreateError as error:
            reason = error
    for refuge in REFUGES:
        log.error("the call is kept in %s: %s", refuge, reason)
        try:
            return Bundle.create(refuge, call_id or _new_id(), about)
        except BundleCreateError as error:
            reason = error
    raise reason


def _new_id() -> str:
    return new_call_id(time.time(), SystemRandom())
