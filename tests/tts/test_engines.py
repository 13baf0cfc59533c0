"""The real engines, each in its own process: English and Mandarin, wrong voices, crashes, hangs."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from telephony.audio import active_level_dbfs, resample
from tts import engines
from tts.errors import EngineCrashed, EngineTooSlow, VoiceMissing
from tts.isolated import IsolatedSynthesiser


@pytest.fixture(scope="module")
def espeak() -> Iterator[IsolatedSynthesiser]:
    engine = IsolatedSynthesiser("espeak", Path())
    yield engine
    engine.close()


@pytest.fixture
def piper(tmp_path: Path) -> Iterator[IsolatedSynthesiser]:
    engine = IsolatedSynthesiser("piper", tmp_path)
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("text", "language", "voice"),
    [("Welcome to the bank.", "en", "en-us"), ("欢迎致电银行。", "zh-CN", "cmn")],
)
def test_espeak_speaks(espeak: IsolatedSynthesiser, text: str, language: str, voice: str) -> None:
    speech = espeak.synthesise(text, language, voice)
    assert speech.rate_hz == 22050
    assert 0.8 < len(speech.pcm) / speech.rate_hz < 3
    assert -35 < active_level_dbfs(resample(speech.pcm, 22050, 8000), 8000) < -8


def test_longer_text_takes_longer(espeak: IsolatedSynthesiser) -> None:
    short, long = (len(espeak.synthesise(text, "en", "en-us").pcm) for text in ("seven", "seven " * 10))
    assert long > 5 * short


@pytest.mark.parametrize("text", ["", " ", "\0"])
def test_nothing_to_say_is_next_to_no_sound(espeak: IsolatedSynthesiser, text: str) -> None:
    assert len(espeak.synthesise(text, "en", "en-us").pcm) < 2205


@pytest.mark.parametrize("voice", ["klingonese", "", "../../../etc/passwd", "x" * 500])
def test_a_wrong_voice_is_named_and_the_engine_goes_on(espeak: IsolatedSynthesiser, voice: str) -> None:
    with pytest.raises(VoiceMissing, match="no voice"):
        espeak.synthesise("hello", "en", voice)
    assert len(espeak.synthesise("hello", "en", "en-us").pcm)


def test_markup_is_text(espeak: IsolatedSynthesiser) -> None:
    plain = espeak.synthesise("one two", "en", "en-us")
    tagged = espeak.synthesise('one <break time="30s"/> [[tw]] two', "en", "en-us")
    assert len(plain.pcm) < len(tagged.pcm) < 15 * 22050


def test_a_killed_engine_is_started_again(espeak: IsolatedSynthesiser) -> None:
    espeak.start()
    first = espeak.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert len(espeak.synthesise("hello", "en", "en-us").pcm)
    assert espeak.pid != first


def test_a_hanging_engine_is_ended_at_the_deadline_and_replaced(espeak: IsolatedSynthesiser) -> None:
    engine = IsolatedSynthesiser("espeak", Path(), deadline_s=0.5)
    engine.start()
    first = engine.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    with pytest.raises(EngineTooSlow, match=r"within 0\.5 s"):
        engine.synthesise("hello", "en", "en-us")
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    patient = IsolatedSynthesiser("espeak", Path())
    assert len(patient.synthesise("hello", "en", "en-us").pcm)
    patient.close()
    engine.close()


def test_an_engine_that_never_starts_is_an_error() -> None:
    engine = IsolatedSynthesiser("no-such-engine", Path())
    with pytest.raises(EngineCrashed, match="no-such-engine engine died"):
        engine.synthesise("hello", "en", "en-us")
    engine.close()


def test_piper_speaks(piper: IsolatedSynthesiser, piper_voice: Path) -> None:
    speech = piper.synthesise("My card was stolen. Help.", "en", str(piper_voice))
    assert speech.rate_hz == 16000
    assert 1 < len(speech.pcm) / 16000 < 6
    assert np.abs(speech.pcm.astype(int)).max() > 1000
    assert np.array_equal(piper.synthesise("My card was stolen. Help.", "en", str(piper_voice)).pcm, speech.pcm)


def test_piper_with_nothing_to_say_gives_no_samples(piper: IsolatedSynthesiser, piper_voice: Path) -> None:
    assert not len(piper.synthesise("", "en", str(piper_voice)).pcm)


def test_piper_reads_brackets_as_text(piper: IsolatedSynthesiser, piper_voice: Path) -> None:
    raw = piper.synthesise("[[s s s s s s s s s s s s s s s s s s s s]]", "en", str(piper_voice))
    spelt = piper.synthesise("s s s s s s s s s s s s s s s s s s s s", "en", str(piper_voice))
    assert len(raw.pcm) == pytest.approx(len(spelt.pcm), rel=0.2)


def test_piper_names_what_is_missing(piper: IsolatedSynthesiser, tmp_path: Path) -> None:
    with pytest.raises(VoiceMissing, match="ivr models fetch en_US-nobody"):
        piper.synthesise("hello", "en", "en_US-nobody")
    voice = tmp_path / "half.onnx"
    voice.write_bytes(b"not a model")
    with pytest.raises(VoiceMissing, match=r"lacks its description half\.onnx\.json"):
        piper.synthesise("hello", "en", "half")
    voice.with_name("half.onnx.json").write_text("{}")
    with pytest.raises(VoiceMissing, match="not a piper voice's description"):
        piper.synthesise("hello", "en", "half")


def test_a_broken_piper_model_is_named(piper: IsolatedSynthesiser, piper_voice: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(piper_voice.read_bytes()[:5000])
    description = piper_voice.with_name(piper_voice.name + ".json").read_text()
    (tmp_path / "bad.onnx.json").write_text(description)
    with pytest.raises(VoiceMissing, match=r"bad\.onnx is not a voice that the ONNX runtime can load"):
        piper.synthesise("hello", "en", "bad")


def test_a_chinese_pinyin_voice_says_what_to_install(
    piper: IsolatedSynthesiser, piper_voice: Path, tmp_path: Path
) -> None:
    (tmp_path / "zh.onnx").write_bytes(piper_voice.read_bytes())
    description = piper_voice.with_name(piper_voice.name + ".json").read_text()
    (tmp_path / "zh.onnx.json").write_text(description.replace('"phoneme_type": "espeak"', '"phoneme_type": "pinyin"'))
    with pytest.raises(VoiceMissing, match=r"piper-tts\[zh\]"):
        piper.synthesise("你好", "zh-CN", "zh")


@pytest.mark.parametrize("engine", ["espeak", "piper", "fake"])
def test_versions_name_engine_and_package(engine: str) -> None:
    assert engines.version(engine).startswith(engine)
