"""Where a text may be cut, in tables; and that nothing is lost, for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts.clauses import MAX_LENGTH, PAUSE_MS, SENTENCE_PAUSE_MS, clauses, pause_after_ms


@pytest.mark.parametrize(
    "expected",
    [
        ["Welcome to Hotline Bank.", "Say balance, lost card, or agent."],
        ["Please call again tomorrow morning,", "or press zero to speak to a person."],
        ["Your balance is $1,234.50.", "Thank you. Bye."],
        ["We are open from 9 a.m. to 5 p.m. on weekdays."],
        ["We close at 5 p.m.", "Please call again."],
        ["Mr. Lee and Dr. Who will see you now."],
        ["J. R. Smith lives at No. 5 Elm St. in the U.S. and pays."],
        ["The answer is no.", "Five of them are here."],
        ["The rate is 3.75 percent at 12:30 today."],
        ['He said "call me back."', "Then he hung up."],
        ["Is it really you?", "Yes, it is me!"],
        ["欢迎致电银行。", "查询余额请按1，挂失银行卡请按2，", "营业时间请按3，人工服务请按0。"],
        ["查询余额，请说余额，或按1。", "银行卡挂失，请说挂失，或按2。"],
        ["Please say balance, lost card, or opening hours."],
        ["The account number of the lost card, please.", "Four digits."],
        ["Press 1 for yes.", "Or no."],
        ["您的余额是1,250.30元。", "谢谢您的来电。"],
        ["您说“我要查询余额。”", "请稍等一下。"],
        ["Yes"],
    ],
)
def test_texts_are_cut_where_a_speaker_pauses(expected: list[str]) -> None:
    chinese = expected[0] > "\u2e80"
    assert list(clauses(("" if chinese else " ").join(expected))) == expected


@pytest.mark.parametrize("text", ["", "  \n ", "...", "☎ — !", "？！"])
def test_nothing_to_say_has_no_clauses(text: str) -> None:
    assert clauses(text) == ()


def test_white_space_is_tidied() -> None:
    assert clauses("  Welcome\n  to the\tbank.  ") == ("Welcome to the bank.",)


@pytest.mark.parametrize("text", ["word " * 200, "字" * 400, "x" * 500])
def test_text_without_a_pause_is_cut_in_time(text: str) -> None:
    parts = clauses(text)
    assert len(parts) > 1
    assert all(sum(3 if c > "\u2e80" else 1 for c in part if c.isalnum()) <= MAX_LENGTH + 2 for part in parts)
    assert all(part == " ".join(["word"] * (len(part) // 5 + 1)) for part in parts if part.startswith("word"))


@given(st.text(st.sampled_from("ab9 ,.;:!?。，、Mr字\n\"'"), max_size=300) | st.text(max_size=300))
def test_no_letter_is_lost_or_moved(text: str) -> None:
    def letters(value: str) -> list[str]:
        return [c for c in value if c.isalnum()]

    parts = clauses(text)
    assert letters("".join(parts)) == letters(text)
    assert all(letters(part) for part in parts)
    assert all(part == part.strip() for part in parts)


@pytest.mark.parametrize(
    ("clause", "pause_ms"),
    [
        ("Hello.", SENTENCE_PAUSE_MS),
        ("您好。", SENTENCE_PAUSE_MS),
        ("Really?", SENTENCE_PAUSE_MS),
        ('"Hello."', SENTENCE_PAUSE_MS),
        ("Well,", PAUSE_MS),
        ("好，", PAUSE_MS),
        ("Hello", 0),
        ("", 0),
    ],
)
def test_the_pause_follows_from_the_last_mark(clause: str, pause_ms: float) -> None:
    assert pause_after_ms(clause) == pause_ms
