"""Spoken digits, yes and no, choices: English and Mandarin."""

import pytest

from flows.nlu.choices import choose
from flows.nlu.digits import digits
from flows.nlu.words import is_backchannel, is_noise, normal
from flows.nlu.yesno import more_words, phrases, yes_or_no


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("one two three four", "1234"),
        ("double five oh seven", "5507"),
        ("triple nine one", "9991"),
        ("it's four two please", "42"),
        ("forty two eleven", "4211"),
        ("seventy twenty five", "7025"),
        ("five hundred", "500"),
        ("4711", "4711"),
        ("my number is o one", "01"),
        ("yes my card number is four two thank you", "42"),
        ("card", None),
        ("", None),
        ("double", None),
        ("hundred", None),
        ("one fish", None),
        ("幺三八零", "1380"),
        ("一 二 三", "123"),
        ("两个五三个零", "55000"),
        ("我的账号是四七一一", "4711"),
        ("验证码是幺三八谢谢", "138"),
        ("谢谢", None),
        ("四只鱼", None),
    ],
)
def test_digits(said: str, found: str | None) -> None:
    assert digits(said) == found


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("yes", True),
        ("Yes, please!", True),
        ("that's right", True),
        ("no thanks", False),
        ("that's not right", False),
        ("uh yeah sure", True),
        ("no it is not", False),
        ("yes no", None),
        ("why not", True),
        ("certainly", True),
        ("certainly not", False),
        ("fish", None),
        ("", None),
        ("是的", True),
        ("确定", True),
        ("不确定", None),
        ("不是", False),
        ("没错", True),
        ("不用了 谢谢", False),
        ("鱼", None),
        ("I don't know", None),
        ("I'm not sure", None),
        ("right now", None),
        ("对对对", True),
        ("好的谢谢", True),
        ("我要", True),
        ("对是我的卡", True),
        ("对不起不是", False),
        ("不太对", False),
        ("不知道", None),
        ("差不多", None),
        ("对不起", None),
        ("你好", None),
        ("银行卡", None),
        ("是不是", None),
    ],
)
def test_yes_and_no(said: str, meant: bool | None) -> None:
    assert yes_or_no(said) is meant


def test_the_longest_phrase_wins() -> None:
    options = [["card"], ["lost card"], ["余额"]]
    assert choose("my lost card please", options) == 1
    assert choose("card", options) == 0
    assert choose("我想查余额", options) == 2
    assert choose("discard", options) is None
    assert choose("", options) is None


def test_two_choices_named_equally_are_none() -> None:
    assert choose("left or rite", [["left"], ["rite"]]) is None


def test_sounds_that_are_no_turn() -> None:
    assert is_backchannel("Uh-huh.")
    assert is_backchannel("嗯")
    assert is_backchannel("a")
    assert not is_backchannel("")
    assert not is_backchannel("balance")
    assert is_noise("[unk] [unk]")
    assert not is_noise("[unk] balance")
    assert normal("Ｈello,  World！ 你 好") == "hello world 你好"


def test_yes_is_a_whole_answer_that_is_not_waited_on() -> None:
    whole = phrases("en")
    assert "yes" in whole
    assert not [one for one in whole if one.startswith(("yes ", "no "))]
    assert {"please", "thanks"} <= set(more_words("en"))
    assert "是的" in phrases("zh-CN")
    assert more_words("zh-CN") == ()
