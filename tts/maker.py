"""Makes prompts: each text once, live callers first, no engine waiting for another.

Owns the queue of texts and the engines. All methods belong to one asyncio loop; engines and disk work in threads.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tts.cache import Kept, PromptCache, memory_cache
from tts.errors import EngineCrashed, PromptNotKept, SpeechBusy, SpeechUnreachable, SynthesiserFailed
from tts.finishing import finished
from tts.normaliser import normalise
from tts.recipe import Recipe
from tts.synthesiser import Synthesiser

MAX_WAITING = 2000

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Job:
    key: str
    clause: str
    language: str
    voice: str
    warm: bool  # nobody waits for it yet
    done: "asyncio.Future[Kept]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class PromptMaker:
    """Answers `make` from the cache or with one of its engines. `refused` counts the texts it had no room for."""

    def __init__(self, recipe: Recipe, cache: PromptCache, engines: Sequence[Synthesiser]) -> None:
        self._recipe = recipe
        self._cache = cache
        self._engines = engines
        self._live: deque[_Job] = deque()
        self._warm: deque[_Job] = deque()
        self._jobs: dict[str, _Job] = {}
        self._work = asyncio.Event()
        self.refused = 0

    async def run(self) -> None:
        """Makes prompts until cancelled. With several engines the first is kept free for live callers."""
        try:
            async with asyncio.TaskGroup() as group:
                for number, engine in enumerate(self._engines):
                    live_only = number == 0 and len(self._engines) > 1
                    group.create_task(self._serve(engine, live_only), name=f"engine {number}")
                group.create_task(asyncio.to_thread(self._cache.trim), name="trim")
        finally:
            for job in self._jobs.values():
                if not job.done.done():
                    job.done.set_exception(SpeechUnreachable("the speech process is stopping"))
            for engine in self._engines:
                engine.close()

    def start(self, clause: str, language: str, voice: str, *, warm: bool = False) -> "asyncio.Future[Kept]":
        """Puts a clause in line, unless it is there or made already. Raises SpeechBusy, VoiceMissing.

        The future is shared by all who ask: await it under `asyncio.shield`. It raises SynthesiserFailed.
        """
        key = self._recipe.key(clause, language, voice)
        if job := self._jobs.get(key):
            if not warm and job in self._warm:  # now somebody waits for it
                self._warm.remove(job)
                job.warm = False
                self._live.append(job)
                self._work.set()
            return job.done
        job = _Job(key, clause, language, voice, warm)
        if kept := self._cache.find(key):
            job.done.set_result(kept)
            return job.done
        if len(self._jobs) >= MAX_WAITING:
            self.refused += 1
            raise SpeechBusy(f"{MAX_WAITING} texts are waiting to be spoken")
        job.done.add_done_callback(_heard)
        self._jobs[key] = job
        (self._warm if warm else self._live).append(job)
        self._work.set()
        return job.done

    async def _serve(self, engine: Synthesiser, live_only: bool) -> None:
        while True:
            job = await self._next(live_only)
            try:
                kept = await asyncio.to_thread(self._made, engine, job)
            except SynthesiserFailed as error:
                if not job.warm:  # of those who asks ahead names each reason once
                    _log.warning("no prompt: %s", error)
                job.done.set_exception(error)
            except Exception as error:  # noqa: BLE001 - the top frame of a prompt: a text that is a bug's costs itself
                _log.exception("no prompt")
                job.done.set_exception(EngineCrashed(f"making the prompt failed: {error!r}"))
            else:
                job.done.set_result(kept)
            del self._jobs[job.key]

    async def _next(self, live_only: bool) -> _Job:
        while True:
            for waiting in (self._live,) if live_only else (self._live, self._warm):
                if waiting:
                    return waiting.popleft()
            self._work.clear()
            await self._work.wait()

    def _made(self, engine: Synthesiser, job: _Job) -> Kept:
        speech = engine.synthesise(normalise(job.clause, job.language), job.language, job.voice)
        pcm = finished(speech, job.clause, self._recipe.rate_hz, self._recipe.level_dbfs).astype("<i2").tobytes()
        try:
            return self._cache.keep(job.key, pcm)
        except OSError as error:
            _log.error("the prompt cache cannot be written (%s); prompts are kept in memory", error)
        try:
            return memory_cache(self._recipe.rate_hz).keep(job.key, pcm)
        except OSError as error:
            raise PromptNotKept(f"no room for a prompt, neither in the prompt cache nor in memory: {error}") from error


def _heard(done: "asyncio.Future[Kept]") -> None:
    """Looks at the error of a prompt that nobody waits for any more, so that asyncio does not complain."""
    with suppress(asyncio.CancelledError):
        done.exception()
