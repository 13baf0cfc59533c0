"""One worker: takes one caller, carries the call to its end, closes its bundle and exits.

Forked by the zygote. The event loop runs in the main thread, pjsua2 in its own, recognition in a third.
"""

import asyncio
import logging
import os
import signal
import socket
import time
from traceback import walk_tb
from typing import Any

from ivr.bus import Bus, CommandRefusedError
from ivr.busaddress import address_finder
from ivr.callsession import CallSession
from ivr.config import Config
from ivr.doorlink import DoorLink
from ivr.feature import FeatureCall
from ivr.featurecodes import feature_of
from ivr.handover import into_loop
from ivr.originate import OriginatedCall, Origination
from ivr.preload import Preloaded
from ivr.process import log_as, signal_when_parent_dies
from ivr.slots import Slot
from recordings.errors import BundleCreateError
from telephony.address import reachable_address
from telephony.leg import Leg
from telephony.legevents import Incoming, LegEvent, Refused
from telephony.stack import RTP_PORTS_PER_PROCESS, Stack, StackSettings

log = logging.getLogger(__name__)
REPEAT_S = 2.0
USER_HEADER = "x-hotline-user"  # the door alone sets it
SERVER_FAULT = 500
OUR_CODE = frozenset(("asr", "flows", "ivr", "recordings", "telephony", "tts"))
LINGER_S = 0.2  # for the last SIP message and the last bus message to leave


class Worker:
    """The process's one object. `tell` is the pipe to the zygote."""

    def __init__(self, config: Config, preloaded: Preloaded, slot: Slot, tell: int) -> None:
        self._config = config
        self._preloaded = preloaded
        self._slot = slot
        self._tell = tell
        self._call: CallSession | FeatureCall | OriginatedCall | None = None
        self._originated = ""
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Serves one caller."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._failed)
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGUSR1, self._orphaned)
        signal_when_parent_dies(signal.SIGUSR1)
        telephony = self._config.telephony
        self._stack = Stack(
            StackSettings(
                public=reachable_address(telephony.address),
                rtp_port=self._slot.rtp_port,
                codecs=telephony.codecs,
                srtp=telephony.srtp,
            ),
            into_loop(loop, self._on_leg_event),
        )
        port = self._stack.start()
        path = self._config.run_folder / "door.sock"
        self._door = DoorLink(path, os.getpid(), self._slot.number, ("127.0.0.1", port), self._wait_for_call)
        place = f"{socket.gethostname()}-{self._slot.rtp_port}"
        self._bus = Bus(address_finder(self._config), "worker", place=place)
        self._bus.serve(f"worker/{self._bus.name}", self._on_command)
        self._bus.set_state({"state": "idle"})
        async with self._bus:
            registering = asyncio.create_task(self._door.run(), name="door link")
            await self._done.wait()
            if self._call is not None:
                await self._call.finish()
            await asyncio.sleep(LINGER_S)
            registering.cancel()

    def _on_leg_event(self, leg: Leg | None, event: LegEvent) -> None:
        match event:
            case Incoming() if leg is not None and self._call is None and not self._done.is_set():
                self._take(leg, event)
            case Incoming() if leg is not None:
                if self._call is None or not self._call.take_leg(leg, event.headers):
                    self._stack.post(lambda: leg.hang_up(486))
            case Refused():
                self._note_refused(event)
            case _ if self._call is not None and leg is not None:
                self._call.on_leg_event(leg, event)

    def _take(self, leg: Leg, incoming: Incoming) -> None:
        self._is_busy()
        user = incoming.headers.get(USER_HEADER, "")
        if user and incoming.called.startswith("*"):
            self._take_feature(leg, user, incoming.called)
            return
        call = CallSession(self._config, self._preloaded, self._stack, leg, self._bus, self._done.set)
        self._call = call
        try:
            call.begin(incoming)
        except BundleCreateError as error:
            log.error("a call is refused, for nothing takes its recording: %s", error)
            self._call = None
            self._stack.post(lambda: leg.hang_up(503))
            self._done.set()

    def _take_feature(self, leg: Leg, user: str, called: str) -> None:
        """An agent or a supervisor, by the door's word, has dialled a code."""
        agents = self._config.agents
        feature = feature_of(called, agents.pause_reasons, agents.dispositions)
        if feature is None:
            self._stack.post(lambda: leg.hang_up(404, "No such code"))
            self._done.set()
            return
        self._call = FeatureCall(self._preloaded, self._stack, leg, self._bus, user, feature, self._done.set)
        self._call.begin()

    def _note_refused(self, refused: Refused) -> None:
        """No codec in common: the stack has answered 488; the archive learns that somebody called.

        After a fault of this process's own (5xx) the door has the next worker take the call, and that one archives it.
        """
        if self._call is not None or self._done.is_set():
            return
        self._is_busy()
        self._done.set()
        if refused.status < SERVER_FAULT:
            CallSession.archive_refused(self._config, refused, self._bus)
            return
        first, last = self._slot.rtp_port, self._slot.rtp_port + RTP_PORTS_PER_PROCESS - 1
        what = "a call is left to the next worker: %d %s. Does another program hold some of the UDP ports %d to %d?"
        log.error(what, refused.status, refused.reason, first, last)

    async def _on_command(self, data: dict[str, Any]) -> dict[str, Any]:
        """Control's: a callback, for a worker that is idle."""
        if data.get("command") != "originate":
            raise CommandRefusedError("command.unknown", f"a worker knows no command {data.get('command')!r}")
        asked = Origination.of(data)
        if self._originated == asked.offer.offer:
            return {"accepted": True}
        if self._call is not None or self._done.is_set():
            raise CommandRefusedError("worker.busy", "this worker has a call")
        self._is_busy()
        try:
            call = OriginatedCall(self._config, self._preloaded, self._stack, self._bus, asked, self._done.set)
        except BundleCreateError as error:
            self._done.set()
            raise CommandRefusedError("worker.disk", str(error)) from error
        self._call, self._originated = call, asked.offer.offer
        call.begin()
        return {"accepted": True}

    def _is_busy(self) -> None:
        self._say(b"b")
        self._door.say("busy")
        self._bus.set_state({"state": "busy"})

    def _wait_for_call(self) -> None:
        """Tells the zygote again and again that this worker waits, or has a call, and does not hang."""
        if not self._done.is_set():
            self._say(b"i" if self._call is None else b"b")
            asyncio.get_running_loop().call_later(REPEAT_S, self._wait_for_call)

    def _say(self, state: bytes) -> None:
        try:
            os.write(self._tell, state)
        except BrokenPipeError:
            self._orphaned()

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A mistake of ours in the middle of a call: logged, and the call ends rather than falling silent.

        What a task beside the call died of (the bus, the door's line) is only logged; the call watches its own tasks.
        So is what failed within a library: aiomqtt trips over its closed socket when a machine that slept wakes up.
        """
        loop.default_exception_handler(context)
        error = context.get("exception")
        if self._call is not None and "handle" in context and (error is None or _is_ours(error)):
            self._call.fail(str(error or context["message"]))

    def _stop(self) -> None:
        """SIGTERM: a live call is told goodbye by BYE, an idle worker just ends."""
        if self._call is None:
            self._done.set()
        else:
            self._call.shut_down()

    def _orphaned(self) -> None:
        """The zygote is gone: nobody would replace this worker, so only a live call keeps it."""
        if self._call is None:
            self._done.set()


def _is_ours(error: BaseException) -> bool:
    """Whether code of ours was running when it happened."""
    modules = (str(frame.f_globals.get("__name__", "")) for frame, _ in walk_tb(error.__traceback__))
    return any(module.partition(".")[0] in OUR_CODE for module in modules)


def work(config: Config, preloaded: Preloaded, slot: Slot, tell: int) -> None:
    """The child side of the fork; ends the process."""
    log_as("worker")
    began = time.monotonic()

    async def run() -> None:
        await Worker(config, preloaded, slot, tell).run()

    asyncio.run(run())
    log.info("worker ends after %.1f s", time.monotonic() - began)
    os._exit(0)  # live pjsua2 objects must not be destroyed in Python's order
