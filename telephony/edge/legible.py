"""Headers that the workers' SIP stack drops without a word when they are broken: a request with one is refused instead.

pjsip would go on without what the caller asked for: a Require unmet, a Replaces that replaces nothing.
"""

import re

from telephony.edge.digest import read_pairs
from telephony.edge.errors import MalformedError
from telephony.edge.grammar import TOKEN_PATTERN, read_params
from telephony.edge.message import Headers

_TAGS = re.compile(rf"\s*(?:{TOKEN_PATTERN}\s*(?:,\s*{TOKEN_PATTERN}\s*)*)?")
_MEDIA_TYPE = re.compile(rf"({TOKEN_PATTERN})\s*/\s*({TOKEN_PATTERN})\s*(;.*)?", re.DOTALL)
_CALL_ID = re.compile(r"[^\s;,]+(?:@[^\s;,]+)?")


def check(headers: Headers) -> None:
    """Raises MalformedError for the first header that cannot be understood."""
    replaces = False
    for name, value in headers:
        match name:
            case "Require" | "Proxy-Require":
                if not _TAGS.fullmatch(value):
                    raise MalformedError(f"bad {name}")
            case "Authorization" | "Proxy-Authorization":
                read_pairs(value)
            case "Content-Type":
                _media_type(value)
            case "Replaces":
                if replaces:
                    raise MalformedError("more than one Replaces")  # RFC 3891 §3
                replaces = True
                _replaces(value)


def _media_type(value: str) -> None:
    match = _MEDIA_TYPE.fullmatch(value)
    if match is None:
        raise MalformedError("bad Content-Type")
    read_params(match[3] or "")


def _replaces(value: str) -> None:
    """RFC 3891 §6.1: a Call-ID and both tags."""
    call_id, semicolon, rest = value.partition(";")
    params = read_params(semicolon + rest)
    if not _CALL_ID.fullmatch(call_id.strip()) or not params.get("to-tag") or not params.get("from-tag"):
        raise MalformedError("bad Replaces")
