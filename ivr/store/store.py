"""Reads and writes calls, on SQLite or PostgreSQL alike. Every error is a StoreError."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa

from ivr.store.database import Database
from ivr.store.rows import CallRows
from ivr.store.schema import calls, events, legs, utterances
from recordings.event import Event
from recordings.summary import Summary

_SUMMARY = [calls.c[field.name] for field in fields(Summary)]


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call as the store knows it; `archived`: it was read from the sealed bundle, so nothing is missing."""

    summary: Summary
    events: list[Event]
    archived: bool


class Store:
    """The calls in a store. Make it inside the event loop, `await close()` at the end.

    What takes longer than `answer_s` counts as unavailable.
    """

    def __init__(self, url: str, answer_s: float = 20.0) -> None:
        self.database = Database(url, answer_s)

    async def migrate(self) -> bool:
        """Makes the store, or brings it to this version's tables; True when it was made. Raises StoreError."""
        return await self.database.migrate()

    async def save(self, batch: Sequence[CallRows]) -> None:
        """Writes rows of some calls in one transaction; writing them again changes nothing. Raises StoreError."""
        upsert = self.database.upsert
        async with self.database.writing() as connection:
            await upsert(connection, calls, [rows.call for rows in batch], guard=calls.c.archived)
            await upsert(connection, legs, [row for rows in batch for row in rows.legs])
            await upsert(connection, utterances, [row for rows in batch for row in rows.utterances])
            await upsert(connection, events, [row for rows in batch for row in rows.events])

    async def newest(self, count: int) -> list[Summary]:
        """The last calls, newest first. Raises StoreError."""
        async with self.database.reading() as connection:
            result = await connection.execute(sa.select(*_SUMMARY).order_by(calls.c.started.desc()).limit(count))
            return [Summary(**row) for row in result.mappings()]

    async def call(self, call_id: str) -> StoredCall | None:
        """One call with its events; None where the store does not know it. Raises StoreError."""
        async with self.database.reading() as connection:
            found = await connection.execute(sa.select(*_SUMMARY, calls.c.archived).where(calls.c.call_id == call_id))
            row = found.mappings().one_or_none()
            if row is None:
                return None
            facts = dict(row)
            archived = bool(facts.pop("archived"))
            lines = await connection.execute(
                sa.select(*(column for column in events.c if column.name != "call_id"))
                .where(events.c.call_id == call_id)
                .order_by(events.c.seq)
            )
            return StoredCall(Summary(**facts), [Event(**line) for line in lines.mappings()], archived)

    async def archived(self, call_ids: Sequence[str]) -> set[str]:
        """Those of the calls that were read from their sealed bundles. Raises StoreError."""
        async with self.database.reading() as connection:
            known = sa.select(calls.c.call_id).where(calls.c.archived, calls.c.call_id.in_(call_ids))
            return set((await connection.execute(known)).scalars())

    async def close(self) -> None:
        """Gives the connections back."""
        await self.database.close()
