"""Spoken numbers, money, times, dates and spelling."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.nlu import dates, letters, numbers, times

TODAY = date(2026, 11, 21)  # a Saturday


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("twenty five", 25),
        ("one hundred and five", 105),
        ("two thousand three hundred", 2300),
        ("fifteen hundred", 1500),
        ("a hundred", 100),
        ("three point one four", 3.14),
        ("minus five", -5),
        ("it's zero please", 0),
        ("42", 42),
        ("3.5", 3.5),
        ("1,500", 1500),
        ("3,14", 3.14),
        ("two pizzas", 2),
        ("I want about three please", 3),
        ("two or three", None),
        ("one moment", None),
        ("ten seconds", None),
        ("fish", None),
        ("", None),
        ("一百二十三", 123),
        ("三个", 3),
        ("五个人", 5),
        ("两千三", 2300),
        ("三点五", 3.5),
        ("我的号码是十五", 15),
        ("鱼", None),
    ],
)
def test_numbers(said: str, value: float | None) -> None:
    assert numbers.number(said) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("twelve dollars and fifty cents", 12.5),
        ("twelve dollars an fifty cents", 12.5),
        ("one dollar", 1),
        ("twelve fifty", 12.5),
        ("twelve dollars five", 12.05),
        ("fifty cents", 0.5),
        ("two hundred", 200),
        ("12.50", 12.5),
        ("dollars", None),
        ("fish", None),
        ("十二块五", 12.5),
        ("十二元五角", 12.5),
        ("一百二十三元", 123),
        ("三块零五", 3.05),
        ("三元零五角", 3.5),
        ("a dollar fifty", 1.5),
        ("nine oh five", 9.05),
        ("I want to pay fifty dollars", 50),
        ("两块", 2),
        ("三元零五分", 3.05),
        ("五毛", 0.5),
        ("三毛五", 0.35),
        ("五", 5),
        ("$1,250.75", 1250.75),
        ("八十", 80),
    ],
)
def test_amounts(said: str, value: float | None) -> None:
    assert numbers.amount(said) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("half past three", "15:30"),
        ("quarter to four", "15:45"),
        ("ten past nine", "09:10"),
        ("three thirty pm", "15:30"),
        ("three thirty a.m.", "03:30"),
        ("eight in the morning", "08:00"),
        ("eight in the evening", "20:00"),
        ("nine o'clock", "09:00"),
        ("nine oh five", "09:05"),
        ("noon", "12:00"),
        ("midnight", "00:00"),
        ("15:30", "15:30"),
        ("3pm", "15:00"),
        ("3:30 a.m.", "03:30"),
        ("中午", "12:00"),
        ("twenty five", "20:05"),
        ("fish", None),
        ("", None),
        ("三点半", "15:30"),
        ("上午十点一刻", "10:15"),
        ("下午三点零五分", "15:05"),
        ("十五点三十分", "15:30"),
        ("中午十二点", "12:00"),
        ("晚上八点", "20:00"),
        ("凌晨两点", "02:00"),
        ("quarter to one", "12:45"),
        ("quarter to one am", "00:45"),
        ("twelve at night", "00:00"),
        ("two at night", "02:00"),
        ("ten at night", "22:00"),
        ("晚上十二点", "00:00"),
        ("凌晨十二点", "00:00"),
        ("夜里十一点", "23:00"),
        ("八点过五分", "08:05"),
        ("差五分十点", "09:55"),
        ("差一刻十点", "09:45"),
        ("下午三点差十分", "14:50"),
    ],
)
def test_times(said: str, value: str | None) -> None:
    assert times.time_of_day(said) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("today", "2026-11-21"),
        ("tomorrow please", "2026-11-22"),
        ("the day after tomorrow", "2026-11-23"),
        ("monday", "2026-11-23"),
        ("next monday", "2026-11-23"),
        ("november twenty first", "2026-11-21"),
        ("the twentieth of november", "2027-11-20"),
        ("december third", "2026-12-03"),
        ("december the twenty second twenty twenty seven", "2027-12-22"),
        ("december five two thousand twenty seven", "2027-12-05"),
        ("the third", "2026-12-03"),
        ("february thirtieth", None),
        ("february 29", "2028-02-29"),
        ("2027-01-05", "2027-01-05"),
        ("friday december fourth", "2026-12-04"),
        ("fish", None),
        ("", None),
        ("明天", "2026-11-22"),
        ("大后天", "2026-11-24"),
        ("十一月二十五号", "2026-11-25"),
        ("二零二七年一月五日", "2027-01-05"),
        ("五号", "2026-12-05"),
        ("下周一", "2026-11-23"),
        ("星期天", "2026-11-22"),
        ("the fifth of next month", "2026-12-05"),
        ("下个月二十五号", "2026-12-25"),
        ("这个月二十五号", "2026-11-25"),
        ("明年十二月一号", "2027-12-01"),
        ("下下周一", "2026-11-30"),
        ("本周日", "2026-11-22"),
        ("上周五", None),
        ("去年三月五号", None),
        ("鱼", None),
    ],
)
def test_dates(said: str, value: str | None) -> None:
    assert dates.day(said, TODAY) == value


def test_dates_and_times_by_keys() -> None:
    assert dates.by_keys("20261224", "YYYYMMDD", TODAY) == "2026-12-24"
    assert dates.by_keys("2412", "DDMM", TODAY) == "2026-12-24"
    assert dates.by_keys("0101", "MMDD", TODAY) == "2027-01-01"
    assert dates.by_keys("3113", "DDMM", TODAY) is None
    assert times.by_keys("0930") == "09:30"
    assert times.by_keys("2560") is None


@pytest.mark.parametrize(
    ("said", "mask", "value"),
    [
        ("alpha bravo four two", "AA99", "AB42"),
        ("a b 42", "AA-99", "AB-42"),
        ("b as in boy double five", "A99", "B55"),
        ("ab42", "AA99", "AB42"),
        ("oh oh", "A9", "O0"),
        ("a b c", "AA", None),
        ("a", "AA", None),
        ("four two", "AA", None),
    ],
)
def test_spelling(said: str, mask: str, value: str | None) -> None:
    assert letters.spelled(said, mask) == value


@settings(deadline=None, max_examples=300)
@given(
    st.text(max_size=30)
    | st.lists(
        st.sampled_from(
            [*numbers.words("en"), *dates.grammar_words("zh"), *times.grammar_words("en"), *"一点半元角年月日0123.,-"]
        )
    ).map(" ".join)
)
def test_no_text_makes_them_raise(said: str) -> None:
    for hears in (numbers.number, numbers.amount, times.time_of_day):
        hears(said)
    dates.day(said, TODAY)
    letters.spelled(said, "A9-A")
