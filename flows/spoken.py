"""Values as they are spoken in prompts, in each language: money, dates, times of day."""

from datetime import UTC, date, datetime

_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905


def money(value: float, language: str) -> str:
    """An amount: "12 dollars and 50 cents", "12元5角"."""
    whole, rest = divmod(round(abs(value) * 100), 100)
    if language.startswith("zh"):
        jiao, fen = divmod(rest, 10)
        text = f"{whole}元" + (f"{jiao}角" if jiao else "零" if fen else "") + (f"{fen}分" if fen else "")
        return ("负" if value < 0 else "") + text
    text = f"{whole} dollar{'' if whole == 1 else 's'}"
    if rest:
        text += f" and {rest} cent{'' if rest == 1 else 's'}"
    return ("minus " if value < 0 else "") + text


def spoken_date(text: str, now: float, language: str) -> str | None:
    """A date "YYYY-MM-DD": "December 24", with the year where it is not the present one. None if it is no date."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    other_year = found.year != datetime.fromtimestamp(now, UTC).year
    if language.startswith("zh"):
        return (f"{found.year}年" if other_year else "") + f"{found.month}月{found.day}日"
    return f"{_MONTHS[found.month - 1]} {found.day}" + (f", {found.year}" if other_year else "")


def spoken_time(text: str, language: str) -> str | None:
    """A time of day "HH:MM": "3:30 pm", "下午3点30分". None if it is none."""
    hours, colon, minutes = text.partition(":")
    if not colon or not hours.isdecimal() or not minutes.isdecimal() or int(hours) > 23 or int(minutes) > 59:
        return None
    hour, minute = int(hours), int(minutes)
    half = hour % 12 or 12
    if language.startswith("zh"):
        part = "上午" if hour < 12 else "中午" if hour == 12 else "下午" if hour < 18 else "晚上"
        return f"{part}{half}点" + (f"{minute}分" if minute else "")
    return f"{half}:{minute:02} {'am' if hour < 12 else 'pm'}" if minute else f"{half} {'am' if hour < 12 else 'pm'}"
