"""Keys in a SIP INFO, made safe: pjsip aborts the process over a `Signal=5` that no line end follows.

Two unregistered but widespread forms: application/dtmf-relay (`Signal=5`, `Duration=160`) and application/dtmf (`5`);
some phones write RFC 4733's event numbers (10 is *, 11 is #, 12 to 15 are A to D).
"""

import re

RELAY = "application/dtmf-relay"
ACCEPT = ("Accept", f"{RELAY}, application/dtmf")
_FORMS = {
    RELAY: re.compile(rb"(?:^|[\r\n])[ \t]*signal[ \t]*=[ \t]*([0-9A-D*#]|1[0-5])[ \t]*(?:[\r\n]|$)", re.IGNORECASE),
    "application/dtmf": re.compile(rb"^\s*([0-9A-D*#]|1[0-5])\s*$", re.IGNORECASE),
}
_EVENTS = {b"10": b"*", b"11": b"#", b"12": b"A", b"13": b"B", b"14": b"C", b"15": b"D"}


def is_key_type(content_type: str) -> bool:
    """Whether a body of this Content-Type may hold a key."""
    return _type_of(content_type) in _FORMS


def relay_body(content_type: str, body: bytes) -> bytes | None:
    """The key in its one plain form; None where the body holds none."""
    match = _FORMS[_type_of(content_type)].search(body)
    if match is None:
        return None
    key = match[1].upper()
    return b"Signal=" + _EVENTS.get(key, key) + b"\r\nDuration=160\r\n"


def _type_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
