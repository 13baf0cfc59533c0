"""Accounts as the front door knows them: who may register and call by SIP digest. No passwords, only their HA1."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

REALM = "hotline"


class Role(StrEnum):
    """What an account may do. A trunk's calls are callers'; its account only proves who sends them."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    TRUNK = "trunk"


class Algorithm(StrEnum):
    """Digest algorithms, the better one first (RFC 8760 §2.3)."""

    SHA256 = "SHA-256"
    MD5 = "MD5"


@dataclass(frozen=True, slots=True)
class Account:
    """One account; `ha1` values are lower-case hex of H(user:realm:password) (RFC 7616 §3.4.2)."""

    user: str
    ha1_md5: str
    ha1_sha256: str
    role: Role = Role.AGENT
    display: str = ""

    def ha1(self, algorithm: Algorithm) -> str:
        """The stored hash for an algorithm; empty where none is kept."""
        return self.ha1_md5 if algorithm is Algorithm.MD5 else self.ha1_sha256


def digest_of(algorithm: Algorithm, *parts: str) -> str:
    """H(part:part:...) in lower-case hex."""
    text = ":".join(parts).encode("utf-8", "surrogateescape")
    if algorithm is Algorithm.MD5:
        return hashlib.md5(text, usedforsecurity=False).hexdigest()  # phones know no better one
    return hashlib.sha256(text).hexdigest()


def account_of(user: str, password: str, role: Role = Role.AGENT, display: str = "") -> Account:
    """Makes an account of a password."""
    md5, sha256 = (digest_of(kind, user, REALM, password) for kind in (Algorithm.MD5, Algorithm.SHA256))
    return Account(user, md5, sha256, role, display)
