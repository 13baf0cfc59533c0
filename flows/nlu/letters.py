"""Letters and digits spelled out: "alpha bravo four two", "a b four two", "b as in boy" to "AB42"."""

import re

from flows.nlu.digits import digits
from flows.nlu.words import normal, without_fillers

_ALPHABET = (
    "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo "
    "sierra tango uniform victor whiskey xray yankee zulu"
)
SPELLING = {word: word[0].upper() for word in _ALPHABET.split()} | {"juliett": "J", "x-ray": "X", "alfa": "A"}


def spelled(text: str, mask: str) -> str | None:
    """What was spelled, if it fits the mask: "A" a letter, "9" a digit, other characters stand for themselves.

    Where a word could be both, the mask decides: "oh" is O for a letter and 0 for a digit.
    """
    said = re.sub(r"\b([a-z]) (?:as in|for|like) [a-z]+", r"\1", normal(text)).replace("-", " ")
    found: list[str] = []
    wanted = [character for character in mask if character in "A9"]
    for word in _units(said, mask):
        if len(found) >= len(wanted):
            return None
        piece = _as_letter(word) if wanted[len(found)] == "A" else digits(word)
        if piece is None:
            return None
        found += piece
    return fitted("".join(found), mask)


def fitted(typed: str, mask: str) -> str | None:
    """Letters and digits set into the mask; None where they do not fit."""
    rest = list(typed)
    out = ""
    for character in mask:
        if character not in "A9":
            out += character
            continue
        if not rest or not (rest[0].isdigit() if character == "9" else rest[0].isalpha()):
            return None
        out += rest.pop(0).upper()
    return None if rest else out


def _units(said: str, mask: str) -> list[str]:
    """Words that say one thing; "a b12" and "ab12" come apart, "double five" stays together."""
    spoken = said.split() if "A" in mask else without_fillers(said).split()
    units: list[str] = []
    for word in spoken:
        if units and units[-1] in ("double", "triple"):
            units[-1] += f" {word}"
        elif word in SPELLING or digits(word) is not None or word in ("double", "triple"):
            units += list(word) if word.isdigit() else [word]
        else:
            units += list(word)
    return units


def _as_letter(word: str) -> str | None:
    if word in SPELLING:
        return SPELLING[word]
    if word == "oh":
        return "O"
    return word.upper() if len(word) == 1 and word.isascii() and word.isalpha() else None


def grammar_words() -> tuple[str, ...]:
    """The words that letters are spelled with."""
    return (*SPELLING, *"abcdefghijklmnopqrstuvwxyz")
