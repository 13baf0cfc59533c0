"""The SIP stack of one process: one thread that owns pjsua2, polls it and carries out what other threads post.

pjsua2 holds at most four legs a process and keeps state of every call it ever had, so a process takes one caller and
ends. Nothing of this may be created before a fork.
"""

import logging
import os
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import pjsua2 as pj

from telephony.bridge import Bridge
from telephony.errors import DialError, StackError
from telephony.leg import Leg
from telephony.legevents import Incoming, LegEvent, Refused
from telephony.sipname import readable, user_of
from telephony.tickclock import TickClock

log = logging.getLogger(__name__)
SILENCE_FILE = Path(__file__).parent / "silence.wav"
IDLE_POLL_MS = 200
CALL_POLL_MS = 10
BURIAL_S = 0.3  # media objects must outlive the bridge's use of them
RTP_PORTS_PER_PROCESS = 16
Srtp = Literal["off", "optional", "mandatory"]
_SRTP = {"off": pj.PJMEDIA_SRTP_DISABLED, "optional": pj.PJMEDIA_SRTP_OPTIONAL, "mandatory": pj.PJMEDIA_SRTP_MANDATORY}
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StackSettings:
    """`bind` is where SIP is taken, `public` the address for audio in SDP ("" for `bind`); port 0: any free one.

    `srtp` by SDES keys in SDP (RFC 4568): the front door takes them out of offers that do not go over TLS.
    """

    bind: str = "127.0.0.1"
    port: int = 0
    public: str = ""
    rtp_port: int = 0
    codecs: tuple[str, ...] = ("PCMA", "PCMU")
    user: str = "hotline"
    srtp: Srtp = "off"


class _Account(pj.Account):  # type: ignore[misc]
    def __init__(self, stack: "Stack") -> None:
        super().__init__()
        self._stack = stack

    def onIncomingCall(self, parameters: pj.OnIncomingCallParam) -> None:
        self._stack.take_incoming(parameters)


class _Endpoint(pj.Endpoint):  # type: ignore[misc]
    def __init__(self, stack: "Stack") -> None:
        super().__init__()
        self._stack = stack

    def onRejectedIncomingCall(self, parameters: pj.OnRejectedIncomingCallParam) -> None:
        self._stack.emit(
            None,
            Refused(
                int(parameters.statusCode),
                parameters.reason,
                user_of(parameters.remoteInfo),
                user_of(parameters.localInfo),
                _sip_call_id(parameters.rdata.wholeMsg),
            ),
        )


class Stack:
    """pjsua2 on its own thread. `emit(leg, event)` is called from that thread and from the bridge's clock thread."""

    def __init__(self, settings: StackSettings, emit: Callable[[Leg | None, LegEvent], None]) -> None:
        self.settings = settings
        self.emit = emit
        self.port = 0
        self.bridge = Bridge()
        self.clock = TickClock()
        self.codecs = settings.codecs
        self._commands: deque[Callable[[], None]] = deque()
        self._buried: deque[tuple[float, object]] = deque()
        self._legs: list[Leg] = []
        self._busy = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="pjsua2", daemon=True)
        self._started: Future[int] = Future()

    def start(self) -> int:
        """Starts the thread and returns the SIP port. Raises StackError."""
        self._thread.start()
        self.port = self._started.result(timeout=20)
        return self.port

    def post(self, command: Callable[[], object]) -> None:
        """Has the stack's thread carry the command out soon. From any thread."""
        self._commands.append(lambda: _guarded(command))

    def stop(self, timeout_s: float = 2.0) -> None:
        """Ends the thread; live legs get a BYE first. The process must exit afterwards by `os._exit`."""
        self._stopping = True
        self._thread.join(timeout_s)

    def dial(
        self,
        uri: str,
        emit: Callable[[LegEvent], object],
        headers: Mapping[str, str] = NO_HEADERS,
        caller: str = "",
    ) -> "Future[Leg]":
        """Calls a SIP URI, with further headers and under another name in From (a URI). The future has the leg, or
        DialError.
        """
        future: Future[Leg] = Future()

        def make() -> None:
            try:
                self._take_sound()
                leg = Leg(self, emit)
                self._legs.append(leg)
                leg.invite(uri, headers, caller)
                future.set_result(leg)
            except pj.Error as error:
                future.set_exception(DialError(f"cannot call {uri}: {error.reason}"))

        self.post(make)
        return future

    # On the stack's thread from here on.

    def take_incoming(self, parameters: pj.OnIncomingCallParam) -> None:
        """pjsua2's word of a new INVITE: makes the leg and reports it."""
        leg: Leg

        def emit(event: LegEvent) -> None:
            self.emit(leg, event)

        try:
            self._take_sound()
            leg = Leg(self, emit, parameters.callId)
            self._legs.append(leg)
            info = leg.getInfo()
            received = parameters.rdata
            headers = _own_headers(received.wholeMsg)
            emit(
                Incoming(
                    user_of(info.remoteUri),
                    _request_user(received.wholeMsg),
                    readable(info.callIdString),
                    headers,
                    received.srcAddress,
                )
            )
        except pj.Error as error:
            log.error("incoming call: %s", error.info())

    def _run(self) -> None:
        try:
            self._create()
        except pj.Error as error:
            self._started.set_exception(StackError(f"the SIP stack did not start: {error.reason}"))
            return
        while not self._stopping:
            self._endpoint.libHandleEvents(CALL_POLL_MS if self._busy else IDLE_POLL_MS)
            while self._commands:
                self._commands.popleft()()
            while self._buried and self._buried[0][0] < time.monotonic():
                self._buried.popleft()
        self._endpoint.hangupAllCalls()
        for _ in range(10):
            self._endpoint.libHandleEvents(20)

    def _create(self) -> None:
        settings = self.settings
        self._endpoint = endpoint = _Endpoint(self)
        with _quiet():
            endpoint.libCreate()
        config = pj.EpConfig()
        agent = config.uaConfig
        agent.maxCalls, agent.threadCnt, agent.mainThreadOnly = 4, 0, True
        agent.userAgent = "Hotline"
        logs = config.logConfig
        logs.level = logs.consoleLevel = 0
        media = config.medConfig
        media.clockRate = media.sndClockRate = 8000
        media.noVad, media.ecTailLen, media.quality = True, 0, 4
        media.sndAutoCloseTime, media.maxMediaPorts = -1, 64
        media.threadCnt, media.hasIoqueue = 1, True
        endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = settings.port, settings.bind
        identity = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        endpoint.libStart()
        endpoint.audDevManager().setNoDev()
        self._choose_codecs(endpoint)
        local = endpoint.transportGetInfo(identity).localName
        self._make_account(local)
        self._started.set_result(int(local.rsplit(":", 1)[1]))

    def _choose_codecs(self, endpoint: pj.Endpoint) -> None:
        for codec in endpoint.codecEnum2():
            name = codec.codecId.split("/")[0]
            chosen = self.settings.codecs
            endpoint.codecSetPriority(codec.codecId, 250 - chosen.index(name) if name in chosen else 0)

    def _make_account(self, local: str) -> None:
        settings = self.settings
        account = pj.AccountConfig()
        account.idUri = f"sip:{settings.user}@{local}"
        transport = account.mediaConfig.transportConfig
        transport.boundAddress = settings.bind if settings.public in ("", settings.bind) else ""
        transport.publicAddress = settings.public
        account.mediaConfig.srtpUse = _SRTP[settings.srtp]
        account.mediaConfig.srtpSecureSignaling = 0  # the way to the front door is loopback
        transport.port, transport.portRange = settings.rtp_port, RTP_PORTS_PER_PROCESS if settings.rtp_port else 0
        self.account = _Account(self)
        self.account.create(account)

    def _take_sound(self) -> None:
        """Starts the bridge's clock with the first call: idle processes run without it."""
        if self._busy:
            return
        self._busy = True
        self._endpoint.audDevManager().setNullDev()
        self.silence = pj.AudioMediaPlayer()
        self.silence.createPlayer(str(SILENCE_FILE))

    def bury(self, thing: object) -> None:
        """Keeps a media object until the bridge has let go of it."""
        self._buried.append((time.monotonic() + BURIAL_S, thing))


@contextmanager
def _quiet() -> Iterator[None]:
    """Sends standard output to nowhere: pjlib prints there until it has been told its log level."""
    sys.stdout.flush()
    saved, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(nowhere)


def _guarded(command: Callable[[], object]) -> None:
    try:
        command()
    except pj.Error as error:
        log.error("SIP stack: %s", error.info())
    except Exception:  # the thread's top frame: a mistake in one command must not end the thread, and with it the call
        log.exception("SIP stack: a command failed")


def _request_user(message: str) -> str:
    return user_of(message.split(" ", 2)[1])


def _sip_call_id(message: str) -> str:
    match = re.search(r"^(?:call-id|i)[ \t]*:[ \t]*(\S+)", message, re.IGNORECASE | re.MULTILINE)
    return readable(match[1]) if match else ""


def _own_headers(message: str) -> dict[str, str]:
    lines = message.split("\r\n\r\n", 1)[0].split("\r\n")[1:]
    pairs = (line.split(":", 1) for line in lines if line[:2].lower() == "x-" and ":" in line)
    return {readable(name.strip().lower()): readable(value.strip()) for name, value in pairs}
