"""The queue of texts: each made once, callers before warm-up, failures that cost only themselves."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tts import maker as maker_module
from tts.cache import PromptCache
from tts.errors import EngineCrashed, NothingAudible, PromptNotKept, SpeechBusy, SpeechUnreachable, VoiceMissing
from tts.fake import FakeSynthesiser
from tts.maker import PromptMaker
from tts.recipe import Recipe
from tts.synthesiser import Speech


class GatedSynthesiser(FakeSynthesiser):
    """Holds every text back until the gate opens; `busy` tells that one is being held."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.busy = threading.Event()

    def synthesise(self, text: str, language: str, voice: str) -> Speech:
        self.busy.set()
        assert self.gate.wait(20)
        return super().synthesise(text, language, voice)

    def close(self) -> None:
        self.gate.set()


def recipe() -> Recipe:
    return Recipe("fake", "fake", {"en": "en-us"}, Path())


@asynccontextmanager
async def making(folder: Path, engines: Sequence[FakeSynthesiser]) -> AsyncIterator[PromptMaker]:
    maker = PromptMaker(recipe(), PromptCache(folder), engines)
    task = asyncio.create_task(maker.run())
    try:
        yield maker
    finally:
        for engine in engines:
            engine.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_text_asked_for_twice_at_once_is_made_once(tmp_path: Path) -> None:
    engine = FakeSynthesiser(delays_s={"hello": 0.05})
    async with making(tmp_path, [engine]) as maker:
        first, second = maker.start("hello", "en", "en-us"), maker.start("hello", "en", "en-us", warm=True)
        assert await first == await second == await maker.start("hello", "en", "en-us")
    assert engine.spoken == ["hello"]


async def test_callers_are_served_before_texts_made_ahead(tmp_path: Path) -> None:
    engine = GatedSynthesiser()
    async with making(tmp_path, [engine]) as maker:
        jobs = [maker.start(f"warm {n}", "en", "en-us", warm=True) for n in range(3)]
        await asyncio.to_thread(engine.busy.wait, 20)
        jobs.append(maker.start("caller", "en", "en-us"))
        jobs.append(maker.start("warm 2", "en", "en-us"))  # now a caller waits for this one
        engine.gate.set()
        await asyncio.gather(*jobs)
    assert engine.spoken == ["warm 0", "caller", "warm 2", "warm 1"]


async def test_one_engine_is_free_for_callers_while_another_is_held_up(tmp_path: Path) -> None:
    live, warm = FakeSynthesiser(), GatedSynthesiser()
    async with making(tmp_path, [live, warm]) as maker:
        ahead = [maker.start(f"warm {n}", "en", "en-us", warm=True) for n in range(3)]
        await asyncio.to_thread(warm.busy.wait, 20)
        await asyncio.wait_for(maker.start("caller", "en", "en-us"), 20)
        assert not ahead[0].done()
        warm.gate.set()
        await asyncio.gather(*ahead)
    assert live.spoken == ["caller"]


async def test_a_failure_costs_one_text_and_is_not_kept(tmp_path: Path) -> None:
    engine = FakeSynthesiser(failures={"bad": [EngineCrashed("boom")]})
    async with making(tmp_path, [engine]) as maker:
        with pytest.raises(EngineCrashed, match="boom"):
            await maker.start("bad", "en", "en-us")
        with pytest.raises(VoiceMissing):
            await maker.start("hello", "en", "nobody")
        with pytest.raises(NothingAudible):
            await maker.start(" ", "en", "en-us")
        assert (await maker.start("bad", "en", "en-us")).samples > 0


class WrongSynthesiser(FakeSynthesiser):
    """Has a bug."""

    def synthesise(self, text: str, language: str, voice: str) -> Speech:
        if text == "bug":
            raise ZeroDivisionError
        return super().synthesise(text, language, voice)


async def test_a_bug_costs_one_text(tmp_path: Path) -> None:
    async with making(tmp_path, [WrongSynthesiser()]) as maker:
        with pytest.raises(EngineCrashed, match="ZeroDivisionError"):
            await maker.start("bug", "en", "en-us")
        assert await maker.start("hello", "en", "en-us")


async def test_the_line_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker_module, "MAX_WAITING", 2)
    engine = GatedSynthesiser()
    async with making(tmp_path, [engine]) as maker:
        jobs = [maker.start(text, "en", "en-us") for text in ("one", "two")]
        with pytest.raises(SpeechBusy):
            maker.start("three", "en", "en-us")
        assert maker.refused == 1
        assert maker.start("two", "en", "en-us") is jobs[1]
        engine.gate.set()
        await asyncio.gather(*jobs)


async def test_an_unwritable_cache_still_lets_the_caller_hear(tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("a file where the folder should be")
    async with making(tmp_path / "prompts", [FakeSynthesiser()]) as maker:
        kept = await maker.start("hello from memory", "en", "en-us")
    assert kept.file.stat().st_size == 44 + 2 * kept.samples
    kept.file.unlink()


async def test_no_room_anywhere_is_an_error_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prompts").touch()
    monkeypatch.setattr(maker_module, "memory_cache", lambda rate_hz: PromptCache(tmp_path / "prompts", rate_hz))
    async with making(tmp_path / "prompts", [FakeSynthesiser()]) as maker:
        with pytest.raises(PromptNotKept, match="neither in the prompt cache nor in memory"):
            await maker.start("hello", "en", "en-us")


async def test_who_waits_at_the_end_is_told(tmp_path: Path) -> None:
    engine = GatedSynthesiser()
    async with making(tmp_path, [engine]) as maker:
        waiting = [maker.start(text, "en", "en-us") for text in ("one", "two", "three")]
        await asyncio.to_thread(engine.busy.wait, 20)
    with pytest.raises(SpeechUnreachable):
        await waiting[2]


async def test_a_voice_that_fails_is_told_of_callers_prompts_and_not_of_each_one_made_ahead(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong voice wrote a line for each of some hundred prompts at every start."""
    async with making(tmp_path, [FakeSynthesiser()]) as maker:
        with pytest.raises(VoiceMissing):
            await maker.start("hello", "en", "parrot", warm=True)
        assert caplog.text == ""
        with pytest.raises(VoiceMissing):
            await maker.start("hello", "en", "parrot")
        assert "no prompt: the fake synthesiser has no voice 'parrot'" in caplog.text
