"""What a flow asks for beyond playing and hearing: each request answered once, from the loop."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from flows.actions import Request
from flows.events import Replied
from ivr.outside import Outside
from ivr.tracks import Tracks
from recordings.bundle import Bundle
from recordings.wav import HEADER_BYTES
from telephony.legevents import Frame

SPEECH = b"\x10\x20" * 480


class Bench:
    """The parts around `Outside`, and what it did to them."""

    def __init__(self, folder: Path) -> None:
        self.bundle = Bundle.create(folder, "20261121-031500-7f3a9c", {})
        self.tracks = Tracks(self.bundle)
        self.replies: asyncio.Queue[Replied] = asyncio.Queue()
        self.beeps = 0
        self.no_room = False
        self.keys: list[str] = []
        self.outside = Outside(self.tracks, self.replies.put_nowait, self.beep, self.keys.append)

    def beep(self) -> None:
        self.beeps += 1
        if self.no_room:
            raise OSError("no room for the beep")

    async def answer(self, kind: str, **arguments: Any) -> Replied:
        self.outside.ask(Request(7, kind, arguments))
        assert self.replies.empty(), "never from within ask"
        return await asyncio.wait_for(self.replies.get(), 5)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_chance_keys_and_what_nobody_can_do(bench: Bench) -> None:
    assert 0 <= (await bench.answer("random")).result["value"] < 1
    assert (await bench.answer("send_dtmf", keys="12#")).ok
    assert bench.keys == ["12#"]
    refused = await bench.answer("teleport")
    assert (refused.request, refused.ok) == (7, False)
    assert "teleport" in refused.result["error"]


async def test_nothing_that_is_said_while_the_recording_is_paused_is_kept(bench: Bench, tmp_path: Path) -> None:
    for number, do in enumerate(("", "pause", "resume")):
        if do:
            assert (await bench.answer("recording", do=do)).ok
        bench.tracks.write(Frame(number * 480, SPEECH, SPEECH))
    for leg in ("caller", "hotline"):
        kept = (tmp_path / "open" / bench.bundle.call_id / f"{leg}.wav.part").read_bytes()[HEADER_BYTES:]
        assert kept == SPEECH + bytes(960) + SPEECH


RECORD = {"max_time_s": 60.0, "final_silence_s": 1.0, "term_key": "#", "beep": True, "mailbox": ""}


def feed(bench: Bench, frames: range) -> None:
    for number in frames:
        bench.outside.frame(number * 480, SPEECH)


async def test_a_message_begins_after_the_beep_and_ends_with_silence(bench: Bench) -> None:
    bench.outside.ask(Request(7, "record", RECORD))
    assert bench.beeps == 1
    feed(bench, range(10))
    bench.outside.beeped(4800)
    bench.outside.voice(4800, speaking=True)
    feed(bench, range(10, 60))
    assert bench.replies.empty(), "the caller still speaks"
    bench.outside.voice(60 * 480, speaking=False)
    feed(bench, range(60, 90))
    replied = await asyncio.wait_for(bench.replies.get(), 5)
    assert replied.result["file"] == "message-1.wav"
    assert replied.result["seconds"] == pytest.approx(4.02, abs=0.07), "50 frames of speech and one second after"


async def test_a_message_ends_with_the_key_and_takes_the_key_with_it(bench: Bench) -> None:
    assert not bench.outside.key("#"), "no message yet: the flow's key"
    bench.outside.ask(Request(7, "record", RECORD))
    bench.outside.beeped(0)
    feed(bench, range(5))
    assert not bench.outside.key("1")
    assert bench.outside.key("#")
    assert (await asyncio.wait_for(bench.replies.get(), 5)).result["seconds"] == 0.3
    assert not bench.outside.key("#")


async def test_a_caller_who_never_stops_is_cut_at_the_longest_time(bench: Bench) -> None:
    bench.outside.ask(Request(7, "record", {**RECORD, "max_time_s": 1.2}))
    bench.outside.beeped(0)
    bench.outside.voice(0, speaking=True)
    feed(bench, range(100))
    assert (await asyncio.wait_for(bench.replies.get(), 5)).result["seconds"] == pytest.approx(1.2, abs=0.06)


@pytest.mark.parametrize("beep", ["none wanted", "no room", "not played"])
async def test_a_message_without_a_beep_begins_now_and_not_at_the_start_of_the_call(bench: Bench, beep: str) -> None:
    feed(bench, range(1000))
    bench.no_room = beep == "no room"
    bench.outside.ask(Request(7, "record", {**RECORD, "beep": beep != "none wanted"}))
    if beep == "not played":
        bench.outside.not_beeped()
    feed(bench, range(1000, 1001))
    bench.outside.voice(1000 * 480, speaking=True)
    feed(bench, range(1001, 1010))
    bench.outside.key("#")
    assert (await asyncio.wait_for(bench.replies.get(), 5)).result["seconds"] == 0.6


async def test_who_hangs_up_after_speaking_has_left_a_message(bench: Bench) -> None:
    assert bench.outside.left_message() is None
    bench.outside.ask(Request(7, "record", RECORD))
    assert bench.outside.left_message() is None, "the beep was not heard yet"
    bench.outside.ask(Request(8, "record", RECORD))
    bench.outside.beeped(0)
    feed(bench, range(10))
    replied = bench.outside.left_message()
    assert replied == Replied(8, ok=True, result={"file": "message-1.wav", "seconds": 0.6})
