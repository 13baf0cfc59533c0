"""What the zygote loads once for every worker: recognisers' models, flows, how prompts are made."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

from asr import engines
from asr.errors import AsrError
from asr.listener import Listener, ListenerEvent
from asr.recogniser import Recogniser
from flows.flow import Flow
from flows.session import Session
from ivr import callsounds, models, speech
from ivr.config import Config
from ivr.flowstore import FlowStore, open_store
from telephony.audio import faded, tone
from tts.cache import PromptCache
from tts.client import SpeechClient
from tts.recipe import Recipe

BEEP, BEEP_HZ, BEEP_MS = "beep-1000", 1000.0, 250.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublishedFlow:
    """The flow of one call; `publication` counts the versions that were ever live."""

    flow: Flow
    publication: int

    @property
    def folder(self) -> Path:
        """Where its recorded prompts are."""
        return Path(self.flow.file).parent

    def facts(self) -> dict[str, Any]:
        """What the archive notes of it."""
        flow = self.flow
        return {
            "flow": flow.name,
            "version": flow.version,
            "publication": self.publication,
            "language": flow.header.language,
        }

    def session(self) -> Session:
        """A conversation that has not begun."""
        return Session.start(self.flow)


@dataclass(slots=True)
class Preloaded:
    """Shared by all workers after the fork; a worker's own changes stay its own."""

    recognisers: Mapping[str, Recogniser]
    flows: FlowStore
    cache: PromptCache
    recipe: Recipe
    speech_socket: Path

    def flow(self, name: str) -> PublishedFlow | None:
        """The version of a flow that a new call runs; None where there is no such flow."""
        picked = self.flows.pick(name, SystemRandom().random())
        return PublishedFlow(picked[0], picked[1].number) if picked else None

    def recogniser(self, language: str) -> Recogniser | None:
        """The recogniser of a language; "zh-CN" also takes that of "zh". None: touch-tones only."""
        return self.recognisers.get(language) or self.recognisers.get(language.split("-", maxsplit=1)[0])

    def listener(self, language: str, on_event: Callable[[ListenerEvent], None]) -> Listener:
        """Makes a call's listener, on the running event loop."""
        return Listener(self.recogniser(language), on_event, asyncio.get_running_loop().call_soon_threadsafe)

    def speech(self) -> SpeechClient:
        """The way to the prompts."""
        return SpeechClient(self.speech_socket, self.cache, self.recipe)

    def silence(self, seconds: float) -> Path:
        """A file of silence, kept with the prompts. Raises OSError."""
        samples = max(1, round(seconds * self.recipe.rate_hz))
        key = f"silence-{samples}"
        return (self.cache.find(key) or self.cache.keep(key, bytes(2 * samples))).file

    def beep(self) -> Path:
        """The file of the beep before a message, kept with the prompts. Raises OSError."""
        found = self.cache.find(BEEP)
        if found is None:
            pcm = faded(tone(BEEP_HZ, self.recipe.rate_hz, BEEP_MS), self.recipe.rate_hz)
            found = self.cache.keep(BEEP, pcm.tobytes())
        return found.file

    def tone(self, name: str) -> Path:
        """The file of a tone that agents hear, kept with the prompts. Raises OSError."""
        return callsounds.progress(self.cache, self.recipe.rate_hz, name)


def preload(config: Config) -> Preloaded:
    """Loads it all; what cannot be loaded is logged and left out: its calls go on by touch-tones or are refused."""
    recipe = speech.recipe(config)
    flows = open_store(config)
    flows.refresh(time.time())  # what is not published, control names
    for called, name in config.telephony.lines.items():
        if name not in flows.names():
            log.warning('[telephony.lines] "%s": there is no flow %s, its callers hear 404', called, name)
    for name in flows.names():
        flows.pick(name, 1.0)  # read before the fork, so that calls need not
    return Preloaded(
        _recognisers(config),
        flows,
        PromptCache(config.prompts_folder, recipe.rate_hz),
        recipe,
        config.run_folder / "speech.sock",
    )


def _recognisers(config: Config) -> dict[str, Recogniser]:
    found: dict[str, Recogniser] = {}
    for language, name in config.asr.models.items():
        try:
            recogniser = engines.load(config.asr.engine, language, models.resolve(name, config.models_folder))
        except (AsrError, models.ModelMissing) as error:
            log.error("no recogniser for %s, its calls go on by keys: %s", language, error)
            continue
        if recogniser is not None:
            found[language] = recogniser
    return found
