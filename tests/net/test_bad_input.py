"""What callers, strangers and operators do wrong: each has a clear outcome, and the next call is answered."""

import itertools
import re
import socket
import subprocess
import sys

import numpy as np
import pytest

from tests.net import sound
from tests.net.hotline import SHARED, free_port, ivr, settings
from tests.net.phones import Phones, Says, keys, packets, quiet

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]


def archived(hotline, phones: Phones, calls):
    """The calls as the archive has them, in the same order."""
    return [phones.until(lambda call=call: hotline.calls(call.call_id))[0] for call in calls]


def goodbye(pressed: str = "9"):
    return Says([*quiet(1.0), *keys(pressed)])


def test_broken_sip_during_a_call_harms_neither_it_nor_the_next(shared_hotline, phones):
    call = phones.call("patient", Says([]))
    phones.all_up([call])
    files = sorted((SHARED / "data/rfc4475").glob("*.dat"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for data in [
            *(path.read_bytes() for path in files),
            b"",
            b"\0" * 900,
            b"INVITE",
            np.random.default_rng(1).bytes(1400),
        ]:
            stranger.sendto(data, shared_hotline.address)
        phones.loop.run_for(0.5)
    call.talker.add(keys("9"))
    following = phones.call("patient", goodbye())
    phones.at_end([call, following])
    assert [one.termination for one in archived(shared_hotline, phones, [call, following])] == ["completed"] * 2


@pytest.mark.parametrize(
    ("name", "status"),
    [("esc01", 200), ("longreq", 200), ("sdp01", 200), ("baddate", 200), ("inv2543", 200), ("invut", 415)],
)
def test_strange_but_valid_invites_reach_a_worker(name, status, shared_hotline):
    message = (SHARED / f"data/rfc4475/{name}.dat").read_bytes().replace(b"z9hG4bK", b"z9hG4bKanew")
    message = re.sub(rb"(?im)^(call-id|i)[ \t]*:[ \t]*", rb"Call-ID: anew", message)  # no repetition of one before
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.settimeout(10)
        stranger.sendto(message, shared_hotline.address)
        answers = iter(lambda: int(stranger.recv(4000)[8:11]), None)
        assert next(answer for answer in answers if answer >= 200) == status


def test_broken_rtp_is_not_heard(shared_hotline, phones):
    call = phones.call("patient", Says(quiet(1.0)))
    random = np.random.default_rng(2)
    loud = sound.as_alaw(sound.tone(1700, 0.02, 0.8))

    def spoil(number: int, packet: bytes) -> list[bytes]:
        broken = [
            packet[:6], b"", packet[:12], random.bytes(172),
            bytes([0x40]) + packet[1:12] + loud,  # version 1
            packet[:1] + bytes([77]) + packet[2:12] + loud,  # a payload type that nobody offered
            bytes([0x8F]) + packet[1:],  # says that it has fifteen CSRCs
            bytes([0x90]) + packet[1:14],  # says that it has an extension
        ]  # fmt: skip
        return [packet, broken[number % len(broken)]]

    call.spoil = spoil
    phones.all_up([call])
    phones.until(lambda: call.talker.said)
    call.talker.add([*packets(sound.tone(900, 1.0)), *keys("9")])
    phones.at_end([call])
    (one,) = archived(shared_hotline, phones, [call])
    assert one.termination == "completed"
    assert one.keys == "9"
    one.assert_recorded_whole()
    assert 0.8 < sound.tone_seconds(one.audio[:, 0], 900) < 1.2
    assert sound.tone_seconds(one.audio[:, 0], 1700) == 0


def test_a_stranger_is_neither_heard_nor_obeyed(shared_hotline, phones):
    """Louder packets from another port, in the stream's own numbers and in numbers of their own."""
    call = phones.call("patient", Says([*quiet(1.0), *packets(sound.tone(900, 3.0))]))
    phones.all_up([call])
    loud = packets(sound.tone(1700, 0.5, 0.9))
    own = itertools.count(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:

        def spoil(number: int, packet: bytes) -> list[bytes]:
            payload = loud[number % len(loud)]
            if number > 25:
                count = next(own)
                mine = (
                    bytes([0x80, 8]) + count.to_bytes(2, "big") + (160 * count).to_bytes(4, "big") + b"evil" + payload
                )
                stranger.sendto(packet[:12] + payload, call.far_rtp)
                stranger.sendto(mine, call.far_rtp)
            return [packet]

        call.spoil = spoil
        phones.until(lambda: call.talker.said)
        before = call.reception.received
        phones.loop.run_for(0.5)
        assert call.reception.received > before + 10  # the hotline still speaks, or is silent, to its own caller
        call.talker.add(keys("9"))
        phones.at_end([call])
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(2000)
    (one,) = archived(shared_hotline, phones, [call])
    assert one.termination == "completed"
    assert sound.tone_seconds(one.audio[:, 0], 900) > 2.5
    assert sound.tone_seconds(one.audio[:, 0], 1700) < 0.1


def test_lost_and_late_packets_leave_the_rest_in_place(shared_hotline, phones):
    lost = phones.call("patient", Says([*quiet(1.0), *packets(sound.tone(900, 3.0)), *keys("9", 0.3)]))
    swapped = phones.call("patient", Says([*quiet(1.0), *packets(sound.tone(900, 3.0)), *keys("9", 0.3)]))
    waiting: list[bytes] = []

    def swap(number: int, packet: bytes) -> list[bytes]:
        """Every fifth packet comes after the one that follows it."""
        if number % 5 == 0:
            waiting.append(packet)
            return []
        return [packet, waiting.pop()] if waiting else [packet]

    lost.spoil = lambda number, packet: [] if number % 10 == 3 else [packet]
    swapped.spoil = swap
    phones.at_end([lost, swapped])
    first, second = archived(shared_hotline, phones, [lost, swapped])
    for call in (first, second):
        assert call.termination == "completed"
        assert call.keys == "9"
        call.assert_recorded_whole()
        assert 2.7 < sound.tone_seconds(call.audio[:, 0], 900) < 3.3
    assert first.ended["rtp"]["rx_lost"] > 10
    assert second.ended["rtp"]["rx_lost"] < 5  # what only comes late is not lost


def test_callers_who_hang_up_at_any_moment(shared_hotline, phones):
    moments = [0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.7]
    said = [*quiet(0.3), *packets(sound.joined(sound.clips("seven") * 3))]
    calls = [phones.call("bank-en", Says(said), after_s=0.3 * place) for place in range(len(moments))]
    for place, (call, moment) in enumerate(zip(calls, moments, strict=True)):
        phones.loop.after(0.3 * place + moment, call.hang_up)
    phones.loop.run_for(0.3 * len(moments) + 2)
    phones.at_end(calls)
    for call in calls:
        if call.times.answered:
            (one,) = archived(shared_hotline, phones, [call])
            assert one.termination in ("caller_hangup", "cancelled")
            assert one.ended["by"] == "caller"
            if (one.path / "call.flac").exists() or one.events[-1]["sample"]:
                one.assert_recorded_whole()
        else:
            assert call.status == 487
    following = phones.call("patient", goodbye())
    phones.at_end([following])
    assert archived(shared_hotline, phones, [following])[0].termination == "completed"


def test_silence_noise_music_and_endless_talk_end_clearly(shared_hotline, phones):
    seven = sound.joined(sound.clips("seven"), 0.02)
    sounds = {
        "silence": [],
        "noise": packets(sound.noise(40, 0.03)),
        "loud noise": packets(sound.noise(40, 0.2)),
        "music": packets(sound.tune(40)),
        "talk": packets(np.tile(seven, int(40 * 8000 / len(seven)))),
    }
    calls = {name: phones.call("quick", Says(content)) for name, content in sounds.items()}
    phones.at_end(list(calls.values()), 60)
    ended = dict(zip(calls, archived(shared_hotline, phones, list(calls.values())), strict=True))
    for name, call in ended.items():
        assert call.termination == "completed", name
        assert call.ended["by"] == "hotline", name
        call.assert_recorded_whole()
    assert "noinput" in ended["silence"].flow_events
    assert "noinput" in ended["noise"].flow_events
    assert "max_speech" in ended["talk"].flow_events
    for name in ("music", "loud noise"):
        assert set(ended[name].flow_events) & {"noinput", "nomatch", "max_speech"}, name


def test_a_caller_who_vanishes_is_hung_up(make_hotline):
    hotline = make_hotline(telephony='rtp_timeout = "2s"')
    with Phones(hotline.address) as phones:
        call = phones.call("patient", Says([]))
        phones.all_up([call])
        phones.loop.run_for(0.5)
        call.spoil = lambda _number, _packet: []
        phones.at_end([call])
        assert call.ended_by_far_end
        (one,) = archived(hotline, phones, [call])
        assert one.termination == "rtp_timeout"


def test_a_port_in_use_names_its_holder(tmp_path, flows):
    port = free_port()
    code = (
        "import socket, time; line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
        f"line.bind(('127.0.0.1', {port})); print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        config = tmp_path / "config.toml"
        config.write_text(settings(tmp_path / "var", rtp=30000, flows=flows, port=port))
        try:
            served = ivr(config, "serve")
            checked = ivr(config, "check")
        finally:
            holder.kill()
    assert served.returncode != 0
    assert f"{port}" in served.stderr
    assert f"{holder.pid}" in served.stderr
    assert "Traceback" not in served.stderr
    assert f"{holder.pid}" in checked.stdout


def test_every_wrong_setting_is_named_with_file_and_line(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[telephony]\nprot = 5060\nmax_calls = "many"\n[asr]\nengine = "magic"\n[tts]\nlevel_dbfs = 3\n')
    served = ivr(config, "serve")
    assert served.returncode != 0
    for line, name in ((2, "telephony.prot"), (3, "telephony.max_calls"), (5, "asr.engine"), (7, "tts.level_dbfs")):
        assert re.search(rf"config\.toml:{line}: {re.escape(name)}", served.stderr), served.stderr
    assert "did you mean port" in served.stderr
    assert "Traceback" not in served.stderr


def test_a_missing_model_is_named_and_calls_go_on_by_keys(make_hotline):
    hotline = make_hotline(more='[asr.models]\nen = "vosk-model-small-en-us-0.15"\n')
    checked = hotline.ivr("check")
    assert "ivr models fetch vosk-model-small-en-us-0.15" in checked.stdout
    with Phones(hotline.address) as phones:
        call = phones.call("patient", Says([*quiet(1.0), *keys("1471"), *keys("19", 0.4)]))
        phones.at_end([call])
        (one,) = archived(hotline, phones, [call])
    assert one.termination == "completed"
    assert one.data("variable") == [{"name": "number", "value": "4711"}]
