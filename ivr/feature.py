"""A call of an agent or a supervisor to the hotline itself: `*41` and the like, and supervision of another call.

It is no caller's call: it has no flow, is not recorded, and control keeps what it did (agents' states, the audit).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from flows.actions import BargeIn, Play, Text
from ivr.acd.model import AgentState
from ivr.acdline import ANSWER_WITHIN_S, TARGET, Line
from ivr.bus import BusError
from ivr.featurecodes import AgentFeature, Feature, SuperviseFeature
from ivr.handover import into_loop
from ivr.playback import LegPlayback
from ivr.preload import Preloaded
from ivr.prompts import PromptFiles, Prompts
from ivr.supervision import TOKEN_HEADER
from telephony.leg import Leg
from telephony.legevents import Answered, Ended, Key, LegEvent, MediaReady, Played, PlayFailed, Playing
from telephony.stack import Stack

log = logging.getLogger(__name__)
LANGUAGE = "en"
PIN_WITHIN_S = 15.0
CALL_ANSWERS_S = 5.0
CALL_APPEARS_S = 4.0  # a worker tells control a moment after the agent has answered
ASK_AGAIN_S = 0.5
LONGEST_PIN = 12
GOODBYE_S = 2.0
_DONE = {
    "login": "You are logged in.",
    "logout": "You are logged out.",
    "ready": "You are ready.",
    "pause": "You are on pause.",
    "wrapped_up": "Your notes are closed.",
}
_STILL_PAUSED = "You are logged in, and still on pause."
_NOT_NOW = "That is not possible now."
_UNAVAILABLE = "The queues cannot be reached. Please try again."
_REFUSALS = {
    "agent.unknown": "You are not an agent.",
    "agent.no_call": "This agent is in no call.",
    "bus.timeout": _UNAVAILABLE,
    "acd.unavailable": _UNAVAILABLE,
}


class FeatureCall:
    """One such call, `user` being who the door says it is. Event loop only; `done` is called when the leg is gone."""

    def __init__(
        self,
        preloaded: Preloaded,
        stack: Stack,
        leg: Leg,
        bus: Line,
        user: str,
        feature: Feature,
        done: Callable[[], None],
    ) -> None:
        self.leg = leg
        self._stack = stack
        self._bus = bus
        self._user = user
        self._feature = feature
        self._done = done
        self._said = asyncio.Event()
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._numbers = 0
        self._far: Leg | None = None
        self._prompts = Prompts(
            preloaded.speech(),
            LegPlayback(stack, leg),
            PromptFiles(Path(), preloaded.silence, preloaded.beep),
            lambda _play: None,
            lambda _play, _how, _reason: self._said.set(),
        )

    def begin(self) -> None:
        """Answers."""
        self._stack.post(self.leg.answer)

    def on_leg_event(self, leg: Leg, event: LegEvent) -> None:
        """What the leg reports."""
        if leg is not self.leg:
            return
        match event:
            case MediaReady() if not self._tasks:
                self._run(self._prompts.run(), "prompts")
                self._run(self._serve(), "feature")
            case Playing(token):
                self._prompts.started(token)
            case Played(token):
                self._prompts.played(token)
            case PlayFailed(token, reason):
                self._prompts.play_failed(token, reason)
            case Key(key) if self._far is not None:
                self._stack.post(partial(self._far.send_keys, key))
            case Key(key):
                self._keys.put_nowait(key)
            case Ended():
                self._ended.set()
                self._done()

    def take_leg(self, _leg: Leg, _headers: dict[str, str]) -> bool:
        """Nobody else comes into this call."""
        return False

    def fail(self, reason: str) -> None:
        """Something of ours broke."""
        log.error("feature call: %s", reason)
        self.shut_down()

    def shut_down(self) -> None:
        """BYE."""
        self._stack.post(self.leg.hang_up)
        asyncio.get_running_loop().call_later(GOODBYE_S, self._done)

    async def finish(self) -> None:
        """The leg is gone: so goes the one to the supervised call."""
        for task in self._tasks:
            task.cancel()
        if self._far is not None:
            self._stack.post(self._far.hang_up)

    # What was dialled.

    async def _serve(self) -> None:
        try:
            match self._feature:
                case AgentFeature(do, detail):
                    await self._say(await self._do(do, detail))
                case SuperviseFeature():
                    await self._supervise(self._feature)
        except BusError as error:
            log.info("%s: %s %s", self._user, error.code, error)
            await self._say(_REFUSALS.get(error.code, _NOT_NOW))
        self._stack.post(self.leg.hang_up)

    async def _do(self, do: str, detail: str) -> str:
        about = {"pause": {"reason": detail}, "wrapped_up": {"disposition": detail}}.get(do, {})
        now = await self._ask(TARGET, command="agent", agent=self._user, do=do, by=self._user, **about)
        return _STILL_PAUSED if do == "login" and now.get("state") == AgentState.PAUSED else _DONE[do]

    async def _supervise(self, feature: SuperviseFeature) -> None:
        pin = await self._pin()
        known = await self._ask(TARGET, command="pin", user=self._user, pin=pin)
        if not known.get("ok") or known.get("role") != "supervisor":
            await self._say("That is not allowed.")
            return
        call = await self._call_of(feature.agent)
        about = {"who": self._user, "agent": feature.agent, "mode": str(feature.mode)}
        granted = await self._ask(f"call/{call['call_id']}", command="supervise", **about)
        await self._join(str(granted["sip"]), str(granted["token"]))
        await self._say("The call is over.")

    async def _call_of(self, agent: str) -> dict[str, Any]:
        """The call that the agent is in, or comes into in the next seconds. Raises BusError."""
        until = asyncio.get_running_loop().time() + CALL_APPEARS_S
        while True:
            try:
                return await self._ask(TARGET, command="agent_call", agent=agent)
            except BusError as error:
                if error.code != "agent.no_call" or asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(ASK_AGAIN_S)

    async def _pin(self) -> str:
        """The keys until the hash key."""
        self._play("Your pin, then the hash key.")
        pin = ""
        with suppress(TimeoutError):
            while len(pin) < LONGEST_PIN:
                key = await asyncio.wait_for(self._keys.get(), PIN_WITHIN_S)
                self._prompts.stop()
                if key == "#":
                    break
                pin += key
        return pin

    async def _join(self, address: str, token: str) -> None:
        """Makes a leg straight to the worker of that call and connects the two; returns when either is over."""
        answered, over = asyncio.Event(), asyncio.Event()

        def on_event(event: LegEvent) -> None:
            match event:
                case Answered():
                    answered.set()
                case Ended():
                    answered.set()
                    over.set()

        emit = into_loop(asyncio.get_running_loop(), on_event)
        dialled = self._stack.dial(f"sip:supervise@{address}", emit, {TOKEN_HEADER: token})
        far = await asyncio.wrap_future(dialled)
        with suppress(TimeoutError):
            await asyncio.wait_for(answered.wait(), CALL_ANSWERS_S)
        if answered.is_set() and not over.is_set():
            bridge = self._stack.bridge
            self._stack.post(lambda: bridge.connect([(self.leg, far), (far, self.leg)]))
            self._far = far
            await over.wait()
            self._far = None
        else:
            self._stack.post(far.hang_up)

    # Small parts.

    async def _ask(self, target: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - plain JSON
        return await self._bus.request(target, data, ANSWER_WITHIN_S)

    def _play(self, text: str) -> None:
        self._said.clear()
        self._numbers += 1
        self._prompts.play(Play(self._numbers, (Text(text),), LANGUAGE, "", BargeIn.NO, "feature"))

    async def _say(self, text: str) -> None:
        self._play(text)
        await self._said.wait()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        def over(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("%s failed", name, exc_info=error)
                self.shut_down()

        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(over)
        self._tasks.append(task)
