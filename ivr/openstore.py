"""For commands that work on the store of a hotline, running or not."""

from collections.abc import Awaitable, Callable

from ivr.config import Config
from ivr.store.database import Database
from ivr.store.store import Store
from recordings.seal import mark_all_unstored


async def with_database(config: Config, work: Callable[[Database], Awaitable[int]]) -> int:
    """Does `work` on the store, which is made first if there is none; returns what it returns. Raises StoreError."""
    store = Store(config.store_url)
    try:
        if await store.migrate():
            mark_all_unstored(config.recordings_folder)  # the control process fills only a store that it made itself
        return await work(store.database)
    finally:
        await store.close()
