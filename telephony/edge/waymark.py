"""Waymarks: what the front door needs to know of a dialog, sealed into the user part of its Record-Route URI.

Both sides send it back in the Route header of each later request (RFC 3261 §12.2.1.1), so a door that was killed and
started again still finds both ends of a live call, also behind NAT, and nobody can make it send anywhere else: the seal
is a keyed hash over both addresses and the dialog's name. (The same thought as the flow token of RFC 5626 §5.2.)
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import struct
from enum import IntEnum
from typing import NamedTuple

from telephony.edge.events import Hop

_LAYOUT = struct.Struct("!BB4sH4sH")
_SEAL_BYTES = 13
_TRANSPORTS = ("UDP", "TCP", "TLS")


class Side(IntEnum):
    """Who is at one end of a dialog. CALLER: somebody without an account, or a trunk that brings one."""

    WORKER = 0
    CALLER = 1
    PHONE = 2
    TRUNK = 3


class Mark(NamedTuple):
    """Both ends of a dialog. `shift`: how much more the callee's CSeq is than the caller's (RFC 3261 §22.2)."""

    callee: Hop
    caller: Hop
    callee_side: Side = Side.WORKER
    caller_side: Side = Side.CALLER
    shift: int = 0


def seal(secret: bytes, dialog: str, mark: Mark) -> str:
    """Makes the waymark of a dialog: 36 letters, digits, - and _. Both hosts are IPv4 addresses.

    `dialog` is its Call-ID, with the caller's tag where direction is told by tags.
    """
    callee, caller = mark.callee, mark.caller
    kinds = _TRANSPORTS.index(callee.transport) << 6 | _TRANSPORTS.index(caller.transport) << 4
    way = _LAYOUT.pack(
        kinds | mark.callee_side << 2 | mark.caller_side, mark.shift,
        ipaddress.IPv4Address(callee.host).packed, callee.port,
        ipaddress.IPv4Address(caller.host).packed, caller.port,
    )  # fmt: skip
    return base64.urlsafe_b64encode(way + _mac(secret, way, dialog)).decode()


def unseal(secret: bytes, dialog: str, waymark: str) -> Mark | None:
    """What a waymark says, or None where this door's secret did not seal it for this dialog."""
    try:
        raw = base64.urlsafe_b64decode(waymark)
    except (binascii.Error, ValueError):
        return None
    way, mac = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
    if len(raw) != _LAYOUT.size + _SEAL_BYTES or not hmac.compare_digest(mac, _mac(secret, way, dialog)):
        return None
    kinds, shift, callee_host, callee_port, caller_host, caller_port = _LAYOUT.unpack(way)
    return Mark(
        Hop(_TRANSPORTS[kinds >> 6], str(ipaddress.IPv4Address(callee_host)), callee_port),
        Hop(_TRANSPORTS[kinds >> 4 & 3], str(ipaddress.IPv4Address(caller_host)), caller_port),
        Side(kinds >> 2 & 3), Side(kinds & 3), shift,
    )  # fmt: skip


def _mac(secret: bytes, way: bytes, dialog: str) -> bytes:
    text = way + dialog.encode("utf-8", "surrogateescape")
    return hashlib.blake2s(text, key=secret, digest_size=_SEAL_BYTES).digest()
