"""One call from INVITE to closed bundle, with a leg that only notes what it is asked."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asr.fake import FakeRecogniser
from flows.flow import Flow
from ivr import callsession
from ivr.bus import BusError
from ivr.callsession import CallSession
from ivr.config import Config, TelephonySettings
from ivr.flowfiles import read_files
from ivr.preload import Preloaded
from recordings.errors import BundleCreateError
from recordings.read import read
from telephony.legevents import Ended, Frame, Held, Incoming, Key, KeyMethod, MediaReady, Refused
from tts.cache import PromptCache
from tts.recipe import Recipe

FLOW = """\
flow = "desk"
version = 1
start = "pin"
language = "en"

[step.pin]
type = "gather"
kind = "digits"
length = 4
into = "pin"
secret = true
barge_in = false
prompt = "Your secret number?"
next = "bye"

[step.bye]
type = "hangup"
"""
SILENCE = bytes(960)


class Player:
    """Plays nothing."""

    def play(self, token: int, path: str) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self) -> None: ...


class Leg:
    """`asked` are the calls of its methods."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.rtp: dict[str, Any] = {}
        self.player = Player()

    def answer(self) -> None:
        self.asked.append("answer")

    def hang_up(self, status: int = 0, reason: str = "") -> None:
        self.asked.append(f"hang up {status or ''}".strip())

    def read_rtp(self) -> None: ...


class Stack:
    """Carries out at once what is posted."""

    def post(self, command: Callable[[], object]) -> None:
        command()


class Shelf:
    """Every flow's first version, which is live."""

    def __init__(self, flow: Flow) -> None:
        self.flow, self.number = flow, 1

    def pick(self, _name: str, _chance: float) -> "tuple[Flow, Shelf]":
        return self.flow, self

    def ended(self, *_: object) -> None: ...


class NoBus:
    """Takes events and answers nothing."""

    name = "w1"

    def __init__(self, published: list[dict[str, Any]]) -> None:
        self._published = published

    def publish_event(self, _call_id: str, event: dict[str, Any]) -> None:
        self._published.append(event)

    async def request(self, _target: str, _data: dict[str, Any], timeout_s: float = 5.0) -> dict[str, Any]:
        raise BusError("bus.timeout", "nobody")

    def serve(self, *_: object) -> None: ...
    def listen(self, *_: object) -> None: ...


class Bench:
    """A call under test."""

    def __init__(self, config: Config, flow: str = FLOW) -> None:
        folder = config.root / "flows"
        folder.mkdir()
        (folder / "desk.toml").write_text(flow)
        flows, problems = read_files([folder / "desk.toml"])
        assert not problems, problems
        self.config = config
        self.leg = Leg()
        self.published: list[dict[str, Any]] = []
        self.done = asyncio.Event()
        recipe = Recipe("fake", "1", {"en": "en"}, Path(), -20.0)
        preloaded = Preloaded(
            {"en": FakeRecogniser([])},
            Shelf(flows["desk"]),  # type: ignore[arg-type]
            PromptCache(config.prompts_folder, 8000),
            recipe,
            config.run_folder / "speech.sock",
        )
        self.session = CallSession(
            config,
            preloaded,
            Stack(),
            self.leg,
            NoBus(self.published),
            self.done.set,  # type: ignore[arg-type]
        )

    def begin(self, *, media: bool = True) -> None:
        self.session.begin(Incoming("ann", "desk", "x@y"))
        if media:
            self.session.on_leg_event(self.leg, MediaReady("PCMA/8000"))

    async def end(self) -> list[dict[str, Any]]:
        """Closes the bundle; the events in it."""
        await self.session.finish()
        call_id = self.session._bundle.call_id
        return [event.to_json() for event in read(self.config.recordings_folder, call_id).events]


@pytest.fixture
def settings(config: Config) -> Config:
    telephony = TelephonySettings(lines={"*": "desk"}, rtp_timeout="1s")
    return config.model_copy(update={"telephony": telephony})


async def test_a_call_answered_on_hold_without_media_does_not_keep_its_worker_for_ever(settings: Config) -> None:
    telephony = settings.telephony.model_copy(update={"max_call": 2.5})
    bench = Bench(settings.model_copy(update={"telephony": telephony}))
    bench.begin(media=False)
    bench.session.on_leg_event(bench.leg, Held(True))
    async with asyncio.timeout(20):
        while len(bench.leg.asked) < 2:  # noqa: ASYNC110 - the leg knows no event
            await asyncio.sleep(0.05)
    assert bench.leg.asked[:2] == ["answer", "hang up"]
    assert (await bench.end())[-1]["data"]["termination"] == "max_duration"


async def test_a_call_whose_media_never_begin_is_ended(settings: Config) -> None:
    bench = Bench(settings)
    bench.begin(media=False)
    async with asyncio.timeout(20):
        while len(bench.leg.asked) < 2:  # noqa: ASYNC110 - the leg knows no event
            await asyncio.sleep(0.05)
    assert (await bench.end())[-1]["data"]["termination"] == "rtp_timeout"


async def test_a_caller_who_never_acknowledges_has_not_hung_up(settings: Config) -> None:
    bench = Bench(settings)
    bench.begin()
    bench.session.on_leg_event(bench.leg, Ended(408, "Request Timeout", by_far_end=True))
    ended = (await bench.end())[-1]["data"]
    assert (ended["termination"], ended["by"]) == ("no_ack", "hotline")


async def test_a_leg_that_never_tells_its_end_does_not_keep_its_worker(
    settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callsession, "GONE_WITHIN_S", 0.05)
    bench = Bench(settings)
    bench.begin()
    bench.session.fail("broken")
    await asyncio.wait_for(bench.done.wait(), 10)
    assert (await bench.end())[-1]["data"]["termination"] == "flow_error"


async def test_a_flow_that_cannot_go_on_is_archived_as_its_error_and_not_as_a_completed_call(settings: Config) -> None:
    bench = Bench(settings)
    bench.begin()
    bench.session._flow_hangs_up("flow_error")
    assert (await bench.end())[-1]["data"]["termination"] == "flow_error"


async def test_nothing_is_recorded_or_told_after_the_end_of_the_call(settings: Config) -> None:
    bench = Bench(settings)
    bench.begin()
    bench.session.on_leg_event(bench.leg, Ended(200, "OK", True))
    assert bench.done.is_set()
    told = len(bench.published)
    loud = b"\x10\x20" * 480
    for number in range(50):
        bench.session.on_leg_event(bench.leg, Frame(number * 480, loud if 5 < number < 20 else SILENCE, SILENCE))
    bench.session.on_leg_event(bench.leg, Key("1", KeyMethod.INFO))
    assert len(bench.published) == told
    events = await bench.end()
    assert events[-1]["kind"] == "call.ended"
    assert bench.published[-1] == events[-1]


async def test_a_call_that_is_closed_without_word_of_its_end_still_tells_nothing_after_it(settings: Config) -> None:
    bench = Bench(settings)
    bench.begin()
    await bench.end()
    told = len(bench.published)
    bench.session.on_leg_event(bench.leg, Key("1", KeyMethod.INFO))
    assert len(bench.published) == told


async def test_a_secret_number_typed_while_its_question_plays_is_written_nowhere(settings: Config) -> None:
    flow = (
        FLOW.replace('start = "pin"', 'start = "hello"')
        + '[step.hello]\ntype = "say"\nprompt = "Hello."\nnext = "pin"\n'
    )
    bench = Bench(settings, flow)
    bench.begin()
    for key in "7391":
        bench.session.on_leg_event(bench.leg, Key(key, KeyMethod.RFC4733))
    keys = [event["data"]["key"] for event in await bench.end() if event["kind"] == "key"]
    assert keys == ["*"] * 4
    assert not any(f'"key": "{key}"' in json.dumps(bench.published) for key in "7391")


PAUSED = """\
flow = "desk"
start = "hush"
[step.hush]
type = "recording"
do = "pause"
on.error.recording = "sure"
next = "sure"
[step.sure]
type = "gather"
kind = "digits"
length = 3
into = "number"
prompt = "Your number?"
next = "loud"
[step.loud]
type = "recording"
do = "resume"
on.error.recording = "more"
next = "more"
[step.more]
type = "gather"
kind = "digits"
length = 1
into = "last"
prompt = "And the last one?"
next = "more"
"""


async def test_while_the_recording_is_paused_nothing_the_caller_gives_is_written_down(settings: Config) -> None:
    bench = Bench(settings, PAUSED)
    bench.begin()
    for key in "739" + "4":
        bench.session.on_leg_event(bench.leg, Key(key, KeyMethod.RFC4733))
        await asyncio.sleep(0)
    events = await bench.end()
    assert [event["data"]["key"] for event in events if event["kind"] == "key"] == ["*", "*", "*", "4"]
    values = {event["data"]["name"]: event["data"]["value"] for event in events if event["kind"] == "variable"}
    assert values == {"number": "***", "last": "4"}
    assert "739" not in json.dumps([event["data"] for event in bench.published])
    assert "7 3 9" not in json.dumps([event["data"] for event in bench.published])


async def test_where_no_disk_takes_a_recording_the_caller_is_not_left_ringing(
    settings: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "full").write_text("a file, so that no folder can be made in it")
    monkeypatch.setattr(callsession, "REFUGES", (tmp_path / "full" / "a", tmp_path / "full" / "b"))
    bench = Bench(settings)
    settings.recordings_folder.parent.mkdir(parents=True, exist_ok=True)
    settings.recordings_folder.write_text("")
    with pytest.raises(BundleCreateError):
        bench.begin(media=False)
    assert bench.leg.asked == [], "not answered; the worker refuses it"


async def test_a_full_disk_and_a_full_temporary_folder_leave_memory_for_the_call(
    settings: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "full").write_text("")
    monkeypatch.setattr(callsession, "REFUGES", (tmp_path / "full" / "a", tmp_path / "memory"))
    bench = Bench(settings)
    settings.recordings_folder.parent.mkdir(parents=True, exist_ok=True)
    settings.recordings_folder.write_text("")
    bench.begin()
    assert bench.leg.asked == ["answer"]
    await bench.session.finish()
    assert len(list((tmp_path / "memory" / "closed").iterdir())) == 1


async def test_nobody_else_on_this_machine_can_read_a_recording(settings: Config) -> None:
    bench = Bench(settings)
    bench.begin()
    assert bench.session._bundle.path.stat().st_mode & 0o077 == 0
    await bench.end()


async def test_a_flow_that_switches_to_a_language_nobody_understands_goes_on_by_keys(settings: Config) -> None:
    flow = FLOW.replace('start = "pin"', 'start = "chinese"')
    flow += '[step.chinese]\ntype = "language"\nlanguage = "zh-CN"\nnext = "pin"\n'
    bench = Bench(settings, flow)
    bench.begin()
    await asyncio.sleep(0)
    errors = [event["data"] for event in await bench.end() if event["kind"] == "error"]
    assert {"code": "error.asr", "detail": "there is no recogniser for zh-CN"} in errors


@pytest.mark.parametrize(
    ("status", "termination"), [(488, "codec_mismatch"), (400, "bad_request"), (415, "bad_request")]
)
def test_an_offer_that_cannot_be_read_is_no_codec_mismatch(status: int, termination: str, config: Config) -> None:
    published: list[dict[str, Any]] = []
    refused = Refused(status, "Bad SDP", "ann", "desk", "x@y")
    CallSession.archive_refused(config, refused, NoBus(published))
    assert published[-1]["data"]["termination"] == termination
