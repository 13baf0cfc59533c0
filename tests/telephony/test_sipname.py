"""Names out of SIP headers."""

import pytest

from telephony.sipname import LONGEST, host_of, user_of


@pytest.mark.parametrize(
    ("address", "user"),
    [
        ('"Ann" <sip:ann@host;tag=1>', "ann"),
        ("<sips:ann@host>", "ann"),
        ("sip:host:5060", "host:5060"),
        ("<tel:+49-30-1234;phone-context=example.com>;tag=1", "+49-30-1234"),
        ("TEL:123", "123"),
        ("what?", "what?"),
        ("", ""),
    ],
)
def test_the_name_or_number_is_found_in_every_kind_of_address(address: str, user: str) -> None:
    assert user_of(address) == user


def test_the_host_is_found_with_its_port() -> None:
    assert host_of('"Ann" <sip:ann@host:5070;transport=tcp>;tag=1') == "host:5070"
    assert host_of("<tel:123>") == ""


def test_a_name_without_end_is_cut() -> None:
    assert user_of(f"<sip:{'a' * 5000}@host>") == "a" * (LONGEST - 1) + "…"
    assert user_of(f"<sip:{'a' * LONGEST}@host>") == "a" * LONGEST
