"""Digit strings: "double five oh seven" and "幺三八零" to "5507" and "1380"."""

import re

from flows.nlu.words import is_han, normal, without_fillers

UNITS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16",
    "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fifty": "5", "sixty": "6", "seventy": "7", "eighty": "8",
    "ninety": "9",
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_ROUND = {"hundred": "00", "thousand": "000"}
HAN = dict(zip("零〇洞幺一两二三四五六七拐八九勾", "0001122345677899", strict=True))
_AROUND = {
    "yes",
    "yeah",
    "ok",
    "okay",
    "so",
    "account",
    "card",
    "code",
    "order",
    "phone",
    "pin",
    "thanks",
    "thank",
    "you",
}
_HAN_AROUND = re.compile(r"谢谢|好的|卡号|密码|验证码|订单号|电话|手机")
_HAN_REPEAT = re.compile(r"([两二三四])个([零〇洞幺一二三四五六七拐八九勾])|双([零〇洞幺一二三四五六七拐八九勾])")


def digits(text: str) -> str | None:
    """The digits that were said, None where anything else was said too."""
    said = without_fillers(normal(text))
    if not said:
        return None
    if is_han(said):
        return _han(_HAN_AROUND.sub("", said))
    return _english([word for word in said.replace("-", " ").split() if word not in _AROUND])


def _han(said: str) -> str | None:
    def repeated(match: re.Match[str]) -> str:
        return match[3] * 2 if match[3] else match[2] * int(HAN[match[1]])

    found = [HAN.get(character, character) for character in _HAN_REPEAT.sub(repeated, said)]
    return "".join(found) if found and all(character in "0123456789" for character in found) else None


def _english(words: list[str]) -> str | None:
    found = ""
    repeat = 1
    for number, word in enumerate(words):
        after = words[number + 1] if number + 1 < len(words) else ""
        if word in _REPEATS:
            repeat = _REPEATS[word]
            continue
        if word in _TENS:
            piece = _TENS[word] if after in UNITS and UNITS[after] != "0" else f"{_TENS[word]}0"
        elif word in _ROUND and found:
            piece = _ROUND[word]
        else:
            piece = UNITS.get(word) or _TEENS.get(word) or (word if word.isascii() and word.isdigit() else "")
        if not piece:
            return None
        found += piece * repeat
        repeat = 1
    return found if found and repeat == 1 else None


def words(language: str) -> tuple[str, ...]:
    """The words that digits are spoken with, for the recogniser's grammar."""
    return tuple(HAN) if language.startswith("zh") else (*UNITS, "double", "triple")
