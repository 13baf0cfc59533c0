"""A SIP message as a value: what the strict reader hands over and what the front door sends.

Header names are in their long, usual form, list headers that steer routing (Via, Route, Record-Route) have one value
a header, folded lines are joined. Text carries bytes that are not UTF-8 unharmed (surrogateescape).
"""

from dataclasses import dataclass

from telephony.edge.grammar import Via

Headers = tuple[tuple[str, str], ...]

REASONS = {
    100: "Trying", 200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 407: "Proxy Authentication Required", 408: "Request Timeout",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension", 423: "Interval Too Brief",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    483: "Too Many Hops", 487: "Request Terminated", 500: "Server Internal Error", 501: "Not Implemented",
    503: "Service Unavailable", 505: "Version Not Supported", 513: "Message Too Large",
}  # fmt: skip


@dataclass(slots=True)
class Message:
    """What requests and responses share. Never changed once made."""

    headers: Headers
    body: bytes
    via: Via
    call_id: str
    cseq: int
    cseq_method: str
    from_tag: str
    to_tag: str

    def get(self, name: str) -> str:
        """The first value of a header, empty where there is none."""
        for known, value in self.headers:
            if known == name:
                return value
        return ""

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for known, value in self.headers if known == name]


@dataclass(slots=True)
class Request(Message):
    """A request; `max_forwards` is 70 where the header is missing or beyond 255."""

    method: str
    uri: str
    max_forwards: int


@dataclass(slots=True)
class Response(Message):
    """A response, its top Via being ours if it is meant for us."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that breaks a rule and can be answered: the status, and what the answer copies from it."""

    status: int
    reason: str
    headers: Headers
    via: Via | None


@dataclass(frozen=True, slots=True)
class Silence:
    """Bytes that deserve no answer; `why` is a counter's name."""

    why: str


def encode(start_line: str, headers: list[tuple[str, str]], body: bytes = b"") -> bytes:
    """Puts a message together; Content-Length is written anew (RFC 3261 §20.14)."""
    lines = [start_line]
    lines += [f"{name}: {value}" for name, value in headers if name != "Content-Length"]
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body
