"""The speech process: synthesises prompts for every call of this machine into the prompt cache.

Composes `tts` by the settings; `client` is the worker's end. It may die and come back under live calls: what is in the
cache plays on without it.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ivr.config import Config
from tts import engines
from tts.cache import PromptCache
from tts.client import SpeechClient
from tts.errors import SynthesiserFailed
from tts.recipe import Recipe

if TYPE_CHECKING:
    from tts.synthesiser import Synthesiser

ENGINES = 2  # one for live callers only, one that also makes prompts ahead of time
_PR_SET_PDEATHSIG = 1  # prctl(2)

_log = logging.getLogger(__name__)


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
    """Serves until SIGTERM, SIGINT or the launcher's death; prints a JSON line when ready. Returns the exit status."""
    _die_with_parent()
    os.umask(0o077)
    config.run_folder.mkdir(parents=True, exist_ok=True)
    with (config.run_folder / "speech.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _log.error("another speech process serves %s", config.run_folder)
            return 1
        try:
            asyncio.run(_serve(config))
        except (SynthesiserFailed, OSError) as error:
            _log.error("the speech process cannot serve: %s", error)
            return 1
    return 0


async def _serve(config: Config) -> None:
    # Imported here so that a worker, which needs only `client`, loads neither numpy nor the engines' code.
    # ruff: noqa: PLC0415
    from tts.isolated import IsolatedSynthesiser
    from tts.maker import PromptMaker
    from tts.server import listening

    made_by = recipe(config)
    socket = config.run_folder / "speech.sock"
    own = [IsolatedSynthesiser(config.tts.engine, config.models_folder) for _ in range(ENGINES)]
    maker = PromptMaker(made_by, PromptCache(config.prompts_folder, made_by.rate_hz), own)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    making = asyncio.create_task(maker.run(), name="maker")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    trying = asyncio.create_task(asyncio.to_thread(_try_voices, own, made_by, stop), name="try voices")
    async with listening(socket, maker, made_by):
        print(json.dumps({"ready": "speech", "socket": str(socket)}), flush=True)
        await asyncio.wait([making, stopping], return_when=asyncio.FIRST_COMPLETED)
        for engine in own:
            engine.close()
        making.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await making  # whatever ended it is raised here
        stopping.cancel()
        await trying


def _try_voices(own: "Sequence[Synthesiser]", made_by: Recipe, stop: asyncio.Event) -> None:
    """Loads every voice into every engine before a caller needs it, and logs those that do not speak."""
    for engine in own:
        for language, voice in made_by.voices.items():
            if stop.is_set():
                return
            try:
                engine.synthesise("1", language, voice)
            except SynthesiserFailed as error:
                if not stop.is_set():
                    _log.error("[tts.voices] %s = %r: %s", language, voice, error)


def _die_with_parent() -> None:
    """Asks the kernel for SIGTERM when the launcher dies (Linux; elsewhere the launcher must end it)."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the kernel knew
            os.kill(os.getpid(), signal.SIGTERM)
