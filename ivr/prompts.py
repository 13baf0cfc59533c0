"""Turns the flow's `Play` actions into playback: clause by clause, the first plays while the rest is made.

Knows the speech client and the player; reports prompts, not files. Runs on the event loop; stopping never waits.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from flows.actions import AudioFile, Play, Silence, Text
from ivr.recordedprompts import recorded
from tts.client import Clause
from tts.errors import SynthesiserFailed

log = logging.getLogger(__name__)


class Playback(Protocol):
    """The player of one leg, callable from the event loop; commands take effect at the next 20 ms tick."""

    def play(self, token: int, path: str) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self) -> None: ...


class Speech(Protocol):
    """Makes text into files, one for each clause."""

    def say(self, text: str, language: str, voice: str) -> AsyncGenerator[Clause, None]: ...


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """Prompts that need no speech: recorded files are relative to `folder`; `silence` makes a file of some seconds."""

    folder: Path
    silence: Callable[[float], Path]
    beep: Callable[[], Path]

    def recorded(self, path: str) -> Path:
        """A recorded prompt: the author's, else the one of this name that comes with Hotline (music on hold)."""
        return recorded(self.folder, path)


@dataclass(slots=True)
class _Prompt:
    play: Play
    tokens: set[int] = field(default_factory=set)
    made: bool = False
    begun: bool = False
    failure: str = ""
    secrets: list[Path] = field(default_factory=list)

    def forget(self) -> None:
        """Takes what was spoken in confidence off the disk again: a cached prompt can be listened to for years."""
        for path in self.secrets:
            path.unlink(missing_ok=True)
        self.secrets.clear()


class Prompts:
    """The prompts of one call. `on_begin(play)` reports a prompt's first clause, `on_end(play, how, reason)` its end:
    "finished", or "failed" once what could be made of it was heard. Ends are reported in the order of the prompts.
    """

    def __init__(
        self,
        speech: Speech,
        playback: Playback,
        files: PromptFiles,
        on_begin: Callable[[Play], None],
        on_end: Callable[[Play, str, str], None],
    ) -> None:
        self._speech = speech
        self._playback = playback
        self._files_of = files
        self._on_begin = on_begin
        self._on_end = on_end
        self._queue: asyncio.Queue[_Prompt] = asyncio.Queue()
        self._present: deque[_Prompt] = deque()
        self._token = 0
        self._making: asyncio.Task[None] | None = None

    @property
    def playing(self) -> Play | None:
        """The prompt that is heard now, or is about to be."""
        return self._present[0].play if self._present else None

    def play(self, play: Play) -> None:
        """Queues a prompt behind those still playing."""
        prompt = _Prompt(play)
        self._present.append(prompt)
        self._queue.put_nowait(prompt)

    def pause(self) -> None:
        """Silence within one frame; the place is remembered."""
        self._playback.pause()

    def resume(self) -> None:
        """Goes on where `pause` stopped."""
        self._playback.resume()

    def stop(self) -> list[Play]:
        """Silence within one frame; every prompt is forgotten. Returns those that were not played out."""
        self._playback.stop()
        stopped = [prompt.play for prompt in self._present]
        for prompt in self._present:
            prompt.forget()
        self._present.clear()
        if self._making is not None:
            self._making.cancel()  # what comes next must not wait for the rest of what nobody will hear
        return stopped

    def played(self, token: int) -> None:
        """The player's word that a file reached its end."""
        for prompt in self._present:
            prompt.tokens.discard(token)
        self._report_ends()

    def play_failed(self, token: int, reason: str) -> None:
        """The player's word that a file could not be played."""
        for prompt in self._present:
            if token in prompt.tokens:
                prompt.tokens.discard(token)
                prompt.failure = reason
        self._report_ends()

    def started(self, token: int) -> None:
        """The player's word that a file went onto the bridge."""
        for prompt in self._present:
            if token in prompt.tokens and not prompt.begun:
                prompt.begun = True
                self._on_begin(prompt.play)

    async def run(self) -> None:
        """Makes the queued prompts' sound, in order, until cancelled."""
        while True:
            prompt = await self._queue.get()
            if prompt not in self._present:
                continue
            self._making = asyncio.create_task(self._make(prompt), name=f"prompt {prompt.play.prompt}")
            try:
                await asyncio.wait([self._making])
            finally:
                self._making.cancel()
            if not self._making.cancelled():
                self._making.result()

    async def _make(self, prompt: _Prompt) -> None:
        try:
            async with aclosing(self._files(prompt)) as files:
                async for path in files:
                    self._token += 1
                    prompt.tokens.add(self._token)
                    self._playback.play(self._token, path)
        except (SynthesiserFailed, OSError) as error:
            log.error("prompt of step %s: %s", prompt.play.step, error)
            prompt.failure = str(error) or type(error).__name__
        prompt.made = True
        self._report_ends()

    async def _files(self, prompt: _Prompt) -> AsyncGenerator[str, None]:
        play = prompt.play
        for piece in play.pieces:
            match piece:
                case AudioFile(path):
                    yield str(self._files_of.recorded(path))
                case Silence(seconds):
                    yield str(self._files_of.silence(seconds))
                case Text(text):
                    async with aclosing(self._speech.say(text, play.language, play.voice)) as clauses:
                        async for clause in clauses:
                            if play.secret:
                                prompt.secrets.append(clause.file)
                            yield str(clause.file)

    def _report_ends(self) -> None:
        """A prompt is over when all before it are: the flow takes the end of one for the end of those before it."""
        while self._present and self._present[0].made and not self._present[0].tokens:
            prompt = self._present.popleft()
            prompt.forget()
            self._on_end(prompt.play, "failed" if prompt.failure else "finished", prompt.failure)
