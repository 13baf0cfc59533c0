"""Natural numbers and amounts of money: "one hundred and five", "twelve fifty", "两百三", "十二块五"."""

import re
from typing import Final

import cn2an
from text_to_num import text2num

from flows.nlu.digits import HAN
from flows.nlu.words import is_han, normal, without_fillers

Number = int | float
_PLAIN = re.compile(r"-?\d{1,12}(?:[.,]\d{1,4})?")
_HAN_NUMBER = re.compile(r"负?[零〇一二两三四五六七八九十百千万亿幺点\d]{1,20}")
_CARDINALS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million and"
)
_WORDS: Final = frozenset(_CARDINALS.split())
_MAJOR = re.compile(r"\b(?:dollars?|euros?|pounds?|yuan|bucks?)\b")
_A_MAJOR = re.compile(r"\ba (?:dollar|euro|pound|yuan|buck)\b")
_MINOR = re.compile(r"\b(?:cents?|pence|penny|pennies)\b")
_BEFORE = re.compile(r"^(?:(?:i want|i'd like|i would like|i need|give me|make that|to pay|pay|about|just|only) )+")
_THINGS = re.compile(r" (?!(?:second|minute|moment)s)[a-z]+s$")
_MEASURES = re.compile(r"(?<=[零〇一二两三四五六七八九十百千万亿\d])(?:个人|[个位张份件次只名本天])$")
_HAN_AMOUNT = re.compile(
    r"(?P<yuan>[零〇一二两三四五六七八九十百千万亿点\d.]+?)(?:块钱|块|元钱|元|圆)"
    r"(?:(?:零(?=.[毛角]))?(?P<jiao>[一二两三四五六七八九零〇\d])(?:毛|角)?)?(?:零?(?P<fen>[零〇一二两三四五六七八九\d])分?)?钱?"
)
_HAN_SMALL = re.compile(
    r"(?=.*[毛角分])(?:(?P<jiao>[一二两三四五六七八九\d])(?:毛|角))?(?:(?P<fen>[一二两三四五六七八九\d])分?)?钱?"
)


def number(text: str) -> Number | None:
    """The number that was said, alone or with small words around it."""
    said = without_fillers(normal_number(text))
    if not said or len(said) > 120:
        return None
    if _PLAIN.fullmatch(said):
        return _plain(said.replace(",", "."))
    return _han(said) if is_han(said) else _english(_THINGS.sub("", _BEFORE.sub("", said)))


def normal_number(text: str) -> str:
    """Normal text that keeps a point or comma between digits; commas before three digits group thousands."""
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return re.sub(r"(?<=\d)dot(?=\d)", ".", normal(re.sub(r"(?<=\d)[.,](?=\d)", "dot", text)))


def _plain(said: str) -> Number:
    value = float(said)
    return int(value) if value.is_integer() else value


def _han(said: str) -> Number | None:
    said = _MEASURES.sub("", said)
    if not _HAN_NUMBER.fullmatch(said):
        return None
    try:
        return _plain(str(cn2an.cn2an(said, "smart")))
    except (ValueError, KeyError, IndexError):
        return None


def _english(said: str) -> Number | None:
    said = said.replace("-", " ")
    minus = said.startswith("minus ")
    whole, point, rest = said.removeprefix("minus ").partition(" point ")
    value: Number | None = _cardinal(whole)
    if value is not None and point:
        digits = [_cardinal(word) for word in rest.split()]
        if not digits or any(digit is None or digit > 9 for digit in digits):
            return None
        value = float(f"{value}.{''.join(map(str, digits))}")
    return -value if minus and value is not None else value


def _cardinal(words: str) -> int | None:
    words = words.replace("oh", "zero") if words == "oh" else words
    if words.split()[:1] in (["hundred"], ["thousand"], ["million"]):
        words = f"one {words}"
    if words.isascii() and words.isdigit():
        return int(words)
    if not words.strip() or not set(words.split()) <= _WORDS or words.split()[0] == "and":
        return None
    try:
        return int(text2num(words, "en"))
    except ValueError:
        return None


def amount(text: str) -> Number | None:
    """The amount of money that was said, in the larger unit: "twelve dollars and fifty cents" is 12.5."""
    said = without_fillers(normal_number(text))
    if is_han(said):
        return _han_amount(said)
    said = _BEFORE.sub("", said)
    major = _MAJOR.split(said, maxsplit=1)
    if len(major) == 2:
        major[0] = "one" if not major[0].strip() and _A_MAJOR.search(text.casefold()) else major[0]
        rest = _MINOR.sub("", major[1]).strip().removeprefix("and ").removeprefix("an ").strip()  # as it is often heard
        return _joined(number(major[0]), number(rest) if rest else 0)
    if _MINOR.search(said):
        return _joined(0, number(_MINOR.sub("", said)))
    plain = number(said)
    return plain if plain is not None else _twelve_fifty(said.split())


def _twelve_fifty(words: list[str]) -> Number | None:
    for place in range(1, len(words)):
        major, minor = number(" ".join(words[:place])), number(" ".join(words[place:]).removeprefix("oh "))
        least = 1 if words[place] == "oh" else 10
        if isinstance(major, int) and isinstance(minor, int) and least <= minor < 100 and major < 100:
            return _joined(major, minor)
    return None


def _joined(major: Number | None, minor: Number | None) -> Number | None:
    if major is None or minor is None or not 0 <= minor < 100 or major < 0:
        return None
    return _plain(str(round(major + minor / 100, 2)))


def _han_amount(said: str) -> Number | None:
    match = _HAN_AMOUNT.fullmatch(said)
    small = _HAN_SMALL.fullmatch(said)
    if match is None and (small is None or not (small["jiao"] or small["fen"])):
        return number(said)
    found = match or small
    assert found is not None
    yuan = number(found["yuan"]) if match else 0
    jiao, fen = (int(HAN.get(found[part] or "零", found[part] or "0")) for part in ("jiao", "fen"))
    return None if yuan is None else _plain(str(round(yuan + jiao / 10 + fen / 100, 2)))


def words(language: str) -> tuple[str, ...]:
    """The words that numbers are spoken with, for the recogniser's grammar."""
    return tuple("零一二两三四五六七八九十百千万点") if language.startswith("zh") else (*sorted(_WORDS), "point")


def money_words(language: str) -> tuple[str, ...]:
    """The words that amounts are spoken with."""
    more = tuple("元块角毛分钱") if language.startswith("zh") else ("dollar", "dollars", "cent", "cents")
    return (*words(language), *more)
