"""One SIP dialog with its sound: answer, play, pause, keys, hold, hang up.

Every method must be called on the stack's thread (`Stack.post`); what happens comes back through `emit`.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pjsua2 as pj

from telephony.bridge import Bridge
from telephony.legevents import (
    Answered,
    Ended,
    Frame,
    Held,
    Key,
    KeyMethod,
    LegEvent,
    MediaReady,
    Referred,
    Ringing,
)
from telephony.media import FRAME_SAMPLES, SILENCE, Tap
from telephony.offer import offers_one_of
from telephony.player import Player
from telephony.rtpcount import RtpCount
from telephony.sipname import host_of
from telephony.tickclock import TickClock

log = logging.getLogger(__name__)
KEYS = frozenset("0123456789*#ABCD")
_INFO_METHOD = 1  # pjsua's number for keys that came in a SIP INFO
_NO_RTP_EVENTS = 220107  # PJMEDIA_RTP_EREMNORFC2833: no telephone-event was agreed on
_BYE_CAUSE = re.compile(
    r"^BYE .*?^Reason[ \t]*:[ \t]*SIP[ \t]*;[ \t]*cause=(\d{3})\b", re.IGNORECASE | re.MULTILINE | re.DOTALL
)


class Home(Protocol):
    """What a leg needs of its stack: `post` leads to its thread, `bury` keeps a media object a little longer."""

    account: pj.Account
    silence: pj.AudioMedia
    bridge: Bridge
    clock: TickClock
    codecs: tuple[str, ...]

    def post(self, command: Callable[[], object]) -> None: ...
    def bury(self, thing: object) -> None: ...


class Leg(pj.Call):  # type: ignore[misc]
    """A dialog, incoming (`call_id` given by pjsua2) or outgoing. Never destroyed before the process ends.

    pjsua2 hangs up whichever call has the slot when a dead Call's destructor runs late: the stack keeps them all.
    """

    def __init__(self, home: Home, emit: Callable[[LegEvent], object], call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(home.account, call_id)
        self._home = home
        self._emit = emit
        self._outgoing = call_id == pj.PJSUA_INVALID_ID
        self._answered = False
        self._media: pj.AudioMedia | None = None
        self._stream = 0
        self._sample = -1
        self._heard_frame = b""
        self._held = False
        self._over = False
        self._hung_up_here = False
        self._cause = 0
        self._before = RtpCount()
        self.rtp: dict[str, Any] = {}
        self.sip_call_id = ""
        self._taps: tuple[Tap, Tap] | None = None  # heard, played
        self.player = Player(self.ears, emit, home.post, home.bury)

    @property
    def voice(self) -> pj.AudioMedia | None:
        """What the far end says, for the bridge; None while there is no sound of it."""
        return self._media

    def ears(self) -> list[pj.AudioMedia]:
        """Where what the far end hears goes: to it, and to the tap that records it."""
        ears = [] if self._taps is None else [self._taps[1]]
        return ears if self._media is None else [self._media, *ears]

    def answer(self, status: int = 200) -> None:
        """Answers the INVITE with this status (RFC 3261 section 13.3), unless it was cancelled meanwhile."""
        parameters = pj.CallOpParam()
        parameters.statusCode = status
        try:
            super().answer(parameters)
        except pj.Error as error:  # cancelled, or an offer that fits nothing: pjsua has answered 487 or 488 itself
            log.info("answer: %s", error.reason)

    def invite(self, uri: str, headers: Mapping[str, str], caller: str) -> None:
        """Calls; `caller` is the URI for From, "" for the stack's own. Raises pj.Error."""
        parameters = pj.CallOpParam(True)
        parameters.opt.audioCount, parameters.opt.videoCount = 1, 0
        message = parameters.txOption
        message.localUri = caller
        vector = pj.SipHeaderVector()
        for name, value in headers.items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            vector.append(header)
        message.headers = vector
        self.makeCall(uri, parameters)

    def refer(self, target: str) -> None:
        """Asks the far end to call a URI, or a number in its own domain, instead (REFER, RFC 3515); `Referred` events
        follow.
        """
        info = self.getInfo()
        uri = target if target.startswith("sip:") else f"sip:{target}@{host_of(info.remoteUri)}"
        self._try_refer(lambda: self.xfer(uri, pj.CallOpParam(True)))

    def refer_to(self, other: "Leg") -> None:
        """Asks the far end to take the other leg's place (Replaces, RFC 3891); `Referred` events follow."""
        self._try_refer(lambda: self.xferReplaces(other, pj.CallOpParam(True)))

    def _try_refer(self, send: Callable[[], object]) -> None:
        try:
            send()
        except pj.Error as error:
            log.info("refer: %s", error.reason)
            self._emit(Referred(500, final=True))

    def hang_up(self, status: int = 0, reason: str = "") -> None:
        """Ends the dialog: BYE when it is up, CANCEL or this final status (603 unless given) when it is not yet."""
        if self._over:
            return
        self._hung_up_here = True
        self.read_rtp()
        parameters = pj.CallOpParam()
        if status:
            parameters.statusCode = status
        parameters.reason = reason
        try:
            self.hangup(parameters)
        except pj.Error as error:
            log.info("hang up: %s", error.reason)

    def send_keys(self, keys: str) -> None:
        """Sends keys as RTP events (RFC 4733), by SIP INFO to a far end that has not agreed to those."""
        try:
            self.dialDtmf(keys)
        except pj.Error as error:
            if error.status != _NO_RTP_EVENTS:
                raise
            parameters = pj.CallSendDtmfParam()
            parameters.method, parameters.digits = pj.PJSUA_DTMF_METHOD_SIP_INFO, keys
            self.sendDtmf(parameters)

    def read_rtp(self) -> None:
        """Renews `rtp`, which any thread may read: packets and losses each way, jitter in milliseconds."""
        if self._media is not None and not self._over and (count := self._count()) is not None:
            self.rtp = self._before.plus(count).as_event()

    def _count(self) -> RtpCount | None:
        """The present stream's counters; None while there is no stream."""
        try:
            statistics = self.getStreamStat(self._stream)
        except pj.Error:
            return None
        rtcp = statistics.rtcp
        received, sent = rtcp.rxStat, rtcp.txStat
        jitter = received.jitterUsec
        jitter_ms = round(jitter.mean / 1000, 2)
        return RtpCount(received.pkt, received.loss, jitter_ms, sent.pkt, sent.loss)

    # Callbacks: on the stack's thread, but for the two frames.

    def onCallState(self, _parameters: pj.OnCallStateParam) -> None:
        """pjsua2: the dialog's state changed."""
        info = self.getInfo()
        self.sip_call_id = info.callIdString
        if info.state == pj.PJSIP_INV_STATE_EARLY and self._outgoing:
            self._emit(Ringing(info.lastStatusCode))
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED and self._outgoing and not self._answered:
            self._answered = True
            self._emit(Answered())
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED and not self._over:
            self._over = True
            self._media = None
            self._home.bridge.refresh()
            self.player.stop()
            self._close_taps()
            self._emit(Ended(self._cause or info.lastStatusCode, info.lastReason, not self._hung_up_here, self.rtp))

    def onCallTsxState(self, parameters: pj.OnCallTsxStateParam) -> None:
        """pjsua2: a transaction of the dialog moved. A BYE may say what for (Reason, RFC 3326)."""
        change = parameters.e.body.tsxState
        if change.type == pj.PJSIP_EVENT_RX_MSG and change.tsx.method == "BYE":
            match = _BYE_CAUSE.search(change.src.rdata.wholeMsg)
            self._cause = int(match[1]) if match else self._cause

    def onCallMediaState(self, _parameters: pj.OnCallMediaStateParam) -> None:
        """pjsua2: audio started, changed (re-INVITE) or was put on hold."""
        try:
            self._take_media()
        except pj.Error as error:
            log.error("media: %s", error.info())

    def onDtmfDigit(self, parameters: pj.OnDtmfDigitParam) -> None:
        """pjsua2: one key; or no key, as the hook flash of RFC 4733, which it calls R."""
        if parameters.digit not in KEYS:
            return
        method = KeyMethod.INFO if parameters.method == _INFO_METHOD else KeyMethod.RFC4733
        self._emit(Key(parameters.digit, method))

    def onCallTransferRequest(self, parameters: pj.OnCallTransferRequestParam) -> None:
        """pjsua2: a REFER. Left alone it would call whatever number the far end names."""
        parameters.statusCode = pj.PJSIP_SC_DECLINE

    def onCallTransferStatus(self, parameters: pj.OnCallTransferStatusParam) -> None:
        """pjsua2: a NOTIFY about a REFER of ours, or its refusal."""
        self._emit(Referred(parameters.statusCode, parameters.finalNotify))

    def onCallRxReinvite(self, parameters: pj.OnCallRxReinviteParam) -> None:
        """pjsua2: a re-INVITE. Without a codec in common it would be answered with 500 and not 488."""
        sdp = parameters.offer.wholeSdp
        if sdp and not offers_one_of(sdp, self._home.codecs):
            parameters.statusCode = pj.PJSIP_SC_NOT_ACCEPTABLE_HERE

    def onStreamDestroyed(self, _parameters: pj.OnStreamDestroyedParam) -> None:
        """pjsua2: last chance to read the stream's counters; a hold or re-INVITE begins another stream."""
        if (count := self._count()) is not None:
            self._before = self._before.plus(count)
            self.rtp = self._before.as_event()

    def _take_media(self) -> None:
        info = self.getInfo()
        active = None
        held = False
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                if media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                    active = self.getAudioMedia(index)
                    self._stream = media.index  # counts every m= line, where `index` counts those that are in use
                elif media.status in (pj.PJSUA_CALL_MEDIA_REMOTE_HOLD, pj.PJSUA_CALL_MEDIA_LOCAL_HOLD):
                    held = True
        self._media = active
        if active is not None:
            self._connect(active)
        self._home.bridge.refresh()
        if held != self._held:
            self._held = held
            self.player.hold(held)
            self._emit(Held(held))

    def _connect(self, media: pj.AudioMedia) -> None:
        if self._taps is None:
            stream = self.getStreamInfo(self._stream)
            self._emit(MediaReady(f"{stream.codecName}/{stream.codecClockRate}"))
            self._taps = Tap("heard", self._on_heard), Tap("played", self._on_played)
            # A listener without a source gets no frames: silence keeps both taps on the bridge's clock.
            for tap in self._taps:
                self._home.silence.startTransmit(tap)
        media.startTransmit(self._taps[0])
        self.player.reconnect()

    def _close_taps(self) -> None:
        """Gives the ports back: the bridge has 64, and an agent's phone may be rung again and again for one caller."""
        if self._taps is not None:
            for tap in self._taps:
                self._home.silence.stopTransmit(tap)
                self._home.bury(tap)
            self._taps = None

    # The bridge's clock thread; both taps are served in the same tick, in the order in which they were made.

    def _on_heard(self, pcm8k: bytes) -> None:
        self._heard_frame = pcm8k

    def _on_played(self, pcm8k: bytes) -> None:
        if self._over:
            return
        if self._sample < 0:
            self._sample = self._home.clock.begin(self, FRAME_SAMPLES)
        sample, self._sample = self._sample, self._sample + FRAME_SAMPLES
        self._home.clock.advance(self, self._sample)
        self._emit(Frame(sample, self._heard_frame or SILENCE, pcm8k))
        self._heard_frame = b""
