"""Client and server over a Unix socket, with the fake synthesiser behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tts.cache import PromptCache
from tts.client import Clause, SpeechClient
from tts.errors import BadRequest, EngineCrashed, EngineTooSlow, SpeechUnreachable, SynthesiserFailed, VoiceMissing
from tts.fake import FakeSynthesiser
from tts.maker import PromptMaker
from tts.recipe import Recipe
from tts.server import MAX_LINE_BYTES, MAX_TEXT, listening

RECIPE = Recipe("fake", "fake", {"en": "en-us", "zh-CN": "cmn"}, Path())
TEXT = "Welcome to Hotline Bank. Say balance, lost card, or agent. Thank you very much."
PARTS = ["Welcome to Hotline Bank.", "Say balance, lost card, or agent.", "Thank you very much."]


@asynccontextmanager
async def speech(folder: Path, engine: FakeSynthesiser) -> AsyncIterator[PromptMaker]:
    maker = PromptMaker(RECIPE, PromptCache(folder / "prompts"), [engine])
    task = asyncio.create_task(maker.run())
    try:
        async with listening(folder / "speech.sock", maker, RECIPE):
            yield maker
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def client(folder: Path, patience_s: float = 20.0, deadline_s: float = 20.0) -> SpeechClient:
    return SpeechClient(folder / "speech.sock", PromptCache(folder / "prompts"), RECIPE, patience_s, deadline_s)


async def said(speaker: SpeechClient, text: str, language: str = "en", voice: str = "") -> list[Clause]:
    return [clause async for clause in speaker.say(text, language, voice)]


async def until_failure(speaker: SpeechClient, text: str) -> tuple[list[Clause], SynthesiserFailed | None]:
    heard: list[Clause] = []
    try:
        async for clause in speaker.say(text, "en"):
            heard.append(clause)  # noqa: PERF401 - what was heard before the failure counts
    except SynthesiserFailed as error:
        return heard, error
    return heard, None


async def test_a_prompt_comes_clause_by_clause_as_files(tmp_path: Path) -> None:
    async with speech(tmp_path, FakeSynthesiser()):
        clauses = await said(client(tmp_path), TEXT)
    assert [clause.text for clause in clauses] == PARTS
    for clause in clauses:
        pcm, rate_hz = soundfile.read(clause.file, dtype="int16")
        assert rate_hz == 8000
        assert len(pcm) == clause.samples > 8000


async def test_the_first_clause_does_not_wait_for_the_rest(tmp_path: Path) -> None:
    engine = FakeSynthesiser(failures={PARTS[2]: [EngineCrashed("boom")]})
    async with speech(tmp_path, engine):
        heard, error = await until_failure(client(tmp_path), TEXT)
    assert [clause.text for clause in heard] == PARTS[:2]
    assert isinstance(error, EngineCrashed)


async def test_what_is_on_disk_plays_without_a_speech_process(tmp_path: Path) -> None:
    speaker = client(tmp_path, patience_s=0.0)
    async with speech(tmp_path, FakeSynthesiser()):
        first = await said(speaker, TEXT)
    assert await said(speaker, TEXT) == first
    assert list(speaker.cached(TEXT, "en")) == first
    heard, error = await until_failure(speaker, TEXT + " This sentence is new.")
    assert heard == first
    assert isinstance(error, SpeechUnreachable)
    assert "speech.sock" in str(error)


async def test_a_prompt_made_in_part_asks_for_the_rest_only_once(tmp_path: Path) -> None:
    engine = FakeSynthesiser()
    async with speech(tmp_path, engine):
        await said(client(tmp_path), PARTS[1])
        assert [clause.text for clause in await said(client(tmp_path), TEXT)] == PARTS
    assert engine.spoken == [PARTS[1], PARTS[0], PARTS[2]]


@pytest.mark.parametrize("text", ["", "  ", "...", "☎"])
async def test_nothing_to_say_needs_nobody(tmp_path: Path, text: str) -> None:
    assert await said(client(tmp_path, patience_s=0.0), text) == []


async def test_any_character_gets_there_and_back(tmp_path: Path) -> None:
    async with speech(tmp_path, FakeSynthesiser()):
        [clause] = await said(client(tmp_path), 'q"\\ 银行 \ud800 \U0001f600 é', "zh-CN")
        assert clause.text == 'q"\\ 银行 \ud800 \U0001f600 é'


async def test_errors_keep_their_kind(tmp_path: Path) -> None:
    async with speech(tmp_path, FakeSynthesiser()):
        with pytest.raises(VoiceMissing, match="nobody"):
            await said(client(tmp_path), TEXT, voice="nobody")
        with pytest.raises(VoiceMissing, match="language 'de'"):
            await said(client(tmp_path), TEXT, "de")
        with pytest.raises(BadRequest, match="at most 8000 characters"):
            await said(client(tmp_path), "x " * MAX_TEXT)


async def test_the_client_waits_for_a_speech_process_that_comes_back(tmp_path: Path) -> None:
    waiting = asyncio.create_task(said(client(tmp_path), TEXT))
    await asyncio.sleep(0)
    async with speech(tmp_path, FakeSynthesiser()):
        assert [clause.text for clause in await waiting] == PARTS


async def test_a_restart_between_two_clauses_is_not_heard(tmp_path: Path) -> None:
    engine = FakeSynthesiser(delays_s={PARTS[1]: 0.2})
    heard = client(tmp_path).say(TEXT, "en", "")
    async with speech(tmp_path, engine):
        first = await anext(heard)
    async with speech(tmp_path, FakeSynthesiser()):
        rest = [clause async for clause in heard]
    assert [clause.text for clause in [first, *rest]] == PARTS


async def test_a_clause_that_never_comes_is_an_error(tmp_path: Path) -> None:
    async with speech(tmp_path, FakeSynthesiser(delays_s={PARTS[0]: 1.0})):
        with pytest.raises(EngineTooSlow, match=r"within 0\.1 s"):
            await said(client(tmp_path, deadline_s=0.1), TEXT)


async def test_a_listener_who_leaves_does_not_stop_the_making(tmp_path: Path) -> None:
    speaker = client(tmp_path)
    async with speech(tmp_path, FakeSynthesiser()) as maker:
        heard = speaker.say(TEXT, "en", "")
        await anext(heard)
        await heard.aclose()
        await maker.start(PARTS[2], "en", "en-us")
    assert all(speaker.cached(TEXT, "en"))


async def test_warming_up_makes_it_ahead(tmp_path: Path) -> None:
    speaker = client(tmp_path)
    assert not any(speaker.cached(TEXT, "en"))
    async with speech(tmp_path, FakeSynthesiser()):
        assert await speaker.warm(TEXT, "en") == 3
    assert all(speaker.cached(TEXT, "en"))
    assert await speaker.warm(TEXT, "en") == 3


async def test_many_callers_at_once_each_get_theirs(tmp_path: Path) -> None:
    engine = FakeSynthesiser()
    async with speech(tmp_path, engine):
        texts = [f"This is the prompt of caller number {n % 10}." for n in range(50)]
        heard = await asyncio.gather(*(said(client(tmp_path), text) for text in texts))
    assert [[clause.text for clause in clauses] for clauses in heard] == [[text] for text in texts]
    assert len(engine.spoken) == 10


async def ask(folder: Path, *lines: bytes) -> list[dict[str, Any]]:
    """Sends raw lines over one connection and reads an answer to each."""
    reader, writer = await asyncio.open_unix_connection(str(folder / "speech.sock"))
    writer.write(b"".join(lines))
    answers = [json.loads(await asyncio.wait_for(reader.readline(), 20)) for _ in lines]
    writer.close()
    await writer.wait_closed()
    return answers


BROKEN = [
    b"\n",
    b"{\n",
    b"[]\n",
    b"\xff\xfe\n",
    b'{"id": 1}\n',
    b'{"id": 1, "text": 5, "language": "en"}\n',
    b'{"id": [], "text": "a", "language": "en"}\n',
    b'{"id": 1, "text": "a", "language": "en", "voice": null}\n',
    b'{"id": 1, "text": "a", "language": "en", "warm": "yes"}\n',
]


async def test_broken_requests_are_answered_and_the_connection_lives(tmp_path: Path) -> None:
    good = json.dumps({"id": "x", "text": "Hello", "language": "en"}).encode() + b"\n"
    async with speech(tmp_path, FakeSynthesiser()):
        answers = await ask(tmp_path, *BROKEN, good)
    assert [answer.get("error") for answer in answers] == ["tts.request"] * len(BROKEN) + [None]
    assert answers[-1].items() >= {"id": "x", "clause": 0, "of": 1, "text": "Hello"}.items()


async def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    async with speech(tmp_path, FakeSynthesiser()):
        [answer] = await ask(tmp_path, b"x" * (MAX_LINE_BYTES + 1000))
        assert answer["error"] == "tts.request"
        assert await said(client(tmp_path), "Hello")


async def test_nothing_to_say_is_answered_too(tmp_path: Path) -> None:
    async with speech(tmp_path, FakeSynthesiser()):
        assert await ask(tmp_path, b'{"id": 3, "text": " ", "language": "en"}\n') == [{"id": 3, "of": 0}]


async def test_a_socket_path_too_long_is_named(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    with pytest.raises(SynthesiserFailed, match=r"shorten \[ivr\] data"):
        async with speech(folder, FakeSynthesiser()):
            pass
