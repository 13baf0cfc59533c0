"""What control does of calls beside bringing them to agents: what the bus tells goes into the store at once, the
bundles bring it there for good, and flows on trial are judged by how their calls ended.

Imported once callers are being brought to agents (`ivr.control`): flows and recordings take half a second to import.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from ivr import messages
from ivr.archivist import Archivist
from ivr.bus import Bus
from ivr.config import Config
from ivr.flowstore import open_store
from ivr.flowwatch import FlowWatch
from ivr.livecalls import LiveCalls
from ivr.messages import Envelope, MessageError
from ivr.patientstore import PatientStore
from ivr.speech import client
from ivr.store.errors import StoreRefusedError, StoreUnavailableError
from ivr.store.rows import CallRows
from recordings.callid import is_call_id
from recordings.errors import CallNotFoundError
from recordings.event import Event
from recordings.layout import CALL_ENDED, OPEN
from recordings.read import CallRecord, read

log = logging.getLogger(__name__)

_GATHER_S = 0.05
_RETRY_S = 0.2


class CallKeeper:
    """`ended(call_id, at)` is told of each call that is over, with the Unix time."""

    def __init__(self, config: Config, store: PatientStore, bus: Bus, ended: Callable[[str, float], None]) -> None:
        self._folder = config.recordings_folder
        self._store = store
        self._bus = bus
        self._ended = ended
        self._live = LiveCalls()
        self._changed = asyncio.Event()
        self._flows = FlowWatch(open_store(config), self._folder, lambda: client(config))
        self._archivist = Archivist(self._folder, store, self._repaired, self._stored)
        bus.listen(messages.CALL_EVENTS, self._heard)

    async def run(self) -> None:
        """Keeps calls for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write(), name="live rows")
            group.create_task(self._archivist.run(), name="archivist")
            group.create_task(self._flows.run(), name="flows")

    async def _write(self) -> None:
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
            self._flows.call_ended(call_id, event)
            self._ended(call_id, event.wall)

    def _repaired(self, call_id: str, ended: Event) -> None:
        self._bus.publish_event(call_id, ended.to_json())

    def _stored(self, call_id: str) -> None:
        """The call is whole in the store. Its worker may not have reached the bus: the ACD hears of its end here."""
        self._live.forget(call_id)
        self._ended(call_id, time.time())

    def _calls_up(self) -> list[CallRecord]:
        """The calls that may have begun while there was no control."""
        found = []
        for path in sorted((self._folder / OPEN).glob("*")):
            if is_call_id(path.name):
                with suppress(CallNotFoundError):
                    found.append(read(self._folder, path.name))
        return found
