"""Digest authentication (RFC 7616, RFC 8760 for SIP): challenges, and whether an answer to one is right. Pure.

Only qop=auth. Knows neither accounts nor messages; `nonces.py` makes and remembers nonces.
"""

import hmac
import re
from dataclasses import dataclass

from telephony.edge.accounts import REALM, Algorithm, digest_of
from telephony.edge.errors import MalformedError

_SCHEME = re.compile(r"\s*([A-Za-z0-9\-]+)(?:\s+(.*))?", re.DOTALL)
_PAIR = re.compile(r'\s*([A-Za-z0-9\-_.!%*+`\'~]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9\-_.!%*+`\'~/:]+))\s*(,|$)')
# RFC 8760 §2.4 has a phone skip what it does not know; these give up at the sight of it (baresip 1.0.0, 2026-11).
_KNOWS_ONLY_MD5 = re.compile(r"baresip v?[01]\.", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """Credentials that somebody sent. `nc` is the count as a number."""

    user: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: Algorithm | None
    cnonce: str
    nc: int
    nc_text: str
    qop: str


def challenges(nonce: str, user_agent: str, *, stale: bool) -> list[str]:
    """The values of WWW-Authenticate or Proxy-Authenticate, SHA-256 first: a phone takes the first one it knows."""
    end = ", stale=true" if stale else ""
    kinds = [Algorithm.MD5] if _KNOWS_ONLY_MD5.match(user_agent) else Algorithm
    return [f'Digest realm="{REALM}", nonce="{nonce}", algorithm={kind}, qop="auth"{end}' for kind in kinds]


def read_answer(value: str) -> Answer | None:
    """Reads an Authorization value; None where it is of another scheme. Raises MalformedError."""
    pairs = read_pairs(value)
    if pairs is None:
        return None
    named = pairs.get("algorithm", "MD5").upper()
    nc_text = pairs.get("nc", "")
    if nc_text and not re.fullmatch(r"[0-9A-Fa-f]{8}", nc_text):
        raise MalformedError("bad nonce count")
    for name in ("username", "realm", "nonce", "uri", "response"):
        if name not in pairs:
            raise MalformedError(f"credentials without {name}")
    algorithm = next((kind for kind in Algorithm if kind.upper() == named), None)
    return Answer(
        pairs["username"], pairs["realm"], pairs["nonce"], pairs["uri"], pairs["response"].lower(), algorithm,
        pairs.get("cnonce", ""), int(nc_text, 16) if nc_text else 0, nc_text, pairs.get("qop", ""),
    )  # fmt: skip


def read_pairs(value: str) -> dict[str, str] | None:
    """Reads `Digest name=value, ...` (RFC 7616 §3.3, §3.4); None for another scheme. Raises MalformedError."""
    scheme = _SCHEME.fullmatch(value)
    if scheme is None:
        raise MalformedError("bad credentials")
    if scheme[1].lower() != "digest":
        return None
    rest, place = scheme[2] or "", 0
    pairs: dict[str, str] = {}
    while match := _PAIR.match(rest, place):
        name = match[1].lower()
        if name in pairs:
            raise MalformedError("credentials say something twice")
        pairs[name] = _ESCAPE.sub(r"\1", match[2]) if match[2] is not None else match[3]
        place = match.end()
        if not match[4]:
            break
    if rest[place:].strip() or not pairs:
        raise MalformedError("bad credentials")
    return pairs


def fits(answer: Answer, ha1: str, method: str, uri: str) -> bool:
    """Whether the response is that of the HA1 for this request. Takes the same time for a right and a wrong one."""
    algorithm = answer.algorithm or Algorithm.SHA256
    wanted = response(algorithm, ha1, method, answer.uri, answer.nonce, answer.nc_text, answer.cnonce)
    same = hmac.compare_digest(wanted.encode(), answer.response.encode("utf-8", "surrogateescape"))
    usable = answer.algorithm is not None and answer.qop == "auth" and answer.cnonce != "" and answer.nc > 0
    return same and usable and bool(ha1) and answer.uri == uri and answer.realm == REALM


def response(algorithm: Algorithm, ha1: str, method: str, uri: str, nonce: str, nc: str, cnonce: str) -> str:
    """The response with qop=auth (RFC 7616 §3.4.1)."""
    return digest_of(algorithm, ha1, nonce, nc, cnonce, "auth", digest_of(algorithm, method, uri))
