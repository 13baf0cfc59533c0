"""baresip, a stranger's phone, calls the hotline and is called: what each side hears, what the archive has of it."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile

from tests.net import sound
from tests.net.baresip import SAID_HZ, Baresip
from tests.net.hotline import ivr, wait_for
from tests.net.phones import Echo, Phones, Says

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]


@pytest.fixture
def baresip(tmp_path: Path) -> Iterator[Callable[..., Baresip]]:
    """Starts baresip with a codec and commands."""
    running: list[Baresip] = []

    def run(codec: str, *commands: str, **options: int) -> Baresip:
        folder = tmp_path / f"baresip{len(running)}"
        folder.mkdir()
        running.append(Baresip(folder, codec, *commands, **options))
        return running[-1]

    yield run
    for phone in running:
        if phone.process.poll() is None:
            phone.process.kill()
            phone.process.wait()


@pytest.mark.needs("baresip")
@pytest.mark.parametrize(("codec", "named"), [("PCMA", "PCMA/8000"), ("G722/16000/1", "G722/16000")])
def test_baresip_calls_the_hotline(codec, named, shared_hotline, baresip):
    host, port = shared_hotline.address
    before = {call.path for call in shared_hotline.archived()}
    phone = baresip(codec, f"/dial sip:tones@{host}:{port}")
    wait_for(lambda: any(call.data("prompt.ended") for call in shared_hotline.up() if call.started["caller"] == "bare"))
    phone.hang_up()
    fresh = lambda: [  # noqa: E731
        call for call in shared_hotline.archived() if call.path not in before and call.started["caller"] == "bare"
    ]
    (call,) = wait_for(fresh)
    assert call.termination == "caller_hangup"
    assert call.data("media.started") == [{"codec": named}]
    call.assert_recorded_whole()
    said, prompt = call.audio[:, 0], call.audio[:, 1]
    assert sound.tone_seconds(said, SAID_HZ) > 1.3
    assert sound.tone_seconds(said, 500) == 0
    assert 1.3 < sound.tone_seconds(prompt, 500) < 1.7
    assert sound.tone_seconds(prompt, SAID_HZ) == 0
    heard = phone.heard()
    assert 1.3 < sound.tone_seconds(heard, 500) < 1.7
    assert sound.tone_seconds(heard, SAID_HZ) == 0


@pytest.mark.needs("baresip")
def test_the_test_phone_calls_baresip(shared_hotline, baresip, tmp_path):
    phone = baresip("PCMA", said_s=3)

    def listening() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", phone.port))
            except OSError:
                return True
        return False

    wait_for(listening)
    sound.write(tmp_path / "hello.wav", sound.tone(600, 1.0))
    dialled = ivr(
        shared_hotline.config, "dial", f"sip:bare@127.0.0.1:{phone.port}", "--json",
        "--wait", "1.5", "--play", str(tmp_path / "hello.wav"), "--wait", "0.5", "--record", str(tmp_path / "call.wav"),
    )  # fmt: skip
    outcome = json.loads(dialled.stdout)
    assert outcome["answered"]
    assert outcome["codec"] == "PCMA/8000"
    assert outcome["rtp"]["rx_lost"] == 0
    phone.hang_up()
    recorded, _ = soundfile.read(tmp_path / "call.wav")
    assert sound.tone_seconds(recorded[:, 1], SAID_HZ) > 1.5
    assert 0.8 < sound.tone_seconds(recorded[:, 0], 600) < 1.2
    assert 0.8 < sound.tone_seconds(phone.heard(), 600) < 1.2


def test_the_two_channels_of_a_recording_stay_aligned(shared_hotline, phones: Phones):
    """A caller who is an echo: the left channel is the right one, a little later, and as much later at the end."""
    call = phones.call("tones", Says([]))
    call.talker = Echo(call)
    phones.at_end([call], 60)
    (one,) = phones.until(lambda: shared_hotline.calls(call.call_id))
    caller, hotline = one.audio[:, 0], one.audio[:, 1]
    delays = [_onset(caller, hz) - _onset(hotline, hz) for hz in (500, 700)]
    assert all(-0.05 < delay < 1 for delay in delays), delays
    assert abs(delays[0] - delays[1]) < 0.5


def _onset(channel: sound.Sound, hz: float) -> float:
    """When a tone begins, in seconds."""
    step = 80
    for at in range(0, len(channel) - 400, step):
        if sound.tone_level(channel[at : at + 400], hz) > 0.05:
            return at / 8000
    raise AssertionError(f"no tone of {hz} Hz")
