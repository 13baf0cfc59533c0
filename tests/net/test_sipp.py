"""SIPp as a caller against the running hotline: speech, keys, hold, early ends, wrong codecs, a hundred at once."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.net import pcap, sound
from tests.net.hotline import Hotline, wait_for
from tests.net.sipp import Scenario, Sipp

pytestmark = [pytest.mark.net, pytest.mark.needs("sipp"), pytest.mark.timeout(180)]
Run = Callable[..., Sipp]


@pytest.fixture(scope="module")
def sipp(shared_hotline: Hotline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Starts SIPp with a scenario against the shared hotline."""
    running: list[Sipp] = []

    def run(scenario: Scenario, *options: str) -> Sipp:
        running.append(Sipp(tmp_path_factory.mktemp("sipp"), shared_hotline.address, scenario, *options))
        return running[-1]

    yield run
    for process in running:
        process.kill()


@pytest.fixture(scope="module")
def never_acknowledged(sipp: Run) -> Sipp:
    """A caller that never sends ACK: its call takes 32 s, so it begins first and is looked at last."""
    return sipp(Scenario("patient").invite().answered().far_bye())


def answered(line: str = "quick") -> Scenario:
    return Scenario(line).invite().answered().ack()


@pytest.mark.needs("root")
def test_human_speech_from_a_capture_is_understood(never_acknowledged, sipp, shared_hotline, tmp_path):
    words = [word for text in ("four", "seven", "one", "one") for word in sound.clips(text)]
    keyed = pcap.keys("1")
    after = len(keyed)
    talk = pcap.speech(sound.as_alaw(sound.joined([sound.silence(2.0), *words, sound.noise(9, 0.0004)])))
    stream = keyed + [(at_s + after * 0.02, _renumbered(packet, after)) for at_s, packet in talk]
    file = pcap.write(tmp_path / "speech.pcap", stream)
    call = shared_hotline.call(sipp(answered("patient").play(file).far_bye()).finish())
    assert "4711" in [text.replace(" ", "") for text in _as_digits(call.heard)]
    assert call.data("variable") == [{"name": "number", "value": "4711"}]
    assert call.termination == "completed"


@pytest.mark.needs("root")
def test_keys_as_rtp_events_go_through_the_flow(sipp, shared_hotline, tmp_path):
    file = pcap.write(tmp_path / "keys.pcap", pcap.keys("1 4711 9"))
    call = shared_hotline.call(sipp(answered("patient").play(file).far_bye()).finish())
    assert call.keys == "147119"
    assert {data["method"] for data in call.data("key")} == {"rfc4733"}
    assert call.termination == "completed"
    assert call.ended["rtp"]["rx_lost"] == 0


def test_keys_in_sip_info_go_through_the_flow(sipp, shared_hotline):
    scenario = answered().pause(300)
    for key in "147119":
        scenario.info(key).pause(60)
    call = shared_hotline.call(sipp(scenario.far_bye()).finish())
    assert call.keys == "147119"
    assert {data["method"] for data in call.data("key")} == {"info"}
    assert call.termination == "completed"
    assert call.ended["by"] == "hotline"


def test_hold_stops_the_clock_and_the_flow_goes_on_after_it(sipp, shared_hotline):
    scenario = answered().pause(1000).reinvite("sendonly").pause(6000).reinvite("sendrecv").pause(300)
    call = shared_hotline.call(sipp(scenario.info("9").far_bye()).finish())
    places = {event["kind"]: event["wall"] for event in call.events if event["kind"] in ("held", "resumed")}
    assert places["resumed"] - places["held"] > 5.5
    between = [event for event in call.events if places["held"] < event["wall"] < places["resumed"]]
    assert between == []  # noinput would have come after 1.5 s, the end of the call after 3
    assert call.keys == "9"
    assert call.termination == "completed"
    held_from = next(event["sample"] for event in call.events if event["kind"] == "held") + 1600
    assert sound.level(call.audio[held_from : held_from + 4 * 8000, 1]) < 0.002
    call.assert_recorded_whole()


def test_bye_at_once_after_the_ack(sipp, shared_hotline):
    call = shared_hotline.call(sipp(answered().bye()).finish())
    assert call.termination == "caller_hangup"
    assert call.ended["by"] == "caller"


def test_a_bye_that_says_that_the_answer_came_too_late_is_a_cancelled_call(sipp, shared_hotline):
    """So the door ends a call that a worker answered after its CANCEL (Reason, RFC 3326)."""
    scenario = answered().bye('Reason: SIP;cause=487;text="answered too late"')
    assert shared_hotline.call(sipp(scenario).finish()).termination == "cancelled"


def test_cancel_while_no_worker_answers(sipp, shared_hotline):
    """Every worker is stopped, so that the call is surely not answered when it is cancelled."""
    stopped = shared_hotline.workers
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        call_id = sipp(Scenario().invite().cancel()).finish()
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    call = shared_hotline.call(call_id)
    assert call.termination == "cancelled"
    assert shared_hotline.call(sipp(answered().bye()).finish()).termination == "caller_hangup"


def test_twenty_callers_who_hang_up_at_once_were_all_answered(sipp, shared_hotline):
    call_id = sipp(answered().bye(), "-m", "20", "-r", "10").finish()
    calls = wait_for(lambda: len(found := shared_hotline.calls(call_id)) == 20 and found)
    assert {call.termination for call in calls} == {"caller_hangup"}
    assert all(len(call.data("media.started")) == 1 for call in calls)


def test_no_codec_in_common_is_refused_and_archived(sipp, shared_hotline):
    scenario = Scenario().invite("97", "a=rtpmap:97 opus/48000/2").refused(488)
    call = shared_hotline.call(sipp(scenario).finish())
    assert call.termination == "codec_mismatch"
    assert call.started["caller"] == "sipp"
    assert shared_hotline.call(sipp(answered().bye()).finish()).termination == "caller_hangup"


def test_a_hundred_calls_at_once(sipp, shared_hotline):
    count = 100
    scenario = answered("patient").pause(25000).info("9").far_bye()
    process = sipp(scenario, "-m", str(count), "-r", "5", "-l", str(count))
    most = 0

    def look() -> bool:
        nonlocal most
        most = max(most, len(shared_hotline.up()))
        return most >= count - 5

    wait_for(look, 60)
    call_id = process.finish()
    calls = wait_for(lambda: len(found := shared_hotline.calls(call_id)) == count and found, 60)
    assert {call.termination for call in calls} == {"completed"}
    assert all((call.path / "call.flac").exists() for call in calls)
    assert len({call.started["worker_pid"] for call in calls}) == count
    for call in calls:
        assert shared_hotline.rows(call, 60) == [event["seq"] for event in call.events]


def test_a_caller_that_never_acknowledges_is_hung_up(never_acknowledged, shared_hotline):
    call = shared_hotline.call(never_acknowledged.finish(100))
    assert call.termination == "no_ack"
    assert call.ended["by"] == "hotline"


def _renumbered(packet: bytes, by: int) -> bytes:
    """The packet so much later in the stream."""
    sequence = int.from_bytes(packet[2:4], "big") + by
    timestamp = int.from_bytes(packet[4:8], "big") + by * 160
    return (
        packet[:2] + (sequence & 0xFFFF).to_bytes(2, "big") + (timestamp & 0xFFFFFFFF).to_bytes(4, "big") + packet[8:]
    )


def _as_digits(texts: list[str]) -> list[str]:
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    return [" ".join(str(names.index(word)) if word in names else word for word in text.split()) for text in texts]
