"""Finds calls for people: in the store, and in the bundles where the store misses them, is behind, or is dead."""

from dataclasses import dataclass
from pathlib import Path

from ivr.config import Config
from ivr.store.errors import StoreError
from ivr.store.store import Store, StoredCall
from recordings.errors import CallNotFoundError
from recordings.event import Event
from recordings.read import CallRecord, call_ids, read
from recordings.summary import Summary, summarise

_ANSWER_S = 3.0


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call to show. `source` is "store" or "bundle"; `audio` is empty when the recording is not (any more) here."""

    summary: Summary
    events: list[Event]
    audio: list[Path]
    source: str


class CallSource:
    """`trouble` says why the store was not used, if it was not."""

    def __init__(self, config: Config) -> None:
        self._folder = config.recordings_folder
        self._url = config.store_url
        self.trouble = ""

    async def newest(self, count: int) -> list[Summary]:
        """The last calls, newest first."""
        store = Store(self._url, _ANSWER_S)
        try:
            stored = await store.newest(count)
        except StoreError as error:
            stored = []
            self.trouble = str(error)
        finally:
            await store.close()
        known = {summary.call_id: summary for summary in stored}
        for call_id, _ in zip(call_ids(self._folder), range(count), strict=False):
            if call_id not in known or known[call_id].ended is None:
                record = self._bundle(call_id)
                if record is not None:
                    known[call_id] = summarise(call_id, record.about, record.events)
        return sorted(known.values(), key=lambda summary: (summary.started, summary.call_id), reverse=True)[:count]

    async def find(self, call_id: str) -> FoundCall:
        """One call; "last" is the newest. Raises CallNotFoundError."""
        if call_id == "last":
            newest = await self.newest(1)
            if not newest:
                raise CallNotFoundError("there is no call yet")
            call_id = newest[0].call_id
        stored = await self._stored(call_id)
        record = self._bundle(call_id)
        audio = [*record.audio, *record.tracks] if record else []
        if stored is not None and (stored.archived or record is None):
            return FoundCall(stored.summary, stored.events, audio, "store")
        if record is None:
            raise CallNotFoundError(f"no call {call_id!r} in the store or below {self._folder}")
        return FoundCall(summarise(call_id, record.about, record.events), record.events, audio, "bundle")

    async def _stored(self, call_id: str) -> StoredCall | None:
        store = Store(self._url, _ANSWER_S)
        try:
            return await store.call(call_id)
        except StoreError as error:
            self.trouble = str(error)
            return None
        finally:
            await store.close()

    def _bundle(self, call_id: str) -> CallRecord | None:
        try:
            return read(self._folder, call_id)
        except CallNotFoundError:
            return None
