"""What the door changes in a session description: keys do not travel where everybody can read them."""

import re

_KEYS = re.compile(rb"^a=crypto:[^\r\n]*\r?\n", re.MULTILINE)
_PLAIN = re.compile(rb"^m=audio \d+ RTP/AVP ", re.MULTILINE)


def without_keys(body: bytes) -> bytes:
    """An offer of plain RTP without the SRTP keys in it (RFC 4568 §6.1); one that insists on SRTP stays as it is."""
    return _KEYS.sub(b"", body) if _PLAIN.search(body) else body
