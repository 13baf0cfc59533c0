"""Writes out what engines read wrongly: amounts of money, times, telephone numbers, identifiers, keys.

Pure. Owns what all languages share; `tts.english` and `tts.mandarin` have the words. Names of brands and products stay
as they are: a number that touches a letter is never changed. Digits with spaces between them are read one by one.
"""

import re

from tts import english, mandarin

# Full-width digits and signs, as Chinese keyboards make them.
_NARROW = str.maketrans("０１２３４５６７８９＃＊％＄＋￥", "0123456789#*%$+¥")
_UNSPEAKABLE = re.compile(
    r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060\ufeff\ufe0f\ud800-\udfff\U0001f000-\U0001faff]+"
)


def normalise(text: str, language: str) -> str:
    """The text as it is to be spoken. A language without rules of its own loses only what no engine can say."""
    plain = _UNSPEAKABLE.sub(" ", text.translate(_NARROW)).strip()
    match language.lower().split("-")[0]:
        case "en":
            return english.spoken(plain)
        case "zh" | "cmn":
            return mandarin.spoken(plain)
    return plain
