"""How English says amounts, times, telephone numbers, long identifiers and keys. Pure."""

import re

_AMOUNT = r"(\d{1,3}(?:,\d{3})+|\d+)"
_MONEY = re.compile(rf"(?<![\w.,])([-−]?)([$€£])\s?{_AMOUNT}(?:\.(\d\d?))?(?![.,]?\d|\w)")
_ROUND_MONEY = re.compile(rf"(?<![\w.,])([$€£])\s?({_AMOUNT}(?:\.\d+)?) (thousand|million|billion)\b")
_UNITS = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
}
_CLOCK = r"(?<![\w:.])([01]?\d|2[0-3]):([0-5]\d)(?![\w:])"
_TIME = re.compile(rf"{_CLOCK}(\s?[AaPp]\.?\s?[Mm]\b)?")
_FROM_TO = re.compile(r"(?<=\d)(\s?(?:[AaPp]\.?[Mm]\.?)?)\s?[-–—]\s?(?=\d{1,2}(?::\d\d|\s?[AaPp]\.?[Mm]))")
_PHONE = re.compile(r"(?<![\w.,+-])(\+?)(\(?\d{1,4}\)?(?:[ -]\(?\d{2,4}\)?){1,5})(?![\w]|[-.,]\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_IDENTIFIER = re.compile(r"(?<![\w.,$€£:-])(?:\d{7,}|0\d+)(?![\w:]|[.,]\d| (?:dollar|euro|pound|percent))")
_RANGE = re.compile(r"(?<![\w.,$€£-])(\d{1,3})[-–](\d{1,3})(?= [a-z])")
_TITLE = re.compile(r"\b(Mr|Mrs|Ms|Dr|Prof)\. (?=[A-Z])")
_TITLES = {"Mr": "Mister", "Mrs": "Missis", "Ms": "Miz", "Dr": "Doctor", "Prof": "Professor"}
_KEY = re.compile(r"(?<![\w#*])([#*])(?![\w#*])")
_KEYS = {"#": "pound", "*": "star"}


def spoken(text: str) -> str:
    """The text as English says it, in digits and words that espeak-ng's `en` rules read rightly."""
    text = _ROUND_MONEY.sub(lambda match: f"{match[2]} {match[4]} {_UNITS[match[1]][1]}", text)
    text = _MONEY.sub(_money, text)
    text = _FROM_TO.sub(r"\1 to ", text)
    text = _TIME.sub(_time, text)
    text = _PHONE.sub(_phone, text)
    text = _IDENTIFIER.sub(lambda match: " ".join(match[0]), text)
    text = _RANGE.sub(r"\1 to \2", text)
    text = re.sub(r"\b24/7\b", "24 7", text)
    text = _TITLE.sub(lambda match: _TITLES[match[1]] + " ", text)
    return _KEY.sub(lambda match: _KEYS[match[1]], text)


def _money(match: re.Match[str]) -> str:
    one, many, cent, cents = _UNITS[match[2]]
    whole, part = int(match[3].replace(",", "")), int((match[4] or "0").ljust(2, "0"))
    small = f"{part} {cent if part == 1 else cents}" if part else ""
    large = f"{whole} {one if whole == 1 else many}" if whole or not part else ""
    return ("minus " if match[1] else "") + " and ".join(filter(None, (large, small)))


def _time(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), int(match[2]), match[3] or ""
    minutes = "" if not minute else f" oh {minute}" if minute < 10 else f" {minute}"
    if half:
        return f"{hour}{minutes}{half if half[0].isspace() else ' ' + half}"
    if 1 <= hour <= 12:
        return f"{hour}{minutes}" if minute else f"{hour} o'clock"
    return f"{hour % 12 or 12}{minutes} {'p.m.' if hour >= 12 else 'a.m.'}"


def _phone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[2])
    dialled = match[1] or "-" in match[2] or "(" in match[2] or (len(groups) >= 3 and min(map(len, groups)) >= 3)
    if sum(map(len, groups)) < 7 or not dialled or _DATE.fullmatch(match[2]):
        return match[0]
    return ("plus " if match[1] else "") + ", ".join(" ".join(group) for group in groups)
