"""Hands the caller to somebody outside: by REFER, or by a leg of our own that is bridged.

Blind: the caller's phone calls the target itself (RFC 3515); a phone that will not is bridged instead, and so is one
that is to reach an agent: callers from outside cannot call accounts. Attended: the target is called first, told
something, and then the caller's phone takes our place in that call (Replaces, RFC 3891).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ivr.callparts import CallParts
from ivr.outleg import Dial, Outcome, OutLeg, headers_of
from ivr.room import Room
from ivr.whohears import CONSULTED, Stage
from telephony.leg import Leg
from telephony.legevents import Referred

log = logging.getLogger(__name__)
_OUTCOMES = {
    Outcome.BUSY: "busy",
    Outcome.NO_ANSWER: "no_answer",
    Outcome.DECLINED: "refused",
    Outcome.UNREACHABLE: "failed",
    Outcome.CANCELLED: "failed",
}
_OF_STATUS = {486: "busy", 600: "busy", 408: "no_answer", 480: "no_answer", 487: "no_answer", 603: "refused"}
REFER_ANSWER_S = 5.0  # for the first word on a REFER
_SUCCESS, _FAILURE = 200, 300


class Transfer:
    """One transfer; `referred` is fed with what the caller's leg tells of a REFER. `is_agent` knows the house's own."""

    def __init__(
        self,
        parts: CallParts,
        caller: Leg,
        room: Room,
        dial: Dial,
        is_agent: Callable[[str], Awaitable[bool]],
        arguments: Mapping[str, Any],
    ) -> None:
        self._parts = parts
        self._caller = caller
        self._room = room
        self._dial = dial
        self._is_agent = is_agent
        self._to = str(arguments["to"])
        self._mode = str(arguments.get("mode", "blind"))
        self._keys = str(arguments.get("dtmf") or "")
        self._whisper = tuple(arguments.get("whisper") or ())
        self._voice = (str(arguments.get("language", "")), str(arguments.get("voice", "")))
        self._timeout_s = float(arguments.get("timeout_s", 30.0))
        self._referred: asyncio.Queue[Referred] = asyncio.Queue()

    def referred(self, news: Referred) -> None:
        """The caller's phone told what became of our REFER."""
        self._referred.put_nowait(news)

    async def run(self, bridged: Callable[[], None]) -> str:
        """Transfers; `bridged()` is called where the hotline stays in the call and the talk begins. Returns
        transferred, ended, busy, no_answer, refused or failed.
        """
        self._parts.note("transfer.started", to=self._to, mode=self._mode)
        outcome = ""
        if self._mode == "blind" and not await self._is_agent(self._to):
            outcome = await self._refer(lambda: self._caller.refer(self._to))
        outcome = outcome or await self._call(bridged)
        self._parts.note("transfer.ended", to=self._to, mode=self._mode, outcome=outcome)
        return outcome

    async def _refer(self, send: Callable[[], object]) -> str:
        """The caller's phone does it; "" when that phone does not take a REFER."""
        self._parts.stack.post(send)
        status, taken = 0, False
        try:
            async with asyncio.timeout(REFER_ANSWER_S) as limit:
                while True:
                    news = await self._referred.get()
                    self._parts.note("transfer.progress", status=news.status, final=news.final)
                    status = news.status
                    if news.final:
                        break
                    taken = True
                    limit.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
        except TimeoutError:
            return "no_answer" if taken else ""
        if _SUCCESS <= status < _FAILURE:
            return "transferred"
        return _OF_STATUS.get(status, "failed") if taken else ""

    async def _call(self, bridged: Callable[[], None]) -> str:
        leg = self._dial(self._to, headers_of(self._parts, {}), "transfer")
        try:
            outcome = await leg.ring(self._timeout_s)
            if outcome is not Outcome.ANSWERED or leg.leg is None:
                return _OUTCOMES.get(outcome, "failed")
            await leg.send_keys(self._keys)
            await leg.tell(self._whisper, *self._voice)
            if leg.ended:
                return "refused"
            target = leg.leg
            if self._mode == "attended" and await self._refer(lambda: self._caller.refer_to(target)) == "transferred":
                return "transferred"
            if leg.ended:
                return "failed"
            return await self._bridge(leg, bridged)
        finally:
            leg.cancel()
            self._room.empty()

    async def _bridge(self, leg: OutLeg, bridged: Callable[[], None]) -> str:
        over = asyncio.Event()
        leg.on_ended = over.set
        bridged()
        assert leg.leg is not None
        self._room.seat(CONSULTED, leg.leg)
        self._room.enter(Stage.HANDED_OVER)
        if not leg.ended:
            await over.wait()
        return "ended"
