"""The ACD of a control process: takes the commands to `acd`, decides in rounds, tells workers whom to ring.

The store is the truth: what a round has changed is written before anybody is told. Several control processes may do
this at once. Without a store commands wait for it as long as their senders do; without the bus nothing is decided.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from random import Random, SystemRandom
from typing import Protocol

from ivr import acdround
from ivr.acd.due import wake
from ivr.acdboard import Board
from ivr.acdcommands import AcdRefusal, Join, Leave, OfferOutcome, PinCheck, Renew, Talk, parse
from ivr.acdround import Answer, Ask, Reply, World
from ivr.acdtelling import Telling
from ivr.bus import Bus, CommandRefusedError
from ivr.messages import GONE, Envelope
from ivr.pins import PinGuard
from ivr.queuesettings import QueueTable, settings_of
from ivr.store.accounts import Accounts
from ivr.store.acdstate import AcdState
from ivr.store.database import Database
from ivr.store.errors import StoreError, StoreUnavailableError
from ivr.store.rows import clean

log = logging.getLogger(__name__)

TARGET = "acd"
EVENTS = "hotline/acd/event"
REGISTRATIONS = "hotline/registration/+"
WORKERS = "hotline/worker/+/state"
_TICK_S = 0.25
_QUIET_TICK_S = 1.0
_SOONEST_S = 0.01
_STORE_AGAIN_S = 0.1
_BATCH = 200
_OVER_KEPT = 1000
_TOO_LATE = "the call has left the queue since"
_BACK_WITHIN_S = 0.5  # a broker that ends closes our connection sooner
_HEAR_AGAIN_S = 5.0  # a process has connected again, and told its state, this long after we have
_SLOW_S = 1.0


class Readiness(Protocol):
    """Makes the store ready for use (`ivr.patientstore`)."""

    async def prepare(self) -> None:
        """Raises StoreUnavailableError."""

    def lost(self, error: StoreUnavailableError) -> None:
        """The store was not there."""


@dataclass(slots=True)
class _Pending:
    ask: Ask
    future: asyncio.Future[Answer] | None
    expires_at: float


class AcdService:
    """Make it before the bus is entered; `run` it inside. `wall` gives Unix seconds."""

    def __init__(
        self,
        queues: Mapping[str, QueueTable],
        database: Database,
        readiness: Readiness,
        bus: Bus,
        wall: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        self._queues = queues
        self._readiness = readiness
        self._bus = bus
        self._wall = wall
        self._random = random or SystemRandom()
        self._state = AcdState(database, settings_of(queues))
        self._pins = PinGuard(Accounts(database), wall)
        self._telling = Telling(bus, self._do, wall)
        self._pending: list[_Pending] = []
        self._bell = asyncio.Event()
        self._heard: dict[str, float] = {}
        self._over: dict[str, float] = {}
        self._idle: dict[str, None] = {}
        self._missed: dict[str, float] = {}
        self._listening_since: float | None = None
        self.decided = asyncio.Event()
        """Set after the first round in which the bus was there."""
        bus.serve_envelopes(TARGET, self._serve)
        bus.listen(REGISTRATIONS, self._registered)
        bus.listen(WORKERS, self._worker)

    async def run(self) -> None:
        """Decides for ever, at once after each command and when time alone brings something."""
        try:
            while True:
                self._bell.clear()
                pause_s = await self._round()
                if self._listening_since is not None:
                    self.decided.set()
                try:
                    async with asyncio.timeout(pause_s):
                        await self._bell.wait()
                except TimeoutError:
                    pass
        finally:
            self._telling.stop()

    def call_ended(self, call_id: str, at: float) -> None:
        """The call is over, at this Unix time, whatever its worker last said."""
        self._is_over(call_id, at)
        board = self._state.board
        if board is None or call_id in board.callers:
            self._do(lambda board, now: board.drop_caller(call_id, "abandoned", now))

    # What comes in ----------------------------------------------------------------------------------------------------

    async def _serve(self, envelope: Envelope) -> Answer:
        try:
            command = parse({**clean(envelope.data), "sent": envelope.ts})
        except AcdRefusal as refusal:
            raise CommandRefusedError(refusal.code, str(refusal)) from refusal
        if isinstance(command, PinCheck):
            return await self._pins.check(command.user, command.pin)
        if isinstance(command, Leave) or (isinstance(command, Talk) and command.state == "over"):
            self._is_over(command.call_id, envelope.ts)
        elif isinstance(command, OfferOutcome) and command.call_id in self._over:
            command = command.model_copy(update={"outcome": "cancelled"})
        elif isinstance(command, Join):
            if self._came_too_late(command, envelope.ts):
                raise CommandRefusedError("call.over", _TOO_LATE)
            self._over.pop(command.call_id, None)
            self._heard[command.call_id] = self._wall()
            if isinstance(command, Renew) and (answer := self._quick(command)) is not None:
                return answer
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        expires_at = envelope.expires_at if envelope.expires_at is not None else self._wall() + 5.0
        self._pending.append(_Pending(self._ask(command, envelope), future, expires_at))
        self._bell.set()
        answer = await future
        if isinstance(command, Join):
            self._telling.note(command.call_id, answer)
            if (table := self._queues.get(command.queue)) is not None:
                return {**answer, "announce": table.announce}
        return answer

    def _ask(self, command: object, envelope: Envelope) -> Ask:
        """What the round will do; another control process may have ended the call before our round comes."""
        ask = acdround.ask(envelope.id, command)
        if not isinstance(command, Join):
            return ask

        def work(board: Board, now: float) -> Answer:
            if self._came_too_late(command, envelope.ts):
                raise AcdRefusal("call.over", _TOO_LATE)
            return ask.work(board, now)

        return Ask(ask.id, work)

    def _came_too_late(self, command: Join, sent: float) -> bool:
        return sent < self._over.get(command.call_id, 0.0)

    def _quick(self, command: Renew) -> Answer | None:
        """The answer to a renewal that tells nothing new; None for others."""
        board = self._state.board
        caller = board.callers.get(command.call_id) if board is not None else None
        if board is None or caller is None or caller.agent != command.agent or caller.queue != command.queue:
            return None
        if not all(name in board.offers for name in command.offers):
            return None
        return self._telling.place_of(board, command.call_id)

    def _registered(self, topic: str, envelope: Envelope) -> None:
        user = topic.rsplit("/", 1)[-1]
        registered = bool(envelope.data.get("registered"))

        def note(board: Board, _now: float) -> None:
            if (agent := board.agents.get(user)) is not None:
                board.put_agent(replace(agent, registered=registered))

        self._do(note)

    def _worker(self, _topic: str, envelope: Envelope) -> None:
        name, state = envelope.data.get("name"), envelope.data.get("state")
        if not isinstance(name, str):
            return
        if state == "idle":
            self._idle[name] = None
            self._bell.set()
            return
        self._idle.pop(name, None)
        if state != GONE:
            self._missed.pop(name, None)
        elif self._listening_since is not None and self._wall() > self._listening_since + _HEAR_AGAIN_S:
            self._missed.setdefault(name, self._wall())
            self._bell.set()

    def _end_missed(self) -> None:
        """Ends the calls of workers that are gone, and did not come back, while we heard all the time.

        A broker that ends says of every worker that it is gone, and says so again when it is back.
        """
        for name, since in list(self._missed.items()):
            if self._wall() > since + _BACK_WITHIN_S:
                del self._missed[name]
                board = self._state.board
                if board is not None and _has_calls(board, name):
                    self._do(partial(_worker_gone, worker=name))

    def _do(self, work: Callable[[Board, float], None]) -> None:
        """Has the next round do this, with no answer to anybody; lost where the store stays away for a minute."""

        def ask(board: Board, now: float) -> Answer:
            work(board, now)
            return {}

        self._pending.append(_Pending(Ask("", ask), None, self._wall() + 60.0))
        self._bell.set()

    def _is_over(self, call_id: str, at: float) -> None:
        self._over[call_id] = at
        while len(self._over) > _OVER_KEPT:
            del self._over[next(iter(self._over))]
        self._heard.pop(call_id, None)

    # Rounds -----------------------------------------------------------------------------------------------------------

    async def _round(self) -> float:
        """Returns after how many seconds the next round is due."""
        self._watch_bus()
        self._end_missed()
        self._drop_expired()
        try:
            await self._readiness.prepare()
        except StoreError:
            await asyncio.sleep(_STORE_AGAIN_S)
            return _SOONEST_S
        batch, self._pending = self._pending[:_BATCH], self._pending[_BATCH:]
        try:
            await self._turn(batch)
        except StoreUnavailableError as error:
            self._readiness.lost(error)
            self._pending = batch + self._pending
            return _STORE_AGAIN_S
        except Exception as error:  # noqa: BLE001 - the service's top frame: one bad command must not stop the others
            await self._singly(batch, error)
        return _SOONEST_S if self._pending else self._until_due()

    async def _turn(self, batch: list[_Pending]) -> None:
        now = self._wall()
        world = World(self._heard, self._listening_since, list(self._idle))
        asks = [each.ask for each in batch]

        def work(board: Board, answers: Mapping[str, Answer]) -> list[Reply]:
            return acdround.play(board, asks, answers, world, now, self._random)

        replies = await self._state.turn(work, [ask.id for ask in asks if ask.id], now)
        if (took_s := self._wall() - now) > _SLOW_S:
            log.warning("acd: a round of %d commands took %.1f s: is the store slow?", len(batch), took_s)
        board = self._state.board
        assert board is not None
        for each, reply in zip(batch, replies, strict=True):
            _resolve(each, reply)
        for worker in self._telling.carry_out(board, connected=self._listening_since is not None):
            self._idle.pop(worker, None)
        for news in board.news:
            self._bus.publish(EVENTS, news)
        board.settle()
        for call_id in self._heard.keys() - board.callers.keys():
            if self._heard[call_id] < now - acdround.GONE_AFTER_S:
                del self._heard[call_id]

    async def _singly(self, batch: list[_Pending], error: Exception) -> None:
        """Finds the command that cannot be carried out, so that the others are."""
        if not batch:
            log.error("acd: a decision cannot be carried out", exc_info=error)
            await asyncio.sleep(_QUIET_TICK_S)
        for each in batch:
            try:
                await self._turn([each])
            except StoreUnavailableError:
                self._pending.append(each)
            except Exception as own:
                log.exception("acd: a command cannot be carried out")
                _resolve(each, AcdRefusal("acd.failed", str(own)))

    def _watch_bus(self) -> None:
        if not self._bus.connected.is_set():
            self._listening_since = None
            self._missed.clear()
        elif self._listening_since is None:
            self._listening_since = self._wall()

    def _drop_expired(self) -> None:
        now = self._wall()
        for each in self._pending:
            if each.expires_at < now:
                _resolve(each, AcdRefusal("acd.unavailable", "the store is away"))
        self._pending = [each for each in self._pending if each.expires_at >= now]

    def _until_due(self) -> float:
        board = self._state.board
        if board is None:
            return _TICK_S
        busy = bool(board.callers or board.tickets or board.offers)
        tick_s = _TICK_S if busy else _QUIET_TICK_S
        now = self._wall()
        due = wake(board.snapshot(), now)
        return tick_s if due is None else min(max(due - now, _SOONEST_S), tick_s)


def _resolve(pending: _Pending, reply: Reply) -> None:
    if pending.future is None or pending.future.done():
        return
    if isinstance(reply, AcdRefusal):
        pending.future.set_exception(CommandRefusedError(reply.code, str(reply)))
    else:
        pending.future.set_result(reply)


def _has_calls(board: Board, worker: str) -> bool:
    return any(caller.worker == worker for caller in board.callers.values()) or any(
        live.worker == worker for live in board.offers.values()
    )


def _worker_gone(board: Board, now: float, worker: str) -> None:
    for live in list(board.offers.values()):
        if live.worker == worker:
            board.end_offer(live.offer.offer, "cancelled", now)
    for caller in list(board.callers.values()):
        if caller.worker == worker:
            board.drop_caller(caller.call_id, "worker_died", now)
