"""Pieces of SIP messages, read strictly: URIs, addresses, Via values, CSeq (RFC 3261 §25.1).

Knows nothing of whole messages. Every function raises MalformedError where the grammar is broken.
"""

import re
from typing import NamedTuple

from telephony.edge.errors import MalformedError

TOKEN_PATTERN = r"[A-Za-z0-9\-.!%*_+`'~]+"  # noqa: S105 - a token of RFC 3261
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ESCAPED = r"%[0-9A-Fa-f]{2}"
_HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9_.\-]*|\[[0-9A-Fa-f:.]+\])"
_VALUE = rf"(?:[A-Za-z0-9\-.!%*_+`'~\[\]:]+|{_QUOTED})"

_SIP_URI = re.compile(
    rf"(?P<scheme>sips?):(?:(?P<user>(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|{_ESCAPED})+)"
    rf"(?::(?:[A-Za-z0-9\-_.!~*'()&=+$,]|{_ESCAPED})*)?@)?"
    rf"(?P<host>{_HOST})(?::(?P<port>\d{{1,5}}))?"
    rf"(?P<params>(?:;(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|{_ESCAPED})+(?:=(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|{_ESCAPED})+)?)*)"
    rf"(?P<headers>\?(?:[A-Za-z0-9\-_.!~*'()\[\]/?:+$&=]|{_ESCAPED})*)?",
    re.IGNORECASE,
)
_OTHER_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):[^\s<>\"]+")
_DISPLAY = re.compile(rf"(?:{_QUOTED}\s*|(?:{TOKEN_PATTERN}\s+)*(?:{TOKEN_PATTERN})?)<", re.DOTALL)
_PARAM = re.compile(rf"\s*;\s*({TOKEN_PATTERN})(?:\s*=\s*({_VALUE}))?", re.DOTALL)
_VIA = re.compile(rf"SIP\s*/\s*2\.0\s*/\s*({TOKEN_PATTERN})\s+({_HOST})(?:\s*:\s*(\d{{1,5}}))?", re.IGNORECASE)
_CSEQ = re.compile(rf"(\d{{1,10}})\s+({TOKEN_PATTERN})")
_ESCAPE = re.compile(_ESCAPED)
_PLAIN_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]")
_LIST_ITEM = re.compile(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^",<])+', re.DOTALL)


class Uri(NamedTuple):
    """A sip: or sips: URI; of other schemes only `scheme` and `text` say something."""

    text: str
    scheme: str
    user: str = ""
    host: str = ""
    port: int = 0
    params: str = ""
    headers: str = ""

    @property
    def transport(self) -> str:
        """ "UDP" or "TCP" (or what else the URI names), as RFC 3263 §4.1 has it for numeric hosts."""
        found = re.search(r";transport=([^;]+)", self.params, re.IGNORECASE)
        return found[1].upper() if found else "UDP"

    @property
    def secure(self) -> bool:
        """Whether TLS is wanted: sips:, or the transport that phones write instead (RFC 5630 §3.1.4)."""
        return self.scheme == "sips" or self.transport == "TLS"


class Address(NamedTuple):
    """A name-addr or addr-spec with its header parameters (names in lower case)."""

    uri: Uri
    params: dict[str, str]


class Via(NamedTuple):
    """One Via value. `port` is 0 where none is written; `rport` is true where the parameter is there."""

    transport: str
    host: str
    port: int
    branch: str
    rport: bool


def read_uri(text: str) -> Uri:
    """Reads a URI of any scheme; sip and sips by their own grammar."""
    if text[:4].lower() in ("sip:", "sips"):
        match = _SIP_URI.fullmatch(text)
        if match is None:
            raise MalformedError("bad SIP URI")
        port = int(match["port"] or 0)
        if port > 65535:
            raise MalformedError("bad port in a URI")
        return Uri(
            text,
            match["scheme"].lower(),
            match["user"] or "",
            match["host"].lower(),
            port,
            match["params"],
            match["headers"] or "",
        )
    other = _OTHER_URI.fullmatch(text)
    if other is None:
        raise MalformedError("bad URI")
    return Uri(text, other[1].lower())


def read_address(value: str) -> Address:
    """Reads From, To, Contact, Route and Record-Route values (one each).

    Without angle brackets a URI may hold neither comma nor question mark (RFC 3261 §20.10).
    """
    value = value.strip()
    if opened := _DISPLAY.match(value):
        end = value.find(">", opened.end())
        if end < 0:
            raise MalformedError("an address without >")
        return Address(read_uri(value[opened.end() : end]), read_params(value[end + 1 :]))
    if "<" in value or value.startswith('"'):
        raise MalformedError("bad display name")
    spec, semicolon, rest = value.partition(";")
    if "?" in spec or "," in spec:
        raise MalformedError("a URI with ? or , outside angle brackets")
    return Address(read_uri(spec.strip()), read_params(semicolon + rest))


def read_params(text: str) -> dict[str, str]:
    """Reads `;name=value;flag` with white space where RFC 3261 allows it; a flag's value is empty."""
    found: dict[str, str] = {}
    place = 0
    while match := _PARAM.match(text, place):
        found.setdefault(match[1].lower(), match[2] or "")
        place = match.end()
    if text[place:].strip():
        raise MalformedError("bad parameters")
    return found


def read_via(value: str) -> Via:
    """Reads one Via value."""
    match = _VIA.match(value)
    if match is None:
        raise MalformedError("bad Via")
    params = read_params(value[match.end() :])
    port = int(match[3] or 0)
    if port > 65535:
        raise MalformedError("bad port in Via")
    return Via(match[1].upper(), match[2].lower(), port, params.get("branch", ""), "rport" in params)


def read_cseq(value: str) -> tuple[int, str]:
    """Reads CSeq: a number below 2**31 (RFC 3261 §8.1.1.5) and a method."""
    match = _CSEQ.fullmatch(value)
    if match is None or int(match[1]) >= 2**31:
        raise MalformedError("bad CSeq")
    return int(match[1]), match[2]


def unescape(user: str) -> str:
    """A user part as it is meant (RFC 3261 §19.1.2); bytes that are not UTF-8 stay what they are (surrogateescape)."""
    if "%" not in user:
        return user
    data = re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), user.encode("utf-8", "surrogateescape")
    )
    return data.decode("utf-8", "surrogateescape")


def plain_user(uri: str) -> str:
    """The URI with every needless escape in its user part undone: what compares text may compare it."""
    match = _SIP_URI.fullmatch(uri)
    if match is None or "%" not in (match["user"] or ""):
        return uri
    first, last = match.span("user")
    return uri[:first] + _ESCAPE.sub(_as_plain, match["user"]) + uri[last:]


def _as_plain(found: re.Match[str]) -> str:
    letter = chr(int(found[0][1:], 16))
    return letter if _PLAIN_USER.fullmatch(letter) else found[0]


def split_list(value: str) -> list[str]:
    """Splits a comma-separated header value, not inside quotes or angle brackets."""
    if "," not in value:
        return [value]
    items, place = [], 0
    while match := _LIST_ITEM.match(value, place):
        items.append(match[0].strip())
        place = match.end()
        if place == len(value):
            return items
        if value[place] != ",":
            break
        place += 1
    raise MalformedError("bad list of values")
