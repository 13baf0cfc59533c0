"""A talk of the caller with an agent, from the bridge to its end: hold, consultation, conference, handing over.

The agent steers it by star codes (docs/agents.md) and by the hold key of the phone.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from ivr.callparts import CallParts
from ivr.outleg import Outcome, OutLeg
from ivr.room import Room
from ivr.starcodes import Asked, Code, StarCodes
from ivr.whohears import AGENT, CONSULTED, Stage

log = logging.getLogger(__name__)
CONSULT_RINGS_S = 30.0


@dataclass(frozen=True, slots=True)
class _Gone:
    """A leg has ended."""

    leg: OutLeg


@dataclass(frozen=True, slots=True)
class _Rang:
    """Ringing somebody to consult came to an end."""

    leg: OutLeg
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _HeldByPhone:
    held: bool


_News = Asked | _Gone | _Rang | _HeldByPhone


class Talk:
    """One talk. `dial(number)` makes a leg to consult; `on_state` hears "talking", "hold" and, once, "over"."""

    def __init__(
        self,
        parts: CallParts,
        room: Room,
        agent: OutLeg,
        dial: Callable[[str], OutLeg],
        on_state: Callable[[str], None],
    ) -> None:
        self._parts = parts
        self._room = room
        self._agent: OutLeg | None = agent
        self._other: OutLeg | None = None
        self._other_up = False
        self._leaving = False
        self._dial = dial
        self._on_state = on_state
        self._state = ""
        self._codes = StarCodes()
        self._news: asyncio.Queue[_News] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Bridges and serves until the caller has nobody to talk with any more; `close` must follow."""
        agent = self._agent
        assert agent is not None
        agent.on_key = self._on_key
        agent.on_held = lambda held: self._news.put_nowait(_HeldByPhone(held))
        agent.on_ended = lambda: self._news.put_nowait(_Gone(agent))
        if agent.ended or agent.leg is None:
            return
        self._room.seat(AGENT, agent.leg)
        self._enter(Stage.TALK)
        while self._agent is not None or self._other is not None:
            self._on_news(await self._news.get())

    def close(self) -> None:
        """The talk is over, also one that never came to the bridge: everybody but the caller is hung up."""
        for leg in (self._agent, self._other):
            if leg is not None:
                leg.cancel()
        self._room.empty()
        self._tell("over")

    def _on_key(self, key: str) -> None:
        if (asked := self._codes.key(key, asyncio.get_running_loop().time())) is not None:
            self._news.put_nowait(asked)

    def _on_news(self, news: _News) -> None:
        match news:
            case Asked(code, number):
                self._parts.note("agent.code", "agent", code=code.name.lower(), number=number)
                self._on_code(code, number)
            case _Rang(leg, outcome) if leg is self._other:
                self._rang(leg, outcome)
            case _Gone(leg) if leg is self._agent:
                self._agent_gone()
            case _Gone(leg) if leg is self._other:
                self._other_gone("over")
            case _HeldByPhone(held):
                self._held_by_phone(held)

    def _on_code(self, code: Code, number: str) -> None:
        match code:
            case Code.HOLD:
                self._swap()
            case Code.CONSULT if self._other is None:
                self._consult(number)
            case Code.TRANSFER if self._other is None:
                self._leaving = True
                self._consult(number)
            case Code.CONFERENCE if self._other_up:
                self._enter(Stage.CONFERENCE)
            case Code.COMPLETE if self._other is not None:
                self._leave()
            case Code.BACK if self._other is not None:
                self._drop_other()
                self._enter(Stage.TALK)
            case Code.HANG_UP:
                self._drop_other()
                self._let_agent_go()
            case _:
                self._signal("refused")

    def _swap(self) -> None:
        """To the caller where the agent talks with another or with nobody; else to hold, or back to the other."""
        if self._room.stage is not Stage.TALK:
            self._enter(Stage.TALK)
        else:
            self._enter(Stage.CONSULT if self._other is not None else Stage.HOLD)

    def _consult(self, number: str) -> None:
        self._parts.note("consult.started", "agent", number=number)
        self._other, self._other_up = self._dial(number), False
        leg = self._other
        leg.on_ringing = lambda: self._signal("ringback")
        self._enter(Stage.CONSULT)

        async def ring() -> None:
            self._news.put_nowait(_Rang(leg, await leg.ring(CONSULT_RINGS_S)))

        self._start(ring(), "consult")

    def _rang(self, leg: OutLeg, outcome: Outcome) -> None:
        self._parts.note("consult.rang", "agent", outcome=str(outcome))
        if self._agent is not None:
            self._agent.stop_tones()
        if outcome is not Outcome.ANSWERED or leg.leg is None or leg.ended:
            self._other_gone(str(outcome))
            return
        self._other_up = True
        leg.on_ended = lambda: self._news.put_nowait(_Gone(leg))
        self._room.seat(CONSULTED, leg.leg)
        if self._leaving or self._agent is None:
            self._leave()
        else:
            self._enter(self._room.stage)

    def _other_gone(self, why: str) -> None:
        self._parts.note("consult.ended", "agent", reason=why)
        was = self._room.stage
        self._drop_other()
        if self._agent is None:
            return
        if self._leaving or was is Stage.CONFERENCE:
            self._enter(Stage.TALK)
        elif was is Stage.CONSULT:
            self._enter(Stage.HOLD)
        self._leaving = False
        self._signal("refused")

    def _agent_gone(self) -> None:
        """An agent who hangs up while another is on the line has left the caller to that one."""
        if self._other_up:
            self._leave()
        else:
            self._drop_other()
            self._agent = None

    def _leave(self) -> None:
        """The agent goes; the caller talks with the other one, or waits with music until that one answers."""
        assert self._other is not None
        self._room.seat(AGENT, None)
        if self._other_up:
            self._parts.note("transfer.ended", "agent", to=self._other.target, outcome="transferred")
            self._room.enter(Stage.HANDED_OVER)
        else:
            self._room.enter(Stage.CONSULT)
        self._let_agent_go()

    def _let_agent_go(self) -> None:
        agent, self._agent = self._agent, None
        self._room.seat(AGENT, None)
        if agent is not None:
            agent.on_ended = lambda: None
            agent.hang_up()
        self._tell("over")

    def _drop_other(self) -> None:
        other, self._other, self._other_up = self._other, None, False
        self._room.seat(CONSULTED, None)
        if other is not None:
            other.on_ended = lambda: None
            other.cancel()

    def _held_by_phone(self, held: bool) -> None:
        if held and self._room.stage is Stage.TALK:
            self._enter(Stage.HOLD)
        elif not held and self._room.stage is Stage.HOLD:
            self._enter(Stage.TALK)

    def _enter(self, stage: Stage) -> None:
        self._room.enter(stage)
        self._tell("hold" if stage is Stage.HOLD else "talking")

    def _tell(self, state: str) -> None:
        """Tells a change; after "over" nothing."""
        if self._state not in {state, "over"}:
            self._state = state
            self._on_state(state)

    def _signal(self, tone: str) -> None:
        if self._agent is not None:
            self._agent.play_tone(tone)

    def _start(self, work: object, name: str) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name=name)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
