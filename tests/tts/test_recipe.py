"""Every setting that changes the sound changes its name."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tts.errors import VoiceMissing
from tts.recipe import Recipe

BASE = Recipe("espeak", "espeak 1", {"en": "en-us"}, Path("models"))


def test_the_same_question_has_the_same_name() -> None:
    again = Recipe("espeak", "espeak 1", {"zh": "cmn"}, Path("elsewhere"))  # neither is part of this clause's sound
    assert BASE.key("hello", "en", "en-us") == again.key("hello", "en", "en-us")


def test_each_part_of_the_sound_is_part_of_the_name() -> None:
    names = {
        BASE.key("hello", "en", "en-us"),
        BASE.key("Hello", "en", "en-us"),
        BASE.key("hello", "zh", "en-us"),
        BASE.key("hello", "en", "en-gb"),
        replace(BASE, engine_version="espeak 2").key("hello", "en", "en-us"),
        replace(BASE, level_dbfs=-22).key("hello", "en", "en-us"),
        replace(BASE, rate_hz=16000).key("hello", "en", "en-us"),
    }
    assert len(names) == 7


def test_a_piper_voice_that_is_replaced_is_another_voice(tmp_path: Path) -> None:
    recipe = Recipe("piper", "piper 1", {"en": "a"}, tmp_path)
    voice = tmp_path / "a.onnx"
    voice.write_bytes(b"one")
    before = recipe.key("hello", "en", "a")
    assert recipe.key("hello", "en", "a") == before
    voice.write_bytes(b"two")
    os.utime(voice, (1, 1))
    assert recipe.key("hello", "en", "a") != before
    with pytest.raises(VoiceMissing):
        recipe.key("hello", "en", "b")


def test_the_voice_asked_for_wins_over_that_of_the_language() -> None:
    assert BASE.voice("en-GB") == "en-us"
    assert BASE.voice("en-GB", "en-gb") == "en-gb"
    with pytest.raises(VoiceMissing):
        BASE.voice("de")
