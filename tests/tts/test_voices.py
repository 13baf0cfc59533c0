"""Which voice speaks a language."""

from pathlib import Path

import pytest

from tts.errors import VoiceMissing
from tts.voices import piper_file, voice_for

VOICES = {"en": "en-us", "en-GB": "en-gb", "zh-CN": "cmn"}


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en", "en-us"),
        ("en-US", "en-us"),
        ("en-gb", "en-gb"),
        ("en-GB-oxendict", "en-gb"),
        ("zh", "cmn"),
        ("ZH-cn", "cmn"),
    ],
)
def test_the_nearest_language_is_taken(language: str, voice: str) -> None:
    assert voice_for(VOICES, language) == voice


@pytest.mark.parametrize("language", ["de", "", "z", "zh-TW"])
def test_another_language_has_no_voice(language: str) -> None:
    with pytest.raises(VoiceMissing, match=r"no voice for the language .* \(there: en, en-GB, zh-CN\)"):
        voice_for(VOICES, language)


def test_a_piper_voice_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    for place in ("a.onnx", "b/b.onnx", "piper/c.onnx"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
    assert piper_file("a", tmp_path) == tmp_path / "a.onnx"
    assert piper_file("b", tmp_path) == tmp_path / "b/b.onnx"
    assert piper_file("c", tmp_path) == tmp_path / "piper/c.onnx"
    assert piper_file(str(tmp_path / "a.onnx"), Path("/nowhere")) == tmp_path / "a.onnx"


def test_a_missing_piper_voice_says_where_it_was_sought(tmp_path: Path) -> None:
    with pytest.raises(VoiceMissing, match=f"{tmp_path}/d.onnx.*ivr models fetch d"):
        piper_file("d", tmp_path)
