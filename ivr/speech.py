"""The speech process: synthesises prompts for every call of this machine into the prompt cache.

Composes `tts` by the settings; `client` is the worker's end. It may die and come back under live calls: what is in the
cache plays on without it.
"""

# ruff: noqa: PLC0415 - a worker needs only `client`: it loads neither numpy nor the engines' code

import asyncio
import fcntl
import logging
import os
import signal
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from ivr.config import Config
from ivr.fixedprompts import fixed_prompts
from ivr.flowfiles import flow_files, read_files
from ivr.process import EXIT_CANNOT_START, say_ready
from tts import engines
from tts.cache import PromptCache
from tts.clauses import clauses
from tts.client import SpeechClient
from tts.errors import SynthesiserFailed
from tts.recipe import Recipe

if TYPE_CHECKING:
    from tts.isolated import IsolatedSynthesiser
    from tts.maker import PromptMaker

ENGINES = 2  # one for live callers only, one that also makes prompts ahead of time

log = logging.getLogger(__name__)


def recipe(config: Config) -> Recipe:
    """How this hotline's prompts are made. A piper voice given as a file is relative to config.toml."""
    settings = config.tts
    voices = {
        language: str(config.root / voice) if voice.endswith(".onnx") else voice
        for language, voice in settings.voices.items()
    }
    version = engines.version(settings.engine)
    return Recipe(settings.engine, version, voices, config.models_folder, settings.level_dbfs)


def client(config: Config) -> SpeechClient:
    """What a worker speaks with; make it before the fork, use it after. Opens nothing yet."""
    made_by = recipe(config)
    cache = PromptCache(config.prompts_folder, made_by.rate_hz)
    return SpeechClient(config.run_folder / "speech.sock", cache, made_by)


def main(config: Config) -> int:
    """Serves until SIGTERM or SIGINT; says when it is ready. Returns the exit status."""
    os.umask(0o077)
    config.run_folder.mkdir(parents=True, exist_ok=True)
    with (config.run_folder / "speech.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            log.error("another speech process serves %s", config.run_folder)
            return 1
        try:
            asyncio.run(_serve(config))
        except (SynthesiserFailed, OSError) as error:
            log.error("the speech process cannot serve: %s", error)
            return EXIT_CANNOT_START
    return 0


async def _serve(config: Config) -> None:
    from tts.isolated import IsolatedSynthesiser
    from tts.maker import PromptMaker
    from tts.server import listening

    made_by = recipe(config)
    socket = config.run_folder / "speech.sock"
    own = [IsolatedSynthesiser(made_by.engine, made_by.models) for _ in range(ENGINES)]
    maker = PromptMaker(made_by, PromptCache(config.prompts_folder, made_by.rate_hz), own)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with listening(socket, maker, made_by), asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(maker.run(), name="maker"),
            group.create_task(_make_ahead(config, maker, made_by, own), name="make ahead"),
        ]
        say_ready("speech", socket=str(socket))
        await stop.wait()
        for task in tasks:
            task.cancel()


async def _make_ahead(
    config: Config, maker: "PromptMaker", made_by: Recipe, own: "Sequence[IsolatedSynthesiser]"
) -> None:
    """Loads the voices, then makes what the flows will surely say, one text at a time behind every caller's."""
    found = [await asyncio.to_thread(_voice_problems, engine, made_by) for engine in own]
    for problem in dict.fromkeys(chain(*found)):
        log.error("%s", problem)
    reasons: Counter[str] = Counter()
    flows, _ = await asyncio.to_thread(read_files, flow_files(config.flows_folder))  # who runs them names mistakes
    for prompt in (prompt for flow in flows.values() for prompt in fixed_prompts(flow)):
        try:
            voice = made_by.voice(prompt.language, prompt.voice)
            for clause in clauses(prompt.text):
                await asyncio.shield(maker.start(clause, prompt.language, voice, warm=True))
        except SynthesiserFailed as error:
            reasons[str(error)] += 1
    for reason, count in reasons.items():
        log.warning("%d prompts not made ahead: %s", count, reason)


def _voice_problems(engine: "IsolatedSynthesiser", made_by: Recipe) -> list[str]:
    problems = []
    for language, voice in made_by.voices.items():
        try:
            engine.synthesise("1", language, voice)
        except SynthesiserFailed as error:
            problems.append(f"[tts.voices] {language} = {voice!r}: {error}")
    return problems
