"""The vosk adapter with the shipped model and human callers."""

import os
from pathlib import Path

import numpy as np
import pytest

from asr import vosk_engine
from asr.errors import ModelError
from asr.recogniser import NOTHING, Expected, Heard
from asr.vosk_engine import grammar_of, split_words

DIGITS = Expected("en", digits=(1, 8))


def recognise(recogniser, expect, *sounds, piece=480) -> tuple[Heard, list[str]]:
    turn = recogniser.open(expect)
    pcm = np.concatenate(sounds)
    partials = [turn.accept(pcm[at : at + piece].tobytes()) for at in range(0, len(pcm), piece)]
    heard = turn.finish()
    turn.close()
    turn.close()
    return heard, [text for text in partials if text is not None]


def test_human_digits_are_recognised(starter, clips, clip, silence) -> None:
    digits = {file: text for file, text in clips.items() if file.startswith("fsdd")}
    right = [
        recognise(starter, DIGITS, silence(0.3), clip(file), silence(0.4))[0].text == text
        for file, text in digits.items()
    ]
    assert len(right) >= 50
    assert sum(right) >= 0.93 * len(right)


def test_a_pause_inside_a_digit_string_loses_nothing_and_the_clock_goes_on(starter, clip, silence) -> None:
    two, five = clip("fsdd-theo-two-2_theo_0.wav"), clip("fsdd-theo-five-5_theo_0.wav")
    heard, partials = recognise(starter, DIGITS, silence(0.5), two, silence(1.5), five, silence(0.5))
    assert heard.text == "two five"
    assert partials[-1] == "two five"
    assert partials[0] == "two"
    begin_of_five = 0.5 + len(two) / 8000 + 1.5
    assert heard.words[0].start_s == pytest.approx(0.5, abs=0.2)
    assert heard.words[1].start_s == pytest.approx(begin_of_five, abs=0.2)


def test_each_turn_counts_from_its_own_first_sample(starter, clip, silence) -> None:
    sounds = (silence(0.3), clip("fsdd-theo-six-6_theo_0.wav"), silence(0.5))
    first, _ = recognise(starter, DIGITS, *sounds)
    again, _ = recognise(starter, DIGITS, *sounds)
    assert first == again
    assert first.text == "six"


def test_a_menu_phrase_is_recognised_and_other_words_are_not(starter, clip, silence) -> None:
    expect = Expected("en", phrases=("yes", "no"))
    said = (silence(0.3), clip("sc-0ea0e2f4-yes-0ea0e2f4_nohash_0.wav"), silence(0.4))
    assert recognise(starter, expect, *said)[0].text == "yes"
    other = (silence(0.3), clip("fsdd-theo-six-6_theo_0.wav"), silence(0.4))
    assert recognise(starter, Expected("en", phrases=("my balance",)), *other)[0] == NOTHING


def test_silence_is_nothing(starter, silence) -> None:
    heard, partials = recognise(starter, DIGITS, silence(2))
    assert heard == NOTHING
    assert partials == []


def test_any_piece_length_gives_the_same_words(starter, clip, silence) -> None:
    sounds = (silence(0.3), clip("fsdd-theo-three-3_theo_0.wav"), silence(0.5))
    assert {recognise(starter, DIGITS, *sounds, piece=piece)[0].text for piece in (37, 160, 480, 8000)} == {"three"}


def test_free_speech_uses_the_models_own_words(starter, clip, silence) -> None:
    sounds = (silence(0.3), clip("fsdd-theo-seven-7_theo_0.wav"), silence(0.5))
    assert recognise(starter, Expected("en"), *sounds)[0].text == "seven"


def test_unknown_words_are_named_once_in_order(starter) -> None:
    assert starter.unknown_words(["Zebra", "my balance", "zebra crossing", "yes"]) == ["zebra", "crossing"]


def test_a_phrase_with_an_unknown_word_is_left_out_whole() -> None:
    known = {"yes", "no", "please", "one"}
    expect = Expected("en", phrases=("Yes please", "no zebra"), words=("no", "gnu"))
    assert grammar_of(expect, known.__contains__) == ["yes please", "no", "[unk]"]


def test_an_expectation_of_which_nothing_is_known_still_limits_what_is_heard(starter, clip, silence) -> None:
    expect = Expected("en", phrases=("zebra crossing",))
    assert recognise(starter, expect, silence(0.3), clip("fsdd-theo-two-2_theo_0.wav"), silence(0.4))[0] == NOTHING


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("余额", ["余额"]),
        ("查询余额", ["查询", "余额"]),
        ("我要 查询余额", ["我", "要", "查询", "余额"]),
        ("查询卡", None),
        ("", []),
    ],
)
def test_mandarin_is_cut_into_the_fewest_known_words(phrase: str, words: list[str] | None) -> None:
    known = {"余额", "查询", "查", "询", "余", "额", "我", "要"}
    assert split_words(phrase, known.__contains__) == words


def test_a_folder_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a vosk model"):
        vosk_engine.load(tmp_path, "en")
    with pytest.raises(ModelError, match="does not exist"):
        vosk_engine.load(tmp_path / "nowhere", "en")


def test_a_broken_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "am").mkdir()
    (tmp_path / "am" / "final.mdl").write_bytes(b"")
    with pytest.raises(ModelError, match="cannot load"):
        vosk_engine.load(tmp_path, "en")


def test_a_model_loaded_before_fork_works_in_the_child(starter, clip, silence) -> None:
    sounds = (silence(0.3), clip("fsdd-theo-eight-8_theo_0.wav"), silence(0.5))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if recognise(starter, DIGITS, *sounds)[0].text == "eight" else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_beside_digits_no_phrase_may_hold_a_word_that_sounds_like_one() -> None:
    phrases = ("talk to an agent", "operator")
    with_digits = grammar_of(Expected("en", phrases, (4, 4)), lambda _word: True)
    assert "talk to an agent" not in with_digits
    assert {"operator", "two"} <= set(with_digits)
    assert "talk to an agent" in grammar_of(Expected("en", phrases), lambda _word: True)
