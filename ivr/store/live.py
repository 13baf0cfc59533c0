"""What the store knows of the present: the ACD's board, calls that are up, how today went, why somebody was rung."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ivr.acd.model import QueueSettings
from ivr.acdboard import Board
from ivr.store.acdstate import load
from ivr.store.acdtables import decisions, offers, queue_log
from ivr.store.database import Database
from ivr.store.schema import calls, events

_UP_FOR_S = 2 * 86_400.0  # a call that began before was never told to be over
_GAVE_UP = ("abandoned", "hangup")


@dataclass(frozen=True, slots=True)
class CallUp:
    """A call that is up; `step` of its flow is empty before the first, `started` in Unix seconds."""

    call_id: str
    started: float
    caller: str
    called: str
    flow: str
    language: str
    step: str


@dataclass(frozen=True, slots=True)
class Served:
    """How many callers of a queue were answered, `in_time` within its service level; how many gave up, and when."""

    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0


class Live:
    """Queries. Every error is a StoreError."""

    def __init__(self, database: Database, queues: Mapping[str, QueueSettings]) -> None:
        self._database = database
        self._queues = queues

    async def board(self) -> Board:
        """Agents, callers, offers and callbacks, as the last decision left them; to look at only."""
        async with self._database.reading() as connection:
            return await load(connection, self._queues)

    async def calls(self, now: float) -> list[CallUp]:
        """The calls that are up, oldest first."""
        here = sa.and_(events.c.call_id == calls.c.call_id, events.c.kind == "step.entered")
        last = sa.select(sa.func.max(events.c.seq)).where(here).correlate(calls).scalar_subquery()
        step = sa.select(events.c.data).where(here, events.c.seq == last).correlate(calls).scalar_subquery()
        columns = [calls.c[name] for name in ("call_id", "started", "caller", "called", "flow", "language")]
        up = sa.select(*columns, step.label("step")).where(calls.c.ended.is_(None), calls.c.started > now - _UP_FOR_S)
        async with self._database.reading() as connection:
            rows = await connection.execute(up.order_by(calls.c.started))
            return [CallUp(**{**row, "step": str((row["step"] or {}).get("step", ""))}) for row in rows.mappings()]

    async def served(self, since: float) -> dict[str, Served]:
        """By queue, the waits that were over after `since`."""
        if not self._queues:
            return {}
        levels = {name: queue.servicelevel_s for name, queue in self._queues.items()}
        in_time = queue_log.c.wait_s <= sa.case(levels, value=queue_log.c.queue)
        answered = queue_log.c.agent.is_not(None)
        gave_up = sa.and_(queue_log.c.agent.is_(None), queue_log.c.outcome.in_(_GAVE_UP))
        counted = [
            sa.func.count(sa.case((condition, 1)))
            for condition in (answered, sa.and_(answered, in_time), gave_up, sa.and_(gave_up, in_time))
        ]
        this = (queue_log.c.queue.in_(levels), queue_log.c.ended >= since)
        async with self._database.reading() as connection:
            rows = await connection.execute(
                sa.select(queue_log.c.queue, *counted).where(*this).group_by(queue_log.c.queue)
            )
            return {row[0]: Served(*row[1:]) for row in rows}

    async def decisions(self, call_id: str) -> list[dict[str, Any]]:
        """{at, queue, offers, why, candidates} of each decision for a call or callback, in their order."""
        names = ("at", "queue", "offers", "why", "candidates")
        kept = sa.select(*(decisions.c[name] for name in names)).where(decisions.c.call_id == call_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(kept.order_by(decisions.c.at, decisions.c.id))
            return [dict(row) for row in rows.mappings()]

    async def offers(self, call_id: str) -> list[dict[str, Any]]:
        """{agent, made, ringing, outcome, ended} of each offer for a call or callback, in their order."""
        names = ("agent", "made", "ringing", "outcome", "ended")
        kept = sa.select(*(offers.c[name] for name in names)).where(offers.c.call_id == call_id)
        async with self._database.reading() as connection:
            return [dict(row) for row in (await connection.execute(kept.order_by(offers.c.made))).mappings()]

    async def last_decided(self) -> str:
        """The call of the newest decision; "" where there was none."""
        newest = sa.select(decisions.c.call_id).order_by(decisions.c.id.desc()).limit(1)
        async with self._database.reading() as connection:
            return (await connection.execute(newest)).scalar() or ""

    async def state_of(self, call_id: str) -> str:
        """ "up", "over", or "" where the store does not know the call."""
        async with self._database.reading() as connection:
            known = await connection.execute(sa.select(calls.c.ended).where(calls.c.call_id == call_id))
            row = known.one_or_none()
            return "" if row is None else "up" if row.ended is None else "over"
