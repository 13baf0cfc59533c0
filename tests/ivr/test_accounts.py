"""What is kept of passwords and PINs."""

import hashlib

import pytest

from ivr.accounts import AccountError, Role, ha1, hash_pin, new_account, pin_fits


def test_ha1_is_that_of_the_rfcs() -> None:
    # RFC 2617 section 3.5 and RFC 7616 section 3.9.1: the same user, realms and passwords of their examples
    md5, _ = ha1("Mufasa", "Circle Of Life", "testrealm@host.com")
    assert md5 == "939e7578ed9e3c518a452acee763bce9"
    _, sha256 = ha1("Mufasa", "Circle of Life", "http-auth@example.org")
    assert sha256 == "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"


def test_an_account_keeps_no_password() -> None:
    account = new_account("anna", Role.AGENT, "correct horse")
    assert account.ha1_md5 == hashlib.md5(b"anna:hotline:correct horse").hexdigest()
    assert account.display == "anna"
    assert "correct" not in repr(account)


@pytest.mark.parametrize("user", ["", "a b", "*1", "-a", "anna@host", "a" * 41, "å"])
def test_names_that_do_not_fit_a_sip_address_are_refused(user: str) -> None:
    with pytest.raises(AccountError, match="a name is"):
        new_account(user, Role.AGENT, "correct horse")


def test_a_short_password_is_refused() -> None:
    with pytest.raises(AccountError, match="at least 8"):
        new_account("anna", Role.AGENT, "short")


def test_a_pin_fits_its_own_hash_only() -> None:
    kept = hash_pin("4711")
    assert "4711" not in kept
    assert kept != hash_pin("4711")
    assert pin_fits("4711", kept)
    assert not pin_fits("4712", kept)
    assert not pin_fits("4711", "")
    assert not pin_fits("", kept)
    for pin in ("123", "12a4", "1" * 13):
        with pytest.raises(AccountError, match="4 to 12 digits"):
            hash_pin(pin)
