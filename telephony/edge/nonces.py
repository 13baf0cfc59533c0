"""Nonces that the door makes: sealed with its secret, so that none is remembered until it was used rightly.

A nonce tells when it was made and a MAC over that; only those of successful answers are kept, to refuse a count that
was used already (RFC 7616 §3.4, §5.7). The table is bounded: what falls out of it makes everything older stale, never
acceptable again.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections import OrderedDict
from enum import StrEnum

NONCE_LIFE_S = 300.0
MAX_NONCES = 20_000
WINDOW = 64  # counts may arrive out of order by this much

_LAYOUT = struct.Struct("!QI")
_MAC_BYTES = 12


class Freshness(StrEnum):
    """What can be said of a nonce that came back. FOREIGN: not made by this door in this run."""

    FRESH = "fresh"
    STALE = "stale"
    FOREIGN = "foreign"


class Nonces:
    """Makes, reads and remembers nonces. `salt` differs from run to run: a door started again knows no used counts."""

    def __init__(self, secret: bytes, salt: bytes) -> None:
        self._key = hashlib.blake2s(b"nonce" + salt, key=secret).digest()
        self._serial = 0
        self._used: OrderedDict[str, tuple[float, int, int]] = OrderedDict()
        self._floor = float("-inf")

    def __len__(self) -> int:
        return len(self._used)

    def make(self, now: float) -> str:
        """A new nonce."""
        self._serial = (self._serial + 1) & 0xFFFFFFFF
        body = _LAYOUT.pack(int(max(now, 0.0) * 1000), self._serial)
        return base64.urlsafe_b64encode(body + self._mac(body)).decode()

    def judge(self, nonce: str, nc: int, now: float) -> Freshness:
        """Whether a nonce and its count may still be used. Changes nothing."""
        made = self._made(nonce)
        if made is None or made > now + 1.0:
            return Freshness.FOREIGN
        if made + NONCE_LIFE_S < now or made < self._floor:
            return Freshness.STALE
        _, highest, seen = self._used.get(nonce, (0.0, 0, 0))
        behind = highest - nc
        if behind >= WINDOW or (behind >= 0 and seen >> behind & 1):
            return Freshness.STALE
        return Freshness.FRESH

    def use(self, nonce: str, nc: int, now: float) -> None:
        """Notes a count as used: its answer was right."""
        made = self._made(nonce) or 0.0
        _, highest, seen = self._used.pop(nonce, (0.0, 0, 0))
        if nc > highest:
            seen = (seen << min(nc - highest, WINDOW) | 1) & (1 << WINDOW) - 1
            highest = nc
        else:
            seen |= 1 << highest - nc
        self._used[nonce] = (made, highest, seen)
        while self._used:
            oldest = next(iter(self._used))
            made = self._used[oldest][0]
            if made + NONCE_LIFE_S >= now and len(self._used) <= MAX_NONCES:
                break
            if made + NONCE_LIFE_S >= now:
                self._floor = max(self._floor, made + 0.001)
            del self._used[oldest]

    def _made(self, nonce: str) -> float | None:
        try:
            raw = base64.b64decode(nonce, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        body, mac = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        if len(raw) != _LAYOUT.size + _MAC_BYTES or not hmac.compare_digest(mac, self._mac(body)):
            return None
        return float(_LAYOUT.unpack(body)[0]) / 1000

    def _mac(self, body: bytes) -> bytes:
        return hashlib.blake2s(body, key=self._key, digest_size=_MAC_BYTES).digest()
