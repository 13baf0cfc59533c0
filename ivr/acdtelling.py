"""What control tells workers: offers, until they take them; withdrawals; the places of those who wait."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from ivr.acd.estimate import Place, places
from ivr.acdboard import Board, LiveOffer, Told
from ivr.acdround import offer_command
from ivr.bus import Bus, BusError

log = logging.getLogger(__name__)

Work = Callable[[Board, float], None]
_TAKEN_WITHIN_S = 3.0
_TOLD_WITHIN_S = 10.0
_UNTOLD_S = 1.5  # then the process that made the offer has probably died before it told
_PLACES_S = 1.0
_FIRST = 10  # who is told of each move; the others hear it with their next renewal
_OFFERS = frozenset({"offer", "originate"})


class Telling:
    """`do` has the next round change the board. Event loop only."""

    def __init__(self, bus: Bus, do: Callable[[Work], None], wall: Callable[[], float]) -> None:
        self._bus = bus
        self._do = do
        self._wall = wall
        self._tasks: set[asyncio.Task[None]] = set()
        self._offered: dict[str, asyncio.Task[None]] = {}
        self._began: float | None = None
        self._places: dict[str, Place] = {}
        self._places_at = 0.0
        self._told_places: dict[str, int] = {}

    def carry_out(self, board: Board, *, connected: bool) -> list[str]:
        """Tells what the round has decided; returns the workers who were given a callback."""
        now = self._wall()
        for told in board.told:
            if told.data["command"] not in _OFFERS:
                self._spawn(self._tell(told))
        for name in self._offered.keys() - board.offers.keys():
            self._offered.pop(name).cancel()  # a worker who is cut off must not hear of it when it is back
        given = []
        if connected:
            patience_s = _UNTOLD_S if self._began is not None else 0.0
            fresh = {told.data["offer"] for told in board.told if told.data["command"] in _OFFERS}
            for name, live in board.offers.items():
                late = not live.ringing and now - live.offer.made >= patience_s
                if name not in self._offered and (name in fresh or late):
                    self._offered[name] = self._spawn(self._offer(live, offer_command(board, live)))
                    if live.attempt:
                        given.append(live.worker)
            self._began = now if self._began is None else self._began
            self._tell_places(board, now)
        return given

    def note(self, call_id: str, answer: Mapping[str, Any]) -> None:
        """The caller has heard this place."""
        if (position := answer.get("position")) is not None:
            self._told_places[call_id] = position

    def place_of(self, board: Board, call_id: str) -> dict[str, Any]:
        """Position and expected wait, at most a second old."""
        if call_id not in self._places:
            self._places_at = 0.0
        self._refresh(board, self._wall())
        place = self._places.get(call_id)
        if place is None:
            return {"position": None, "expected_wait_s": None}
        self._told_places[call_id] = place.position
        return {"position": place.position, "expected_wait_s": place.expected_wait_s}

    def stop(self) -> None:
        """Nothing more is told."""
        for task in self._tasks:
            task.cancel()

    def _refresh(self, board: Board, now: float) -> bool:
        if now - self._places_at < _PLACES_S:
            return False
        self._places, self._places_at = places(board.snapshot(), now), now
        return True

    def _tell_places(self, board: Board, now: float) -> None:
        """Those at the head of a queue hear at once that they have moved up, at most once a second."""
        if not board.callers or not self._refresh(board, now):
            return
        self._told_places = {name: at for name, at in self._told_places.items() if name in self._places}
        for call_id, place in self._places.items():
            if call_id in board.callers and place.position <= _FIRST:
                before = self._told_places.get(call_id)
                self._told_places[call_id] = place.position
                if before is not None and before != place.position:
                    data = {"position": place.position, "expected_wait_s": place.expected_wait_s}
                    self._spawn(self._tell(Told(call_id, {"command": "position", **data})))

    async def _tell(self, told: Told) -> None:
        try:
            await self._bus.request(f"call/{told.call_id}", told.data, _TOLD_WITHIN_S)
        except BusError as error:
            log.info("call %s was not told %s: %s", told.call_id, told.data["command"], error)

    async def _offer(self, live: LiveOffer, data: dict[str, Any]) -> None:
        """A worker who refuses has no caller to offer. One who does not answer is told again, until the lease ends or
        the call does: the phone may be ringing, so the agent gets no other offer.
        """
        offer = live.offer
        target = f"worker/{live.worker}" if live.attempt else f"call/{offer.call_id}"
        try:
            answer = await self._bus.request(target, data, _TAKEN_WITHIN_S)
        except BusError as error:
            log.info("offer %s was not taken: %s", offer.offer, error)
            if error.code == "bus.timeout":
                self._offered.pop(offer.offer, None)
                return
        else:
            if answer.get("accepted"):
                return
        self._do(lambda board, now: _refused(board, live, now))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _refused(board: Board, live: LiveOffer, now: float) -> None:
    """The agent is free again. A caller who is there nevertheless is put back by the next renewal."""
    if board.end_offer(live.offer.offer, "cancelled", now) is None:
        return
    ticket = board.tickets.get(live.offer.call_id)
    if ticket is not None:
        board.put_ticket(replace(ticket, not_before=now + 1.0))
    else:
        board.drop_caller(live.offer.call_id, "lost", now)
