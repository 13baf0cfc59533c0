"""What a worker uses to speak: prompts from the cache at once, the others from the speech process.

A prompt that is on disk needs no other process. Light to import: no engine, no numpy. Belongs to one asyncio loop.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tts.cache import PromptCache
from tts.clauses import clauses
from tts.errors import EngineTooSlow, SpeechUnreachable, from_code
from tts.recipe import Recipe

_RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a prompt, ready to be played: a mono 16-bit WAV file of `samples` at the recipe's rate."""

    file: Path
    samples: int
    text: str


class SpeechClient:
    """Asks for prompts. `patience_s` is how long it seeks a speech process that is being restarted, `deadline_s` how
    long it waits for a clause."""

    def __init__(
        self, socket: Path, cache: PromptCache, recipe: Recipe, patience_s: float = 3.0, deadline_s: float = 15.0
    ) -> None:
        self._socket = socket
        self._cache = cache
        self._recipe = recipe
        self._patience_s = patience_s
        self._deadline_s = deadline_s

    def cached(self, text: str, language: str, voice: str = "") -> tuple[Clause | None, ...]:
        """Each clause of the text, None where it is not on disk. Takes microseconds and asks nobody.

        Raises VoiceMissing.
        """
        name = self._recipe.voice(language, voice)
        found = []
        for part in clauses(text):
            kept = self._cache.find(self._recipe.key(part, language, name))
            found.append(Clause(kept.file, kept.samples, part) if kept else None)
        return tuple(found)

    async def say(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Clause, None]:
        """The clauses in order, each as soon as it is ready. No clause where there is nothing to say.

        Goes on after a restart of the speech process. Raises SynthesiserFailed, whose kinds are in `tts.errors`.
        """
        found = self.cached(text, language, voice)
        if all(found):
            for clause in found:
                assert clause is not None
                yield clause
            return
        async with _Exchange(
            self._socket, _request(text, language, voice), self._patience_s, self._deadline_s
        ) as asked:
            await asked.open()  # what is missing is made while what is there is played
            start = 0
            while start < len(found) and (clause := found[start]):
                start += 1
                yield clause
            async for clause in asked.clauses(start):
                yield clause

    async def warm(self, text: str, language: str, voice: str = "") -> int:
        """Has a text made before anybody needs it, after all that live callers wait for.

        Returns the number of clauses. Raises SynthesiserFailed.
        """
        found = self.cached(text, language, voice)
        if not all(found):
            request = _request(text, language, voice) | {"warm": True}
            async with _Exchange(self._socket, request, self._patience_s, self._deadline_s) as asked:
                async for _ in asked.clauses(0):
                    pass
        return len(found)


class _Exchange:
    """One request and its answers, over as many connections as it takes."""

    def __init__(self, socket: Path, request: dict[str, Any], patience_s: float, deadline_s: float) -> None:
        self._socket = socket
        self._line = json.dumps(request).encode() + b"\n"
        self._patience_s = patience_s
        self._deadline_s = deadline_s
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()

    async def open(self) -> bool:
        """Sends the request if the speech process can be reached now."""
        try:
            self._reader, self._writer = await asyncio.open_unix_connection(str(self._socket))
            self._writer.write(self._line)
        except OSError:
            self._close()
        return self._reader is not None

    async def clauses(self, start: int) -> AsyncIterator[Clause]:
        """The clauses from number `start` on, sent for again when the connection breaks."""
        number = start
        while True:
            try:
                async with asyncio.timeout(self._deadline_s):
                    answer = await self._answer(number)
            except TimeoutError as error:
                raise EngineTooSlow(f"no speech within {self._deadline_s:g} s") from error
            if answer["of"]:
                yield Clause(Path(answer["file"]), answer["samples"], answer["text"])
            number += 1
            if number >= answer["of"]:
                return

    async def _answer(self, number: int) -> dict[str, Any]:
        """The answer for this clause; those before it are known already."""
        while True:
            if self._reader is None:
                await self._reopen()
            try:
                line = await self._reader.readline()  # type: ignore[union-attr]
            except OSError:
                line = b""
            answer: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {"error": SpeechUnreachable.code}
            if answer.get("error") == SpeechUnreachable.code:
                self._close()
                await asyncio.sleep(_RETRY_S)
            elif "error" in answer:
                raise from_code(answer["error"], answer["detail"])
            elif answer.get("clause", number) >= number:
                return answer

    async def _reopen(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience_s
        while not await self.open():
            if loop.time() > until:
                raise SpeechUnreachable(f"the speech process does not answer at {self._socket}")
            await asyncio.sleep(_RETRY_S)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


def _request(text: str, language: str, voice: str) -> dict[str, Any]:
    return {"id": 1, "text": text, "language": language, "voice": voice}
