"""SIP messages as the callers need them: enough of RFC 3261 to talk to a server that one trusts, no more."""

import re
from dataclasses import dataclass
from functools import cached_property

_SHORT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}
Address = tuple[str, int]


@dataclass(frozen=True)
class Message:
    """A request or response. `start` is its first line; header names are in lower case."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @cached_property
    def status(self) -> int:
        """The status code of a response; 0 for a request."""
        return int(self.start.split(" ", 2)[1]) if self.start.startswith("SIP/2.0 ") else 0

    @cached_property
    def method(self) -> str:
        """The method of a request, or of the request that a response answers."""
        return self.get("cseq").split()[1]

    def get(self, name: str) -> str:
        """The first header of this name, "" when there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of this header, those that share a line apart (RFC 3261 section 7.3.1)."""
        lines = [value for key, value in self.headers if key == name]
        return [part.strip() for line in lines for part in re.split(r",(?![^<]*>)", line)]


def parse(datagram: bytes) -> Message:
    """Reads one message. Raises ValueError for what is not SIP."""
    head, _, body = datagram.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    if "SIP/2.0" not in start:
        raise ValueError(f"not SIP: {start[:60]!r}")
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.append((_SHORT.get(name, name), value.strip()))
    return Message(start, tuple(headers), body)


def build(start: str, headers: list[tuple[str, str]], body: str = "") -> bytes:
    """Writes one message, Content-Length added."""
    lines = [start, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body.encode())}", "", body]
    return "\r\n".join(lines).encode()


def answer(request: Message, status: str) -> bytes:
    """A response such as "200 OK" without a body (RFC 3261 section 8.2.6)."""
    copied = [(name, value) for name, value in request.headers if name in {"via", "from", "to", "call-id", "cseq"}]
    return build(f"SIP/2.0 {status}", copied)


def uri_in(value: str) -> str:
    """The URI of a Contact, Route or Record-Route value."""
    match = re.search(r"<([^>]+)>", value)
    return match[1] if match else value.split(";", maxsplit=1)[0].strip()


def hop_of(uri: str) -> Address:
    """Where requests to this URI go; it must have a numeric host, as every URI of a server under test has."""
    match = re.match(r"sips?:(?:[^@;]*@)?([\d.]+)(?::(\d+))?", uri)
    if match is None:
        raise ValueError(f"no numeric address in {uri!r}")
    return match[1], int(match[2] or 5060)


def offer(address: str, port: int, event_type: int) -> str:
    """The callers' SDP: A-law and key events, 20 ms (RFC 3264, RFC 4733)."""
    lines = [
        "v=0", f"o=- {port} 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
        f"m=audio {port} RTP/AVP 8 {event_type}", "a=rtpmap:8 PCMA/8000",
        f"a=rtpmap:{event_type} telephone-event/8000", f"a=fmtp:{event_type} 0-15", "a=ptime:20", "a=sendrecv",
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


def answered_media(sdp: str) -> tuple[Address, int]:
    """Where the far side takes RTP, and its payload type of key events. Raises ValueError unless it speaks A-law."""
    address = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
    media = re.search(r"^m=audio (\d+) RTP/AVP ([\d ]+)", sdp, re.MULTILINE)
    if address is None or media is None or "8" not in media[2].split():
        raise ValueError(f"no A-law audio in the answer: {sdp!r}")
    events = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", sdp, re.MULTILINE | re.IGNORECASE)
    return (address[1], int(media[1])), int(events[1]) if events else 0
