"""Counting spoken digits."""

import pytest

from asr.digits import count_digits, digit_words


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("", "en", 0),
        ("one two three", "en", 3),
        ("oh five", "en-GB", 2),
        ("double five one", "en", 3),
        ("triple nine", "en", 3),
        ("five double", "en", 1),
        ("my balance", "en", 0),
        ("call 110 now", "en", 3),
        ("一 二 三", "zh-CN", 3),
        ("幺三八", "zh", 3),
        ("余额", "zh", 0),
        ("one", "xx", 0),
    ],
)
def test_digits_are_counted(text: str, language: str, count: int) -> None:
    assert count_digits(text, language) == count


def test_a_language_without_digit_words_has_none() -> None:
    assert digit_words("xx") == ()
