"""Tokens: who may use the REST API, and as what. Pure.

A token is 256 bits of chance, so its plain SHA-256 is all that is kept: nobody can guess it, nor turn the hash back.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

_PREFIX = "hotline_"  # so that people, and scanners for leaked secrets, know what they see
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class ApiRole(StrEnum):
    """What the holder of a token may do; each may also do what those before it may."""

    AGENT = "agent"  # see queues and agents; change the own state
    SUPERVISOR = "supervisor"  # see callers and calls, move them, end them, listen; change every agent's state
    ADMIN = "admin"  # add and remove accounts

    def may(self, role: "ApiRole") -> bool:
        """Whether this role includes that one."""
        order = list(ApiRole)
        return order.index(self) >= order.index(role)


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token. `agent`: whose state a token of the role agent may change. `made`: Unix seconds."""

    name: str
    role: ApiRole
    digest: str
    made: float
    agent: str | None = None


class TokenError(ValueError):
    """A token that cannot be made; the text says why."""

    code = "token"


def new_token(name: str, role: ApiRole, now: float, agent: str | None = None) -> tuple[str, Token]:
    """The secret, to be shown once, and what is kept of it. Raises TokenError."""
    if not _NAME.fullmatch(name):
        raise TokenError(f"{name!r}: a name is 1 to 40 letters, digits, dots, dashes or underscores")
    if (agent is not None) != (role is ApiRole.AGENT):
        raise TokenError("a token has an agent if its role is agent, and only then")
    secret = _PREFIX + secrets.token_urlsafe(32)
    return secret, Token(name, role, digest(secret), now, agent)


def digest(secret: str) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
