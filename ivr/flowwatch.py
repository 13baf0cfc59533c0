"""Keeps the live flows what the folder says: publishes edits, has their prompts made, counts how their calls end.

Runs in control. Publishing, choosing and rolling back are `ivr.flowstore`'s; a call reads its flow there itself.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from flows.flow import Flow
from ivr.fixedprompts import fixed_prompts
from ivr.flowstore import FlowStore
from recordings.errors import RecordingError
from recordings.event import Event
from recordings.read import read
from tts.client import SpeechClient
from tts.errors import SynthesiserFailed

log = logging.getLogger(__name__)
LOOK_EACH_S = 0.5


class FlowWatch:
    """Event loop only; files are read in a thread."""

    def __init__(self, store: FlowStore, recordings: Path, speech: Callable[[], SpeechClient]) -> None:
        self._store = store
        self._recordings = recordings
        self._speech = speech
        self._known: dict[str, int] = {}
        self._trouble = ""
        self._ended: asyncio.Queue[tuple[str, Event]] = asyncio.Queue(10_000)

    def call_ended(self, call_id: str, event: Event) -> None:
        """A call is over; how it ended counts for the version that it ran."""
        if not self._ended.full():
            self._ended.put_nowait((call_id, event))

    async def run(self) -> None:
        """Looks at the folder and counts, until cancelled."""
        while True:
            trouble = ""
            try:
                await asyncio.to_thread(self._refresh)
                await asyncio.to_thread(self._count)
            except OSError as error:
                trouble = str(error)
            if trouble not in ("", self._trouble):  # once, not twice a second: the disk may be full already
                log.error("flows cannot be published: %s", trouble)
            self._trouble = trouble
            for flow in await asyncio.to_thread(self._fresh):
                await self._make_prompts(flow)
            await asyncio.sleep(LOOK_EACH_S)

    def _refresh(self) -> None:
        for problem in self._store.refresh(time.time()):
            log.error("not published: %s", problem)

    def _fresh(self) -> list[Flow]:
        """The flows published since the last look; none at the first, when speech makes all prompts itself."""
        found = []
        first = not self._known
        for name in self._store.names():
            versions = self._store.shelf(name).versions
            newest = versions[-1].number if versions else 0
            if self._known.get(name) != newest:
                self._known[name] = newest
                flow = None if first else self._store.newest(name)
                found += [flow] if flow else []
        return found

    async def _make_prompts(self, flow: Flow) -> None:
        log.info("flow %s: version %d is published", flow.name, flow.version)
        try:
            client = self._speech()
            for prompt in fixed_prompts(flow):
                await client.warm(prompt.text, prompt.language, prompt.voice)
        except SynthesiserFailed as error:
            log.warning("prompts of flow %s are made when they are needed: %s", flow.name, error)

    def _count(self) -> None:
        while not self._ended.empty():
            call_id, event = self._ended.get_nowait()
            try:
                started = next(one for one in read(self._recordings, call_id).events if one.kind == "call.started")
            except (RecordingError, StopIteration):
                continue
            name, number = started.data.get("flow"), started.data.get("publication")
            if isinstance(name, str) and isinstance(number, int):
                self._store.ended(name, number, str(event.data.get("termination", "")))
