"""Prompts as the flow hears of them: their ends in order, whatever became of their clauses."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from flows.actions import AudioFile, BargeIn, Play, Text
from ivr.prompts import PromptFiles, Prompts
from ivr.recordedprompts import LIBRARY
from tts.client import Clause
from tts.errors import EngineCrashed


class Speech:
    """Makes a file of each word; "fails" cannot be spoken."""

    async def say(self, text: str, language: str, voice: str) -> AsyncGenerator[Clause, None]:
        for word in text.split():
            if word == "fails":
                raise EngineCrashed("no voice")
            yield Clause(Path(word), 800, word)


class Playback:
    """Notes what is to be played; the test says when it was."""

    def __init__(self) -> None:
        self.tokens: dict[str, int] = {}
        self.asked: list[str] = []

    def play(self, token: int, path: str) -> None:
        self.tokens[path] = token
        self.asked.append(path)

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")

    def stop(self) -> None:
        self.asked.append("stop")


class Bench:
    """Prompts under test, and the ends they reported."""

    def __init__(self) -> None:
        self.playback = Playback()
        self.ends: list[tuple[int, str]] = []
        files = PromptFiles(Path(), lambda _seconds: Path(), Path)
        self.prompts = Prompts(
            Speech(),
            self.playback,
            files,
            lambda _play: None,
            lambda play, how, _why: self.ends.append((play.prompt, how)),
        )

    def play(self, number: int, text: str) -> None:
        self.prompts.play(Play(number, (Text(text),), "en", "", BargeIn.YES, "step"))

    async def made(self, word: str) -> int:
        async with asyncio.timeout(10):
            while word not in self.playback.tokens:  # noqa: ASYNC110 - the maker knows no event
                await asyncio.sleep(0)
        return self.playback.tokens[word]


@pytest.fixture
async def bench() -> AsyncGenerator[Bench, None]:
    bench = Bench()
    task = asyncio.create_task(bench.prompts.run())
    yield bench
    task.cancel()


@pytest.mark.parametrize(("second", "how"), [("fails", "failed"), ("", "finished")])
async def test_a_prompt_that_is_over_at_once_waits_for_the_one_that_still_plays(
    bench: Bench, second: str, how: str
) -> None:
    bench.play(1, "hello")
    bench.play(2, second)
    bench.play(3, "last")
    await bench.made("last")
    assert bench.ends == [], "the flow would take the end of the second for that of the first"
    bench.prompts.played(await bench.made("hello"))
    assert bench.ends == [(1, "finished"), (2, how)]


async def test_a_prompt_whose_second_clause_fails_is_over_when_the_first_was_heard(bench: Bench) -> None:
    bench.play(1, "hello fails")
    bench.play(2, "next")
    await bench.made("next")
    assert bench.ends == []
    bench.prompts.played(await bench.made("hello"))
    assert bench.ends == [(1, "failed")]


async def test_a_file_that_cannot_be_played_fails_its_prompt_once_the_rest_was_heard(bench: Bench) -> None:
    bench.play(1, "one two")
    bench.play(2, "next")
    await bench.made("next")
    bench.prompts.play_failed(await bench.made("one"), "no such file")
    assert bench.ends == []
    bench.prompts.played(await bench.made("two"))
    assert bench.ends == [(1, "failed")]


async def test_a_prompt_that_is_stopped_falls_silent_and_the_next_one_plays(bench: Bench) -> None:
    bench.play(1, "one two")
    await bench.made("two")
    bench.prompts.pause()
    bench.prompts.resume()
    assert [play.prompt for play in bench.prompts.stop()] == [1]
    bench.play(2, "next")
    bench.prompts.played(await bench.made("next"))
    assert bench.playback.asked == ["one", "two", "pause", "resume", "stop", "next"]
    assert bench.ends == [(2, "finished")]


@pytest.mark.parametrize("how", ["played", "stopped"])
async def test_what_was_spoken_in_confidence_does_not_stay_on_the_disk(tmp_path: Path, how: str) -> None:
    bench = Bench()
    secret, recorded = tmp_path / "1234.wav", tmp_path / "you-entered.wav"
    secret.touch()
    recorded.touch()
    pieces = (AudioFile(str(recorded)), Text(str(secret)))
    running = asyncio.create_task(bench.prompts.run())
    bench.prompts.play(Play(1, pieces, "en", "", BargeIn.YES, "confirm", secret=True))
    token = await bench.made(str(secret))
    if how == "played":
        bench.prompts.played(bench.playback.tokens[str(recorded)])
        bench.prompts.played(token)
    else:
        bench.prompts.stop()
    running.cancel()
    assert not secret.exists()
    assert recorded.exists()


def test_the_authors_recording_comes_before_the_one_of_that_name_that_is_ours(tmp_path: Path) -> None:
    files = PromptFiles(tmp_path, lambda _seconds: Path(), Path)
    music = "audio/music.wav"
    assert files.recorded(music) == LIBRARY / music
    assert files.recorded(music).is_file()
    assert files.recorded("jingle.wav") == tmp_path / "jingle.wav"
    (tmp_path / "audio").mkdir()
    (tmp_path / music).write_bytes(b"")
    assert files.recorded(music) == tmp_path / music
