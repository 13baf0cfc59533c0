"""`ivr transcribe`: a finished recording in words, channel by channel, with a real faster-whisper model."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from telephony import audio
from tts.isolated import IsolatedSynthesiser

ROOT = Path(__file__).parents[1]
MODEL = ROOT.parent / "shared" / "models" / "faster-whisper-tiny-ivr"


def transcribe(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "ivr", "transcribe", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not MODEL.is_dir(), reason="the test model is not in ../shared/models")
def test_two_channels_are_written_down_each_by_itself(tmp_path: Path) -> None:
    engine = IsolatedSynthesiser("espeak", tmp_path)
    speech = engine.synthesise("my card was stolen", "en-us", "en-us+m7")
    engine.close()
    said = audio.with_level(audio.resample(speech.pcm, speech.rate_hz, 8000), 8000, -20.0)
    quiet = np.zeros(8000, np.int16)
    caller = np.concatenate((quiet, said, quiet))
    soundfile.write(tmp_path / "call.flac", np.column_stack((caller, np.zeros_like(caller))), 8000)
    written = transcribe(str(tmp_path / "call.flac"), "--model", str(MODEL), "--json")
    assert written.returncode == 0, written.stderr
    lines = json.loads(written.stdout)
    assert [line["who"] for line in lines] == ["caller"], "nobody speaks on the hotline's channel"
    assert set(lines[0]["text"].lower().strip(".").split()) == {"my", "card", "was", "stolen"}
    assert lines[0]["start_s"] == pytest.approx(1.0, abs=0.6)


def test_a_missing_recording_and_a_missing_model_are_told_apart(tmp_path: Path) -> None:
    missing = transcribe(str(tmp_path / "nothing.wav"))
    assert missing.returncode == 1
    assert "there is no file" in missing.stderr
    (tmp_path / "text.wav").write_text("no sound")
    assert "text.wav" in transcribe(str(tmp_path / "text.wav")).stderr
    soundfile.write(tmp_path / "some.wav", np.zeros(800, np.int16), 8000)
    assert "ivr models fetch faster-whisper-small" in transcribe(str(tmp_path / "some.wav")).stderr


def test_the_last_call_may_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[ivr]\ndata = "var"\n')
    asked = transcribe("last", "--config", str(tmp_path / "config.toml"))
    assert (asked.returncode, asked.stderr) == (1, "there is no call yet\n")
