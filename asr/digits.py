"""Digit words of each language that a recogniser's grammar holds, and how many digits a text has.

What a text means is the flow's business; here only its length counts, for end-pointing.
"""

from collections.abc import Iterable

_WORDS = {
    "en": ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double", "triple"),
    "zh": ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "幺", "两"),
}
_SOUND_ALIKE = {"en": frozenset({"to", "too", "for", "fore", "won", "ate"})}
_REPEATS = {"double": 2, "triple": 3}


def digit_words(language: str) -> tuple[str, ...]:
    """The words in which callers say digits, for a language like "en" or "zh-CN"; none for one that is not known."""
    return _WORDS.get(_base(language), ())


def sounds_like_a_digit(phrase: str, language: str) -> bool:
    """Whether a phrase has a word that cannot be told from a digit by ear: "talk to an agent" has "to"."""
    return not _SOUND_ALIKE.get(_base(language), frozenset()).isdisjoint(phrase.lower().split())


def count_digits(text: str, language: str) -> int:
    """How many digits were said: "double five one" has three, "five double" one until its digit is said."""
    known = set(digit_words(language))
    count, times = 0, 1
    for word in _units(text, language):
        if word in _REPEATS:
            times = _REPEATS[word]
            continue
        if word in known or word.isdecimal():
            count += times * (len(word) if word.isdecimal() else 1)
        times = 1
    return count


def is_mandarin(language: str) -> bool:
    """Whether words of this language are written without spaces and each digit is one character."""
    return _base(language) == "zh"


def _units(text: str, language: str) -> Iterable[str]:
    return text.replace(" ", "") if is_mandarin(language) else text.lower().split()


def _base(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()
