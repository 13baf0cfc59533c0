"""The fake synthesiser tells texts apart by pitch and fails by script."""

import numpy as np
import pytest

from tts.errors import EngineCrashed, VoiceMissing
from tts.fake import FakeSynthesiser, frequency_hz


def test_each_text_has_its_tone_and_length() -> None:
    speech = FakeSynthesiser().synthesise("Hello there.", "en", "en-us")
    peak = np.argmax(np.abs(np.fft.rfft(speech.pcm))) * speech.rate_hz / len(speech.pcm)
    assert peak == pytest.approx(frequency_hz("Hello there."), abs=3)
    assert frequency_hz("Hello there.") != frequency_hz("Goodbye.")
    assert len(speech.pcm) / speech.rate_hz == pytest.approx(0.2 + 12 * 0.06, abs=0.01)


def test_scripted_failures_are_used_up() -> None:
    fake = FakeSynthesiser(failures={"a": [EngineCrashed("boom")]})
    with pytest.raises(EngineCrashed, match="boom"):
        fake.synthesise("a", "en", "en-us")
    assert len(fake.synthesise("a", "en", "en-us").pcm)
    assert fake.spoken == ["a", "a"]


def test_it_has_few_voices() -> None:
    with pytest.raises(VoiceMissing, match="only en-us"):
        FakeSynthesiser().synthesise("a", "en", "nobody")
