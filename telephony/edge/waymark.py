"""Waymarks: what the front door needs to know of a dialog, sealed into the user part of its Record-Route URI.

Both sides send it back in the Route header of each later request (RFC 3261 §12.2.1.1), so a door that was killed and
started again still finds both ends of a live call, also behind NAT, and nobody can make it send anywhere else: the seal
is a keyed hash over both addresses and the Call-ID. (The same thought as the flow token of RFC 5626 §5.2.)
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import struct

from telephony.edge.events import Hop

_LAYOUT = struct.Struct("!B4sH4sH")
_SEAL_BYTES = 11
_TRANSPORTS = ("UDP", "TCP")


def seal(secret: bytes, call_id: str, worker: Hop, caller: Hop) -> str:
    """Makes the waymark of a dialog: 32 letters, digits, - and _. Both hosts are IPv4 addresses."""
    way = _LAYOUT.pack(
        _TRANSPORTS.index(worker.transport) * 2 + _TRANSPORTS.index(caller.transport),
        ipaddress.IPv4Address(worker.host).packed, worker.port,
        ipaddress.IPv4Address(caller.host).packed, caller.port,
    )  # fmt: skip
    return base64.urlsafe_b64encode(way + _mac(secret, way, call_id)).decode()


def unseal(secret: bytes, call_id: str, waymark: str) -> tuple[Hop, Hop] | None:
    """The worker and the caller of the dialog, or None where this door's secret did not seal it for this Call-ID."""
    try:
        raw = base64.urlsafe_b64decode(waymark)
    except (binascii.Error, ValueError):
        return None
    way, mac = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
    if len(raw) != _LAYOUT.size + _SEAL_BYTES or not hmac.compare_digest(mac, _mac(secret, way, call_id)):
        return None
    kinds, worker_host, worker_port, caller_host, caller_port = _LAYOUT.unpack(way)
    return (
        Hop(_TRANSPORTS[kinds >> 1 & 1], str(ipaddress.IPv4Address(worker_host)), worker_port),
        Hop(_TRANSPORTS[kinds & 1], str(ipaddress.IPv4Address(caller_host)), caller_port),
    )


def _mac(secret: bytes, way: bytes, call_id: str) -> bytes:
    text = way + call_id.encode("utf-8", "surrogateescape")
    return hashlib.blake2s(text, key=secret, digest_size=_SEAL_BYTES).digest()
