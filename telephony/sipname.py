"""The names that SIP headers bear, as text that may be written down and shown."""

import re

LONGEST = 100  # what is longer is an attack or a mistake, and would fill every list of calls
_URI = re.compile(r"(?:sips?:(?:([^@>;]*)@)?([^>;]*)|tel:([^>;]*))", re.IGNORECASE)


def user_of(address: str) -> str:
    """The user part of a name-addr such as `"Ann" <sip:ann@host;tag=1>`, the number of a tel URI (RFC 3966), the host
    part where there is no user; at most 100 characters.
    """
    match = _URI.search(address)
    user = (match[1] or match[2] or match[3] or "") if match else address
    return shortened(readable(user))


def host_of(address: str) -> str:
    """The host and port of a name-addr's URI."""
    match = _URI.search(address)
    return str(match[2]) if match and match[2] else ""


def readable(text: str) -> str:
    """The text with U+FFFD for every byte that is not UTF-8: what pjsua2 gives may be written nowhere otherwise."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def shortened(text: str) -> str:
    """The text, cut after 100 characters."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
