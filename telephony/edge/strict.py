"""The strict reader: bytes of one SIP message in, a message, a refusal or silence out.

Owns which messages are valid (RFC 3261 §7, §8.1.1, §25; outcomes of RFC 4475). Never raises. A broken response and a
broken ACK are met with silence, as is everything that names no Via to answer to.
"""

import re
from typing import NamedTuple

from telephony.edge.errors import MalformedError
from telephony.edge.grammar import TOKEN_PATTERN, Via, read_address, read_cseq, read_uri, read_via, split_list
from telephony.edge.legible import check
from telephony.edge.message import REASONS, Headers, Refusal, Request, Response, Silence

MAX_MESSAGE_BYTES = 16_384
MAX_HEADERS = 128
KNOWN_METHODS = frozenset(
    ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "INFO", "PRACK", "UPDATE", "REFER", "NOTIFY")
) | {"SUBSCRIBE", "MESSAGE", "PUBLISH"}

_LONG = {
    "i": "Call-ID", "m": "Contact", "e": "Content-Encoding", "l": "Content-Length", "c": "Content-Type",
    "f": "From", "s": "Subject", "k": "Supported", "t": "To", "v": "Via", "u": "Allow-Events", "r": "Refer-To",
    "b": "Referred-By", "x": "Session-Expires",
    "call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate", "max-forwards": "Max-Forwards",
    "content-length": "Content-Length", "content-type": "Content-Type", "record-route": "Record-Route",
    "proxy-require": "Proxy-Require", "via": "Via", "from": "From", "to": "To", "contact": "Contact",
    "route": "Route", "require": "Require", "supported": "Supported", "subject": "Subject",
    "authorization": "Authorization", "proxy-authorization": "Proxy-Authorization", "replaces": "Replaces",
    "proxy-authenticate": "Proxy-Authenticate", "expires": "Expires", "user-agent": "User-Agent", "event": "Event",
}  # fmt: skip
_LONG_ADDRESS = re.compile(rb"IP[46][ \t]+\S{254}", re.IGNORECASE)
_SINGLE = frozenset(("Call-ID", "CSeq", "From", "To", "Max-Forwards", "Content-Length", "Content-Type"))
_LISTS = frozenset(("Via", "Route", "Record-Route"))
_REPLY = frozenset(("Via", "From", "To", "Call-ID", "CSeq"))
_REQUEST_LINE = re.compile(rf"({TOKEN_PATTERN}) (\S+) SIP/(\d+)\.(\d+)", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6]\d\d)(?: (.*))?", re.IGNORECASE)
_HEADER = re.compile(rf"({TOKEN_PATTERN})[ \t]*:[ \t]*(.*)", re.DOTALL)
_BARE_NUL = re.compile(r"(?<!\\)\0")


class _RefusedError(Exception):
    """The way from a broken rule to the refusal."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def read(data: bytes, stream: bool = False) -> Request | Response | Refusal | Silence:
    """Reads one message: a datagram, or (`stream`) what the framing cut out of a TCP stream."""
    data = data.lstrip(b"\r\n")
    head, end, body = data.partition(b"\r\n\r\n")
    if b"SIP/" not in head.partition(b"\r\n")[0].upper():
        return Silence("not_sip")
    text = head.decode("utf-8", "surrogateescape")
    first, *lines = text.split("\r\n")
    if first[:4].upper() == "SIP/":
        return _response(first, lines, body, stream) if end else Silence("bad_response")
    headers: list[tuple[str, str]] = []
    try:
        broken = _headers(lines, headers)
        match = _REQUEST_LINE.fullmatch(first)
        if match and match[3] + match[4] != "20":
            raise _RefusedError(505, REASONS[505])
        if not match:
            raise _RefusedError(400, "Bad Request-Line")
        if not end:
            raise _RefusedError(400, "No empty line after the headers")
        if len(data) > MAX_MESSAGE_BYTES:
            raise _RefusedError(513, REASONS[513])
        if broken or "\n" in text.replace("\r\n", "") or _BARE_NUL.search(text):
            raise _RefusedError(400, broken or "Control character in the headers")
        return _request(match[1], match[2], tuple(headers), _cut(headers, body, stream))
    except _RefusedError as refused:
        return _refusal(first, headers, refused.status, refused.why)
    except MalformedError as malformed:
        return _refusal(first, headers, 400, str(malformed))


def _headers(lines: list[str], out: list[tuple[str, str]]) -> str:
    """Fills `out` with every header that can be read; returns what is wrong with the others, or nothing."""
    broken = ""
    unfolded: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] += " " + line.strip(" \t")
        else:
            unfolded.append(line)
    if len(unfolded) > MAX_HEADERS:
        broken = "Too many headers"
    for line in unfolded[:MAX_HEADERS]:
        match = _HEADER.fullmatch(line)
        if match is None:
            broken = broken or "Bad header line"
            continue
        name, value = match[1], match[2].strip(" \t")
        name = _LONG.get(name.lower(), name)
        if name in _LISTS:
            try:
                out.extend((name, item) for item in split_list(value))
            except MalformedError as malformed:
                broken = broken or str(malformed)
                out.append((name, value))
        else:
            out.append((name, value))
    return broken


class _Common(NamedTuple):
    """The headers that every message must have, read."""

    via: Via
    call_id: str
    cseq: int
    cseq_method: str
    from_tag: str
    to_tag: str


def _common(headers: Headers) -> _Common:
    found: dict[str, str] = {}
    for name, value in headers:
        if name in _SINGLE and name in found:
            raise _RefusedError(400, f"More than one {name}")
        found.setdefault(name, value)
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        if not found.get(name):
            raise _RefusedError(400, f"{name} is missing")
    if any(letter.isspace() for letter in found["Call-ID"]):
        raise _RefusedError(400, "Bad Call-ID")
    number, method = read_cseq(found["CSeq"])
    vias = [read_via(value) for name, value in headers if name == "Via"]
    sender, receiver = read_address(found["From"]), read_address(found["To"])
    tags = sender.params.get("tag", ""), receiver.params.get("tag", "")
    return _Common(vias[0], found["Call-ID"], number, method, *tags)


def _request(method: str, uri: str, headers: Headers, body: bytes) -> Request:
    common = _common(headers)
    if common.cseq_method != method:
        raise _RefusedError(400 if method in KNOWN_METHODS else 501, "CSeq names another method")
    target = read_uri(uri)
    if target.scheme not in ("sip", "sips", "tel"):
        raise _RefusedError(416, REASONS[416])
    if target.headers:
        raise _RefusedError(400, "Headers in the Request-URI")
    forwards = "70"
    for name, value in headers:
        if name in ("Route", "Record-Route"):
            read_address(value)
        elif name == "Contact" and value != "*":
            for item in split_list(value):
                read_address(item)
        elif name == "Max-Forwards":
            forwards = value
    if not (forwards.isascii() and forwards.isdigit()):
        raise _RefusedError(400, "Bad Max-Forwards")
    check(headers)
    hops = int(forwards) if len(forwards) < 6 else 256
    return Request(headers, body, *common, method, uri, hops if hops <= 255 else 70)


def _response(first: str, lines: list[str], body: bytes, stream: bool) -> Response | Silence:
    headers: list[tuple[str, str]] = []
    match = _STATUS_LINE.fullmatch(first)
    if match is None or _headers(lines, headers):
        return Silence("bad_response")
    try:
        whole = tuple(headers)
        return Response(whole, _cut(headers, body, stream), *_common(whole), int(match[1]), match[2] or "")
    except (_RefusedError, MalformedError):
        return Silence("bad_response")


def _cut(headers: list[tuple[str, str]], body: bytes, stream: bool) -> bytes:
    """The body as long as Content-Length says; what follows it in a datagram is dropped (RFC 3261 §18.3)."""
    for name, value in headers:
        if name == "Content-Length":
            if not (value.isascii() and value.isdigit() and len(value) < 8):
                raise _RefusedError(400, "Bad Content-Length")
            if int(value) > len(body):
                raise _RefusedError(400, "Body shorter than Content-Length")
            return _harmless(body[: int(value)])
    if stream:
        raise _RefusedError(400, "Content-Length is missing")
    return _harmless(body)


def _harmless(body: bytes) -> bytes:
    """The body, unless it is one over which pjsip aborts: an SDP address longer than any name is (RFC 1035: 253)."""
    if _LONG_ADDRESS.search(body):
        raise _RefusedError(400, "An address in the SDP is too long")
    return body


def _refusal(first: str, headers: list[tuple[str, str]], status: int, why: str) -> Refusal | Silence:
    copied = tuple((name, value) for name, value in headers if name in _REPLY)
    top = next((value for name, value in copied if name == "Via"), None)
    if top is None or first[:4] == "ACK ":
        return Silence("bad_request")
    try:
        via = read_via(top)
    except MalformedError:
        via = None
    return Refusal(status, why, copied, via)
