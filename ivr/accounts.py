"""Accounts: who may register by SIP digest, and what of a password is kept. Pure.

Passwords themselves are never kept: only HA1 (RFC 2617 section 3.2.2.2, RFC 8760) of user, realm and password. HA1 is
as good as the password for this realm, so it is for the door's eyes only. A PIN (for star codes) is kept as scrypt.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

REALM = "hotline"
MIN_PASSWORD = 8
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_PIN = re.compile(r"\d{4,12}")
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}  # 16 MB and some 50 ms a guess


class Role(StrEnum):
    """What an account is for."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    TRUNK = "trunk"


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `version` is the Unix time in milliseconds of its last change, unique among accounts."""

    user: str
    role: Role
    realm: str
    ha1_md5: str
    ha1_sha256: str
    display: str = ""
    pin_hash: str = ""
    enabled: bool = True
    version: int = 0


class AccountError(ValueError):
    """A name, password or PIN that cannot be used; the text says what can."""

    code = "account"


def new_account(user: str, role: Role, password: str, display: str = "") -> Account:
    """An account with this password. Raises AccountError."""
    if not _USER.fullmatch(user):
        raise AccountError(f"{user!r}: a name is 1 to 40 letters, digits, dots, dashes or underscores")
    md5, sha256 = ha1(user, password)
    return Account(user, role, REALM, md5, sha256, display or user)


def ha1(user: str, password: str, realm: str = REALM) -> tuple[str, str]:
    """HA1 with MD5 and with SHA-256, in hex. Raises AccountError."""
    if len(password) < MIN_PASSWORD:
        raise AccountError(f"a password has at least {MIN_PASSWORD} characters")
    text = f"{user}:{realm}:{password}".encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest(), hashlib.sha256(text).hexdigest()


def hash_pin(pin: str) -> str:
    """What is kept of a PIN: "scrypt$salt$hash". Raises AccountError."""
    if not _PIN.fullmatch(pin):
        raise AccountError("a PIN is 4 to 12 digits")
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${hashlib.scrypt(pin.encode(), salt=salt, **_SCRYPT).hex()}"


def pin_fits(pin: str, pin_hash: str) -> bool:
    """Whether this is the PIN; takes some 50 ms."""
    kind, _, rest = pin_hash.partition("$")
    salt, _, kept = rest.partition("$")
    if kind != "scrypt" or not _PIN.fullmatch(pin):
        return False
    return hmac.compare_digest(hashlib.scrypt(pin.encode(), salt=bytes.fromhex(salt), **_SCRYPT).hex(), kept)
