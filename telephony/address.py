"""The address phones reach this machine at."""

import socket

_SOMEWHERE = ("192.0.2.1", 9)  # TEST-NET-1 (RFC 5737): only the routing table is asked, no packet leaves


def reachable_address(wanted: str) -> str:
    """The IPv4 address to write into SIP and SDP: `wanted`, or for "auto" that of the default route's interface.

    Without a default route "auto" is 127.0.0.1. A name is resolved. Raises OSError where a name has no IPv4 address.
    """
    if wanted != "auto":
        try:
            found = socket.getaddrinfo(wanted, None, socket.AF_INET, socket.SOCK_DGRAM)
        except UnicodeError as error:
            raise OSError(f"{wanted!r} is no host name") from error
        return str(found[0][4][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
