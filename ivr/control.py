"""The control process: callers come to agents (`ivr.acdservice`); then calls are kept (`ivr.callkeeper`) and
programs answered (`ivr.rest`).

It may be killed and started again at any time: who waits is in the store, what calls did is in their bundles.
"""

import asyncio
import gc
import logging
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from ivr.acdservice import AcdService
from ivr.bus import Bus
from ivr.busaddress import address_finder
from ivr.config import Config
from ivr.patientstore import PatientStore
from ivr.process import say_ready
from ivr.rest import server
from ivr.store.store import Store

if TYPE_CHECKING:
    from ivr.callkeeper import CallKeeper

log = logging.getLogger(__name__)

_ACD_FIRST_S = 1.0


def main(config: Config) -> int:
    """Runs until SIGTERM; prints the ready line when it serves. Returns the process's exit status."""
    asyncio.run(_main(config))
    return 0


async def _main(config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = Store(config.store_url)
    try:
        control = Control(config, store)
        async with control.bus, asyncio.TaskGroup() as group:
            tasks = [group.create_task(control.acd.run(), name="acd")]
            say_ready("control", pid=os.getpid())
            with suppress(TimeoutError):  # who waits for an agent comes before all that may take its time
                async with asyncio.timeout(_ACD_FIRST_S):
                    await control.acd.decided.wait()
            keeper = await control.keeper()
            gc.collect()
            gc.freeze()  # what stays for good is no more looked at: garbage of calls is found sooner, and in less time
            tasks += [
                group.create_task(keeper.run(), name="call keeper"),
                group.create_task(server.serve(config, store.database, control.bus), name="rest"),
            ]
            await stop.wait()
            for task in tasks:
                task.cancel()
    finally:
        await store.close()


class Control:
    """Joins bus, store and ACD."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = PatientStore(store, self._fill)
        self.bus = Bus(address_finder(config), "control")
        self.bus.set_state({"state": "up"})
        self.acd = AcdService(config.queues, store.database, self._store, self.bus)

    async def keeper(self) -> "CallKeeper":
        """Imports, in a thread, and makes what keeps calls."""

        def load() -> "type[CallKeeper]":
            from ivr.callkeeper import CallKeeper  # noqa: PLC0415 - half a second

            return CallKeeper

        return (await asyncio.to_thread(load))(self._config, self._store, self.bus, self.acd.call_ended)

    async def _fill(self) -> None:
        """The store is new: every sealed call is read into it."""

        def mark() -> int:
            from recordings.seal import mark_all_unstored  # noqa: PLC0415 - numpy takes its time, and this is rare

            return mark_all_unstored(self._config.recordings_folder)

        try:
            if count := await asyncio.to_thread(mark):
                log.warning("the store is new: reading %d calls from their bundles", count)
        except OSError as error:
            log.error("calls of before are not read into the new store (`ivr bundle repair` does): %s", error)
