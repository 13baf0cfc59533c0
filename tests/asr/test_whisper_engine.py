"""faster-whisper with the small test model: one utterance at a time, word times, bad folders."""

from pathlib import Path

import numpy as np
import pytest
import soxr

from asr import whisper_engine
from asr.errors import ModelError
from tts.espeak_engine import EspeakEngine

MODEL = Path(__file__).parents[3] / "shared" / "models" / "faster-whisper-tiny-ivr"
SAID = ("my card was stolen", "i want to check my balance")


@pytest.fixture(scope="module")
def recording(silence) -> np.ndarray:
    """Two sentences with pauses around them, int16 at 8 kHz."""
    engine = EspeakEngine()
    parts = [silence(1)]
    for text in SAID:
        speech = engine.synthesise(text, "en", "en-us")
        parts += [soxr.resample(speech.pcm, speech.rate_hz, 8000), silence(1.5)]
    engine.close()
    return np.concatenate(parts).astype(np.int16)


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_a_recording_is_written_down_utterance_by_utterance(recording, rate_hz) -> None:
    pcm = soxr.resample(recording, 8000, rate_hz)
    heard = whisper_engine.load(MODEL).transcribe(pcm, rate_hz, "en-US")
    assert [one.text for one in heard] == list(SAID)
    assert all(0.5 < one.confidence <= 1 for one in heard)
    for one, (start_s, end_s) in zip(heard, whisper_engine.utterances(recording), strict=True):
        assert [word.word for word in one.words] == one.text.split()
        assert start_s - 0.1 <= one.words[0].start_s < one.words[-1].end_s <= end_s + 0.5


def test_silence_is_no_text(silence) -> None:
    assert whisper_engine.load(MODEL).transcribe(silence(5), 8000, "en") == []


def test_utterances_are_cut_at_pauses(recording) -> None:
    first, second = whisper_engine.utterances(recording)
    assert first[0] == pytest.approx(0.8, abs=0.15)
    assert second[0] - first[1] == pytest.approx(1.1, abs=0.3)


def test_speech_without_a_pause_is_cut_before_whispers_window_ends(silence) -> None:
    tone = 6000 * np.sin(2 * np.pi * 440 * np.arange(8000 * 70) / 8000)
    found = whisper_engine.utterances(np.concatenate([silence(1), tone, silence(1)]).astype(np.int16))
    assert len(found) == 3
    assert all(end - start <= 28.001 for start, end in found)
    assert found[-1][1] == pytest.approx(71.2, abs=0.2)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model.bin, config.json, tokenizer.json"):
        whisper_engine.load(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        whisper_engine.load(tmp_path / "nowhere")
    for name in whisper_engine.NEEDED_FILES:
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelError, match="cannot load"):
        whisper_engine.load(tmp_path)
