"""The control process: what the bus tells of calls goes into the store at once, the bundles bring it there for good;
and callers come to agents (`ivr.acdservice`).

It may be killed and started again at any time: calls that are up are read from their bundles, ended ones by the
archivist.
"""

import asyncio
import gc
import logging
import os
import signal
import time
from contextlib import suppress

from ivr import messages
from ivr.acdservice import AcdService
from ivr.archivist import Archivist
from ivr.bus import Bus
from ivr.busaddress import address_finder
from ivr.config import Config
from ivr.flowstore import open_store
from ivr.flowwatch import FlowWatch
from ivr.livecalls import LiveCalls
from ivr.messages import Envelope, MessageError
from ivr.patientstore import PatientStore
from ivr.process import say_ready
from ivr.rest import server
from ivr.speech import client
from ivr.store.errors import StoreRefusedError, StoreUnavailableError
from ivr.store.rows import CallRows
from ivr.store.store import Store
from recordings.callid import is_call_id
from recordings.errors import CallNotFoundError
from recordings.event import Event
from recordings.layout import CALL_ENDED, OPEN
from recordings.read import CallRecord, read
from recordings.seal import mark_all_unstored

log = logging.getLogger(__name__)

_GATHER_S = 0.05
_RETRY_S = 0.2
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
            gc.collect()
            gc.freeze()  # what stays for good is no more looked at: garbage of calls is found sooner, and in less time
            say_ready("control", pid=os.getpid())
            with suppress(TimeoutError):  # who waits for an agent comes before all that may take its time
                async with asyncio.timeout(_ACD_FIRST_S):
                    await control.acd.decided.wait()
            tasks += [
                group.create_task(control.write(), name="live rows"),
                group.create_task(control.archivist.run(), name="archivist"),
                group.create_task(control.flows.run(), name="flows"),
                group.create_task(server.serve(config, store.database, control.bus), name="rest"),
            ]
            await stop.wait()
            for task in tasks:
                task.cancel()
    finally:
        await store.close()


class Control:
    """Joins bus, store and archivist."""

    def __init__(self, config: Config, store: Store) -> None:
        self._folder = config.recordings_folder
        self._live = LiveCalls()
        self._changed = asyncio.Event()
        self._store = PatientStore(store, self._fill)
        self.bus = Bus(address_finder(config), "control")
        self.bus.listen(messages.CALL_EVENTS, self._heard)
        self.bus.set_state({"state": "up"})
        self.acd = AcdService(config.queues, store.database, self._store, self.bus)
        self.flows = FlowWatch(open_store(config), self._folder, lambda: client(config))
        self.archivist = Archivist(self._folder, self._store, self._repaired, self._stored)

    async def write(self) -> None:
        """Saves what is new of the calls that are up, for ever."""
        for record in await asyncio.to_thread(self._calls_up):
            self._live.take(record.call_id, record.events, record.about)
        self._changed.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            await asyncio.sleep(_GATHER_S)
            while batch := self._live.unsaved():
                try:
                    await self._save([call.rows(only) for call, only in batch])
                except StoreUnavailableError:
                    await asyncio.sleep(_RETRY_S)
                    continue
                for call, only in batch:
                    self._live.saved(call, only)

    async def _save(self, batch: list[CallRows]) -> None:
        try:
            await self._store.save(batch)
        except StoreRefusedError:
            for rows in batch:
                try:
                    await self._store.save([rows])
                except StoreRefusedError as error:
                    log.error("call %s: the store does not take its rows: %s", rows.call_id, error)
                    self._live.forget(rows.call_id)

    def _heard(self, topic: str, envelope: Envelope) -> None:
        try:
            call_id, event = messages.parse_call_event(topic, envelope.data)
        except MessageError as error:
            log.warning("not a call's event: %s", error)
            return
        self._live.take(call_id, [event])
        self._changed.set()
        if event.kind == CALL_ENDED:
            self.flows.call_ended(call_id, event)
            self.acd.call_ended(call_id, event.wall)

    def _repaired(self, call_id: str, ended: Event) -> None:
        self.bus.publish_event(call_id, ended.to_json())

    def _stored(self, call_id: str) -> None:
        """The call is whole in the store. Its worker may not have reached the bus: the ACD hears of its end here."""
        self._live.forget(call_id)
        self.acd.call_ended(call_id, time.time())

    async def _fill(self) -> None:
        """The store is new: every sealed call is read into it."""
        try:
            if count := await asyncio.to_thread(mark_all_unstored, self._folder):
                log.warning("the store is new: reading %d calls from their bundles", count)
        except OSError as error:
            log.error("calls of before are not read into the new store (`ivr bundle repair` does): %s", error)

    def _calls_up(self) -> list[CallRecord]:
        """The calls that may have begun while there was no control."""
        found = []
        for path in sorted((self._folder / OPEN).glob("*")):
            if is_call_id(path.name):
                with suppress(CallNotFoundError):
                    found.append(read(self._folder, path.name))
        return found
