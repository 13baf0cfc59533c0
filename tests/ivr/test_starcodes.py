"""Keys of an agent's phone during a talk."""

import pytest

from ivr.starcodes import LONGEST_NUMBER, PATIENCE_S, Asked, Code, StarCodes


def asked(keys: str, gap_s: float = 0.2) -> list[Asked]:
    codes = StarCodes()
    found = [codes.key(key, 100.0 + number * gap_s) for number, key in enumerate(keys)]
    return [code for code in found if code is not None]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("*1", [Asked(Code.HOLD)]),
        ("*1*1", [Asked(Code.HOLD), Asked(Code.HOLD)]),
        ("*21002#", [Asked(Code.CONSULT, "1002")]),
        ("*60123#*9", [Asked(Code.TRANSFER, "0123"), Asked(Code.HANG_UP)]),
        ("1234567890#", []),
        ("**1", [Asked(Code.HOLD)]),
        ("*8*1", [Asked(Code.HOLD)]),
        ("*2#", []),
        ("*212*3", [Asked(Code.CONFERENCE)]),
        ("5*4", [Asked(Code.COMPLETE)]),
        ("*", []),
    ],
)
def test_keys_and_the_codes_they_make(keys: str, expected: list[Asked]) -> None:
    assert asked(keys) == expected


def test_half_a_code_is_forgotten_after_a_while() -> None:
    assert asked("*1", gap_s=PATIENCE_S + 1) == []
    assert asked("*212#", gap_s=PATIENCE_S + 1) == []


def test_a_number_does_not_grow_without_end() -> None:
    (code,) = asked("*2" + "7" * 1000 + "#")
    assert code.number == "7" * LONGEST_NUMBER
