"""What is written and what is said, in tables; and what espeak-ng makes of it, in phonemes.

One espeak-ng library may live in a process: the phonemes are asked of a child.
"""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts.mandarin import numeral
from tts.normaliser import normalise

ENGLISH = [
    ("Your balance is $1,250.30.", "Your balance is 1250 dollars and 30 cents."),
    ("$1, $1.01", "1 dollar, 1 dollar and 1 cent"),
    ("$1234567", "1234567 dollars"),
    ("$0.50", "50 cents"),
    ("$0", "0 dollars"),
    ("$12.5", "12 dollars and 50 cents"),
    ("-$5", "minus 5 dollars"),
    ("£3.01", "3 pounds and 1 penny"),
    ("€1.2 million", "1.2 million euros"),
    ("9 a.m. to 5 p.m.", "9 a.m. to 5 p.m."),
    ("9:00 a.m. to 5:30 p.m.", "9 a.m. to 5 30 p.m."),
    ("9:00-17:00", "9 o'clock to 5 p.m."),
    ("at 9:05", "at 9 oh 5"),
    ("0:15", "12 15 a.m."),
    ("open 9am-5pm", "open 9am to 5pm"),
    ("call 555-0142", "call 5 5 5, 0 1 4 2"),
    ("+1 555 010 9999", "plus 1, 5 5 5, 0 1 0, 9 9 9 9"),
    ("(555) 010-9999.", "5 5 5, 0 1 0, 9 9 9 9."),
    ("account 10021234", "account 1 0 0 2 1 2 3 4"),
    ("ending in 0042", "ending in 0 0 4 2"),
    ("account 1 0 0 2", "account 1 0 0 2"),
    ("1,250 people in 2026", "1,250 people in 2026"),
    ("3-5 business days", "3 to 5 business days"),
    ("Mr. Lee and Dr. Who", "Mister Lee and Doctor Who"),
    ("press # or *", "press pound or star"),
    ("open 24/7", "open 24 7"),
    ("7-Eleven, 3M, Hotline365, 5G, A-10-20", "7-Eleven, 3M, Hotline365, 5G, A-10-20"),
    ("on 2026-11-21", "on 2026-11-21"),
    ("version 1.2.3", "version 1.2.3"),
    ("5 items", "5 items"),
]

MANDARIN = [
    ("您的余额是1250.30元", "您的余额是一千二百五十元三角"),
    ("余额1,250.35元。", "余额一千二百五十元三角五分。"),
    ("¥1250.05", "一千二百五十元零五分"),
    ("￥０.５", "五角"),
    ("-¥2", "负两元"),
    ("余额是12345678元3角。", "余额是一千二百三十四万五千六百七十八元三角。"),
    ("账号1 0 0 2的余额是5元零5分", "账号一 零 零 二的余额是五元零五分"),
    ("2元", "两元"),
    ("0元", "零元"),
    ("$20.50", "二十点五零美元"),
    ("上午9点到下午5点", "上午九点到下午五点"),
    ("9:00到17:30", "九点到十七点三十分"),
    ("9:00-17:00", "九点到十七点"),
    ("2:05", "两点零五分"),
    ("按2", "按二"),
    ("第2位，2位", "第二位，两位"),
    ("12个", "十二个"),
    ("3-5个工作日", "三到五个工作日"),
    ("10%", "百分之十"),
    ("3.14", "三点一四"),
    ("-5度", "负五度"),
    ("账号 1 0 0 2", "账号 一 零 零 二"),
    ("尾号0042", "尾号零零四二"),
    ("卡号12345678", "卡号一二三四五六七八"),
    ("400-800-1234", "四零零，八零零，一二三四"),
    ("2026年", "二零二六年"),
    ("2026-11-21", "二零二六年十一月二十一日"),
    ("输完请按#号键", "输完请按井号键"),
    ("5G、7-Eleven、3M、A380", "5G、7-Eleven、3M、A380"),
]


@pytest.mark.parametrize(("written", "said"), ENGLISH)
def test_english(written: str, said: str) -> None:
    assert normalise(written, "en-US") == said


@pytest.mark.parametrize(("written", "said"), MANDARIN)
def test_mandarin(written: str, said: str) -> None:
    assert normalise(written, "zh-CN") == said


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "零"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (100, "一百"),
        (110, "一百一十"),
        (101, "一百零一"),
        (1002, "一千零二"),
        (1010, "一千零一十"),
        (10000, "一万"),
        (10010, "一万零一十"),
        (100000, "十万"),
        (1000002, "一百万零二"),
        (20300000, "二千零三十万"),
        (120000005, "一亿二千万零五"),
        (10**8 + 1, "一亿零一"),
    ],
)
def test_numerals(number: int, words: str) -> None:
    assert numeral(number) == words


def value(words: str) -> int:
    """Reads a numeral back, by rules written apart from those under test."""
    total = section = digit = 0
    for word in words:
        if word in "零一二三四五六七八九":
            digit = "零一二三四五六七八九".index(word)
        elif word in "十百千":
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[word]
            digit = 0
        else:
            unit = {"万": 10**4, "亿": 10**8}[word]
            total = (total + section + digit) * unit if unit == 10**8 else total + (section + digit) * unit
            section = digit = 0
    return total + section + digit


@given(st.integers(0, 10**12 - 1))
def test_numerals_read_back_as_the_same_number(number: int) -> None:
    assert value(numeral(number)) == number


@given(
    st.text(st.sampled_from("0123456789.,:-+$¥%# apm元年点第2个()/*"), max_size=40), st.sampled_from(["en", "zh-CN"])
)
def test_no_text_makes_it_fail(text: str, language: str) -> None:
    said = normalise(text, language)
    assert any(map(str.isalnum, said)) >= any(map(str.isalnum, text))


@pytest.mark.parametrize("text", ["¥" + "9" * 30, "9" * 30, "9" * 30 + "%", "9" * 30 + ".5元"])
def test_numbers_without_a_name_are_read_digit_by_digit(text: str) -> None:
    assert "九" * 30 in normalise(text, "zh")


def test_what_cannot_be_spoken_is_dropped_in_every_language() -> None:
    assert normalise("Guten\x00 Tag\u200b \U0001f600", "de") == "Guten  Tag"


PHONEMES = [
    ("en-us", "en", "$1,250.30", "wˈʌn θˈaʊzənd tˈuːhˈʌndɹɪd fˈɪfti dˈɑːlɚz ænd θˈɜːɾi sˈɛnts"),
    ("en-us", "en", "9:00 a.m. to 5 p.m.", "nˈaɪn ˌeɪˈɛm tə fˈaɪv pˌiːˈɛm"),
    ("en-us", "en", "account 1 0 0 2", "ɐkˈaʊnt wˈʌn zˈiəɹoʊ zˈiəɹoʊ tˈuː"),
    ("en-us", "en", "Mr. Lee", "mˈɪstɚ lˈiː"),
    ("cmn", "zh-CN", "1002", "ji5tɕhˈiɛ5n lˈiɜŋ ˈər5"),
    ("cmn", "zh-CN", "10000元", "jiɜwˈɑ5n jˈyæɜn"),
    ("cmn", "zh-CN", "2点", "lˈiɑ2ŋ tˈiɛ2n"),
    ("cmn", "zh-CN", "0.5元", "wu2tɕjˈɑu2"),
]


def test_espeak_reads_it_as_meant() -> None:
    program = (
        "import json, sys\nfrom tts.espeak_engine import EspeakEngine\nengine = EspeakEngine()\n"
        "print(json.dumps([engine.phonemes(text, voice) for voice, text in json.load(sys.stdin)]))"
    )
    asked = json.dumps([(voice, normalise(text, language)) for voice, language, text, _ in PHONEMES])
    done = subprocess.run([sys.executable, "-c", program], input=asked, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [phonemes for *_, phonemes in PHONEMES]
