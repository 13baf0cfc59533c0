"""Real calls between two processes on loopback: the test phone calls a far end that plays, pauses and records."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
FAR_END = [sys.executable, str(Path(__file__).with_name("far_end.py"))]
Call = Callable[..., tuple[dict, dict]]
pytestmark = pytest.mark.net


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Call]:
    """Calls the far end with the arguments of `ivr dial`; gives the phone's and the far end's account of the call."""
    started = []

    def make(*arguments: str, codecs: tuple[str, ...] = ("PCMA",), user: str = "100") -> tuple[dict, dict]:
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
        far_end = subprocess.Popen([*FAR_END, *codecs], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        started.append(far_end)
        assert far_end.stdout is not None
        port = far_end.stdout.readline().strip()
        phone = subprocess.run(
            [sys.executable, "-m", "ivr", "dial", f"sip:{user}@127.0.0.1:{port}", "--json", *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
        if not phone.stdout:
            raise AssertionError(phone.stderr)
        outcome = json.loads(phone.stdout)
        account = json.loads(far_end.stdout.readline()) if outcome["answered"] else {}
        return outcome, account

    yield make
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def sound(account: dict, name: str) -> np.ndarray:
    return np.frombuffer((Path(account["folder"]) / f"{name}.raw").read_bytes(), np.int16)


def pitch_hz(pcm8k: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(pcm8k))) * 8000 / len(pcm8k))


def test_both_files_are_heard_in_order_without_a_gap_that_a_caller_would_notice(call: Call, tmp_path: Path) -> None:
    outcome, account = call("--record", str(tmp_path / "call.wav"))
    assert outcome["answered"]
    assert outcome["rtp"]["rx_lost"] == 0
    played = sound(account, "played")
    loud = np.flatnonzero(np.abs(played) > 20)
    assert 16000 - 200 <= loud[-1] - loud[0] <= 16000 + 800
    assert pitch_hz(played[loud[0] : loud[0] + 7900]) == pytest.approx(440, abs=2)
    assert pitch_hz(played[loud[-1] - 7900 : loud[-1]]) == pytest.approx(880, abs=2)
    import soundfile  # noqa: PLC0415

    recording, rate_hz = soundfile.read(tmp_path / "call.wav", dtype="int16")
    heard = recording[:, 1]
    at = np.flatnonzero(np.abs(heard) > 200)
    assert rate_hz == 8000
    assert pitch_hz(heard[at[0] + 100 : at[0] + 7900]) == pytest.approx(440, abs=2)
    shutil.rmtree(account["folder"])


def test_a_call_that_is_answered_late_has_sound_from_its_first_sample(call: Call) -> None:
    """The bridge's clock runs from the INVITE on; media begin with the answer."""
    outcome, account = call("--wait", "2.5", user="late-after-0.5")
    assert outcome["answered"]
    assert outcome["codec"]
    assert [line for line in account["told"] if line.startswith("MediaReady")] == ["MediaReady(codec='PCMA/8000')"]
    loud = np.flatnonzero(np.abs(sound(account, "played")) > 20)
    assert loud[0] < 8000 * 0.4
    shutil.rmtree(account["folder"])


def test_keys_arrive_once_each_and_pause_keeps_the_place(call: Call) -> None:
    outcome, account = call("--wait", "0.3", "--keys", "1", "--wait", "0.5", "--keys", "2")
    assert outcome["answered"]
    assert [line for line in account["told"] if line.startswith("Key")] == [
        "Key(key='1', method=<KeyMethod.RFC4733: 'rfc4733'>)",
        "Key(key='2', method=<KeyMethod.RFC4733: 'rfc4733'>)",
    ]
    loud = np.flatnonzero(np.abs(sound(account, "played")) > 20)
    assert 16000 - 400 <= len(loud) <= 16000 + 100, "nothing was lost or played twice"


def test_what_the_phone_plays_reaches_the_far_end(call: Call, tmp_path: Path) -> None:
    import soundfile  # noqa: PLC0415

    said = (8000 * np.sin(2 * np.pi * 600 * np.arange(8000) / 8000)).astype(np.int16)
    soundfile.write(tmp_path / "said.wav", said, 8000)
    outcome, account = call("--play", str(tmp_path / "said.wav"))
    assert outcome["turns"][0]["failure"] == ""
    heard = sound(account, "heard")
    loud = np.flatnonzero(np.abs(heard) > 200)
    assert loud[-1] - loud[0] == pytest.approx(8000, abs=330)
    assert pitch_hz(heard[loud[0] + 100 : loud[0] + 7900]) == pytest.approx(600, abs=2)


def test_no_codec_in_common_is_refused_with_488(call: Call) -> None:
    outcome, _ = call(codecs=("GSM",))
    assert not outcome["answered"]
    assert outcome["status"] == 488


def test_a_uri_that_cannot_be_called_is_a_clear_error() -> None:
    phone = subprocess.run(
        [sys.executable, "-m", "ivr", "dial", "sip:"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert phone.returncode == 2
    assert "is not an address like sip:" in phone.stderr


def test_a_text_that_cannot_be_spoken_is_a_clear_error_and_no_success(call: Call) -> None:
    with pytest.raises(AssertionError, match="no-such-voice"):
        call("--say", "hello", "--voice", "no-such-voice")


OFFER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n%bm=audio 40002 RTP/AVP 8\r\n"
VIDEO = b"m=video 40000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"


@pytest.mark.parametrize(
    ("caller", "call_id", "video", "told"),
    [
        (
            b'"sip:Jos\xe9@x" <sip:jose@x>',
            b"a\xe9b@x",
            b"",
            "caller='Jos\ufffd', called='100', sip_call_id='a\ufffdb@x'",
        ),
        (b"<sip:ann@x>", b"c@x", VIDEO, "caller='ann'"),
    ],
    ids=["bytes that are no text", "video before audio"],
)
def test_an_unusual_invite_is_a_call_with_sound(caller: bytes, call_id: bytes, video: bytes, told: str) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    with (
        subprocess.Popen(FAR_END, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as far_end,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone,
    ):
        assert far_end.stdout is not None
        phone.settimeout(10)
        phone.connect(("127.0.0.1", int(far_end.stdout.readline())))
        here = b"127.0.0.1:%d" % phone.getsockname()[1]

        def send(method: bytes, number: int, to: bytes, body: bytes = b"") -> None:
            phone.send(
                b"%b sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %b;branch=z9hG4bK%b%d\r\nFrom: %b;tag=1\r\n"
                b"To: %b\r\nCall-ID: %b\r\nCSeq: %d %b\r\nContact: <sip:x@%b>\r\nMax-Forwards: 70\r\n"
                b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%b"
                % (method, here, method, number, caller, to, call_id, number, method, here, len(body), body)
            )

        send(b"INVITE", 1, b"<sip:100@x>", OFFER % video)
        while not (answer := phone.recv(4096)).startswith(b"SIP/2.0 200"):
            pass
        to = next(line for line in answer.split(b"\r\n") if line.lower().startswith(b"to:"))[3:].strip()
        send(b"ACK", 1, to)
        other_codec = OFFER.replace(b"AVP 8", b"AVP 3") % video
        send(b"INVITE", 2, to, other_codec.replace(b"- 1 1", b"- 1 2"))
        while not (answer := phone.recv(4096)).startswith(b"SIP/2.0 4"):
            assert not answer.startswith((b"SIP/2.0 5", b"SIP/2.0 2")), answer
        assert answer.startswith(b"SIP/2.0 488")
        send(b"ACK", 2, to)
        send(b"BYE", 3, to)
        account = json.loads(far_end.stdout.readline())
    shutil.rmtree(account["folder"])
    assert told in account["told"][0]
    assert "MediaReady(codec='PCMA/8000')" in account["told"]
