"""The speech process's door: a Unix socket that takes texts and answers with files, in JSON lines.

Request   {"id": 1, "text": "...", "language": "en", "voice": "", "warm": false}
Answers   {"id": 1, "clause": 0, "of": 3, "file": "/abs/....wav", "samples": 12345, "text": "..."}   one for each clause
          {"id": 1, "error": "tts.voice", "detail": "..."}                                ends the request
          {"id": 1, "of": 0}                                              where there is nothing to say

An empty `voice` means that of the language. `warm` marks texts nobody waits for yet. The requests of one connection are
answered one after the other, those of several side by side.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tts.clauses import clauses
from tts.errors import BadRequest, SynthesiserFailed
from tts.maker import PromptMaker
from tts.recipe import Recipe

MAX_TEXT = 8000
MAX_LINE_BYTES = 1 << 17
MAX_PATH_BYTES = 107  # sockaddr_un.sun_path on Linux, unix(7)


@dataclass(frozen=True, slots=True)
class _Request:
    id: int | str | None
    text: str
    language: str
    voice: str
    warm: bool


@asynccontextmanager
async def listening(path: Path, maker: PromptMaker, recipe: Recipe) -> AsyncIterator[None]:
    """Serves on `path` until left; connections are closed then. Raises BadRequest for a path too long, OSError."""
    if len(bytes(path)) > MAX_PATH_BYTES:
        raise BadRequest(
            f"{path} is longer than the {MAX_PATH_BYTES} bytes a socket's path may have: shorten [ivr] data"
        )
    connections: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await _converse(reader, writer, maker, recipe)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the worker is gone, or this process is to end; what was asked for may still be made and kept
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_unix_server(connection, str(path), limit=MAX_LINE_BYTES, backlog=1000)
    try:
        yield
    finally:
        server.close()
        ending = list(connections)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, maker: PromptMaker, recipe: Recipe
) -> None:
    while True:
        try:
            line = await reader.readline()
        except ValueError:
            await _send(writer, _failure(None, BadRequest(f"a request is at most {MAX_LINE_BYTES} bytes")))
            return
        if not line:
            return
        await _answer(line, writer, maker, recipe)


async def _answer(line: bytes, writer: asyncio.StreamWriter, maker: PromptMaker, recipe: Recipe) -> None:
    asked: int | str | None = None
    try:
        request = _parsed(line)
        asked = request.id
        voice = recipe.voice(request.language, request.voice)
        texts = clauses(request.text)
        if not texts:
            await _send(writer, {"id": asked, "of": 0})
        made = [maker.start(text, request.language, voice, warm=request.warm) for text in texts]
        for number, (text, done) in enumerate(zip(texts, made, strict=True)):
            kept = await asyncio.shield(done)
            answer = {"id": asked, "clause": number, "of": len(texts), "file": str(kept.file)}
            await _send(writer, answer | {"samples": kept.samples, "text": text})
    except SynthesiserFailed as error:
        await _send(writer, _failure(asked, error))


def _parsed(line: bytes) -> _Request:
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise BadRequest(f"not a line of JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadRequest("a request is a JSON object")
    match fields:
        case {"id": int() | str() as asked, "text": str() as text, "language": str() as language}:
            voice, warm = fields.get("voice", ""), fields.get("warm", False)
        case _:
            raise BadRequest('a request has "id" (number or text), "text" and "language"')
    if not isinstance(voice, str) or not isinstance(warm, bool):
        raise BadRequest('"voice" is text and "warm" true or false')
    if len(text) > MAX_TEXT:
        raise BadRequest(f"a text has at most {MAX_TEXT} characters, not {len(text)}")
    return _Request(asked, text, language, voice, warm)


def _failure(asked: int | str | None, error: SynthesiserFailed) -> dict[str, Any]:
    return {"id": asked, "error": error.code, "detail": str(error)}


async def _send(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()
