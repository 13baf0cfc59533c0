"""A desk for commands: its own way to the store and to the bus of a running hotline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ivr.bus import Bus
from ivr.busaddress import address_finder
from ivr.config import Config
from ivr.desk import ANSWER_S, Desk
from ivr.store.database import Database


@asynccontextmanager
async def open_desk(config: Config, bus: Bus | None = None, bus_within_s: float = ANSWER_S) -> AsyncIterator[Desk]:
    """Waits for the bus, but not for longer than `bus_within_s`: without it the desk can only look."""
    database = Database(config.store_url, ANSWER_S)
    try:
        async with bus or Bus(address_finder(config), "desk") as line:
            with suppress(TimeoutError):
                await asyncio.wait_for(line.connected.wait(), bus_within_s)
            yield Desk(config.queues, database, line)
    finally:
        await database.close()
