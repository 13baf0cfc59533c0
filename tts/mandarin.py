"""How Mandarin says numbers, amounts, times, telephone numbers and keys. Pure.

espeak-ng 1.52 reads 1002 as 一千二 (that is 1200) and 10000 as 十千: all numbers are written out here.
"""

import re

_DIGITS = "零一二三四五六七八九"
_CURRENCIES = {"¥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d+)"
_LATIN = r"A-Za-z0-9_"
_MONEY = re.compile(
    rf"(?<![{_LATIN}.,])([-−]?)([¥$€£])\s?{_NUMBER}(?:\.(\d\d?))?\s?(?:元|块)?(?![.,]?\d|[{_LATIN}万亿])"
)
_YUAN = re.compile(rf"(?<![{_LATIN}.,])([-−]?)(){_NUMBER}\.(\d\d?)\s?(?:元|块)")
_TIME = re.compile(rf"(?<![{_LATIN}:.])([01]?\d|2[0-3])[:：]([0-5]\d)(?![{_LATIN}:])")
_FROM_TO = re.compile(r"(?<=[点分])\s?[-–—~～]\s?(?=[零一二两三四五六七八九十])")
_PERCENT = re.compile(rf"(?<![{_LATIN}.,]){_NUMBER}(\.\d+)?\s?%")
_YEAR = re.compile(rf"(?<![{_LATIN}.,-])([12]\d{{3}})(?=年)")
_PHONE = re.compile(rf"(?<![{_LATIN}.,-])\+?\d{{1,4}}(?:[ -]\d{{2,4}}){{1,5}}(?![{_LATIN}]|[-.,]\d)")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_COUNTED = "个|位|次|天|点|小时|分钟|秒|年|周|倍|笔|张|条|项|家|名|种|件|元|块|万|亿"
_IDENTIFIER = re.compile(rf"(?<![{_LATIN}.,-])(?:\d{{7,}}|0\d+)(?![{_LATIN}]|[.,]\d|\s?(?:{_COUNTED}))")
_TWO = re.compile(rf"(?<![{_LATIN}.,第] )(?<![{_LATIN}.,第])2(?=\s?(?:{_COUNTED}))")
_RANGE = re.compile(rf"(?<![{_LATIN}.-])(\d{{1,3}})\s?[-–~～]\s?(\d{{1,3}})(?=\s?[\u4e00-\u9fff])")
_PLAIN = re.compile(rf"(?<![{_LATIN}.])((?<!\d)[-−])?{_NUMBER}(\.\d+)?(?![{_LATIN}]|\.\d|-[A-Za-z])")
_KEY = re.compile(rf"(?<![{_LATIN}#*])([#*])(?:号?键|号)?(?![{_LATIN}#*])")
_KEYS = {"#": "井号键", "*": "星号键"}


def spoken(text: str) -> str:
    """The text as Mandarin says it, all numbers in characters."""
    text = _DATE.sub(lambda match: f"{match[1]}年{int(match[2])}月{int(match[3])}日", text)
    text = _MONEY.sub(_money, text)
    text = _YUAN.sub(_money, text)
    text = _TIME.sub(_time, text)
    text = _FROM_TO.sub("到", text)
    text = _PERCENT.sub(lambda match: f"百分之{_decimal(match[1], match[2])}", text)
    text = _YEAR.sub(lambda match: _one_by_one(match[1]), text)
    text = _PHONE.sub(_phone, text)
    text = _IDENTIFIER.sub(lambda match: _one_by_one(match[0]), text)
    text = _RANGE.sub(r"\1到\2", text)
    text = _TWO.sub("两", text)
    text = _PLAIN.sub(lambda match: ("负" if match[1] else "") + _decimal(match[2], match[3]), text)
    return _KEY.sub(lambda match: _KEYS[match[1]], text)


def numeral(number: int) -> str:
    """A whole number from 0 below 10^16 in characters: 1002 is 一千零二, 10000 一万."""
    if number == 0:
        return _DIGITS[0]
    words, gap = "", False
    for unit, name in ((10**12, "万亿"), (10**8, "亿"), (10**4, "万"), (1, "")):
        section, number = divmod(number, unit)
        if not section:
            gap = gap or bool(words)
            continue
        words += ("零" if words and (gap or section < 1000) else "") + _section(section) + name
        gap = False
    return words.removeprefix("一") if words.startswith("一十") else words


def _section(number: int) -> str:
    words, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if not digit:
            gap = gap or bool(words)
            continue
        words += ("零" if gap else "") + _DIGITS[digit] + name
        gap = False
    return words


def _decimal(whole: str, part: str | None) -> str:
    digits = whole.replace(",", "")
    number = _one_by_one(digits) if len(digits) > 16 else numeral(int(digits))
    return number + ("点" + _one_by_one(part[1:]) if part else "")


def _one_by_one(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _money(match: re.Match[str]) -> str:
    currency = _CURRENCIES.get(match[2], "元")
    whole, part = int(match[3].replace(",", "")), int((match[4] or "0").ljust(2, "0"))
    sign = "负" if match[1] else ""
    if currency != "元":
        return sign + _decimal(str(whole), f".{part:02d}" if part else None) + currency
    tens, ones = divmod(part, 10)
    words = ("两" if whole == 2 else _decimal(str(whole), None)) + "元" if whole or not part else ""
    words += f"{_DIGITS[tens]}角" if tens else "零" if words and ones else ""
    return sign + words + (f"{_DIGITS[ones]}分" if ones else "")


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    minutes = "" if not minute else f"{'零' if minute < 10 else ''}{numeral(minute)}分"
    return f"{'两' if hour == 2 else numeral(hour)}点{minutes}"


def _phone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    if sum(map(len, groups)) < 7 or ("-" not in match[0] and len(groups) < 3 and "+" not in match[0]):
        return match[0]
    return ("加" if "+" in match[0] else "") + "，".join(map(_one_by_one, groups))
