"""RTP as sent and as received: packets, key events (RFC 4733), loss and jitter (RFC 3550)."""

import struct
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.alaw import PACKET_SAMPLES

PCMA = 8
KEY_EVENTS = 101
_HEADER = struct.Struct("!BBHII")
_KEY = struct.Struct("!BBH")
_KEY_VOLUME = 10
_KEY_NAMES = "0123456789*#"
KEY_PACKETS = 8
KEY_ENDS = 3
LATE_MS = 60.0  # a usual phone's jitter buffer


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One of the packets of a key; `duration` is in samples since it was pressed."""

    key: str
    duration: int
    first: bool
    end: bool


def key_events(key: str) -> list[KeyEvent]:
    """The packets of one key, one each 20 ms: the last three say that it was let go (RFC 4733 section 2.5.1.4)."""
    held = KEY_PACKETS - KEY_ENDS
    return [
        KeyEvent(key, PACKET_SAMPLES * min(number + 1, held + 1), first=number == 0, end=number >= held)
        for number in range(KEY_PACKETS)
    ]


class Sender:
    """Numbers and writes the packets of one stream."""

    def __init__(self, ssrc: int) -> None:
        self._ssrc = ssrc
        self._sequence = ssrc & 0xFFFF
        self._timestamp = ssrc >> 3 & 0xFFFFFFFF
        self._key_began = 0
        self.sent = 0

    def packet(self, content: bytes | KeyEvent, key_type: int) -> bytes:
        """The next packet, 20 ms after the last one."""
        if isinstance(content, bytes):
            data = _HEADER.pack(0x80, PCMA, self._sequence, self._timestamp, self._ssrc) + content
        else:
            if content.first:
                self._key_began = self._timestamp
            mark = 0x80 if content.first else 0
            event = _KEY.pack(_KEY_NAMES.index(content.key), content.end << 7 | _KEY_VOLUME, content.duration)
            data = _HEADER.pack(0x80, mark | key_type, self._sequence, self._key_began, self._ssrc) + event
        self._sequence = self._sequence + 1 & 0xFFFF
        self._timestamp = self._timestamp + PACKET_SAMPLES & 0xFFFFFFFF
        self.sent += 1
        return data


@dataclass(frozen=True, slots=True)
class Figures:
    """What a stretch of a stream was like at the far side.

    `lost`: numbers that never came. `unsent`: 20 ms steps of the sender's clock without a packet of their own.
    `late`: packets that came more than 60 ms after the one before. Gaps are between arrivals.
    """

    received: int = 0
    lost: int = 0
    unsent: int = 0
    doubled: int = 0
    reordered: int = 0
    late: int = 0
    jitter_ms: float = 0.0
    gap_p50_ms: float = 0.0
    gap_p99_ms: float = 0.0
    gap_max_ms: float = 0.0


class Reception:
    """Every packet of one received stream."""

    def __init__(self) -> None:
        self._arrivals = array("d")
        self._sequences = array("q")
        self._timestamps = array("q")

    @property
    def received(self) -> int:
        """How many packets came."""
        return len(self._arrivals)

    @property
    def first_at(self) -> float:
        """When the first packet came (Unix seconds); 0 before."""
        return self._arrivals[0] if self._arrivals else 0.0

    def take(self, packet: bytes, arrived_at: float) -> bytes | None:
        """Notes one packet and gives its audio; None for what is not A-law audio (RTCP on a wrong port, key events)."""
        if len(packet) < _HEADER.size or packet[0] >> 6 != 2 or packet[1] & 0x7F != PCMA:
            return None
        _, _, sequence, timestamp, _ = _HEADER.unpack_from(packet)
        self._arrivals.append(arrived_at)
        self._sequences.append(_extended(self._sequences, sequence, 1 << 16))
        self._timestamps.append(_extended(self._timestamps, timestamp, 1 << 32))
        return packet[_HEADER.size :]

    def figures(self, since: float = 0.0, until: float = float("inf")) -> Figures:
        """The stretch between two times (Unix seconds)."""
        arrivals = np.array(self._arrivals)
        inside = (arrivals >= since) & (arrivals < until)
        if np.count_nonzero(inside) < 2:
            return Figures(received=int(np.count_nonzero(inside)))
        arrivals = arrivals[inside]
        sequences = np.array(self._sequences)[inside]
        timestamps = np.array(self._timestamps)[inside]
        ordered, places = np.unique(sequences, return_index=True)
        steps = np.diff(timestamps[places]) // PACKET_SAMPLES - np.diff(ordered)
        gaps = np.diff(arrivals) * 1000
        return Figures(
            received=len(arrivals),
            lost=int(ordered[-1] - ordered[0] + 1 - len(ordered)),
            unsent=int(steps[steps > 0].sum()),
            doubled=len(sequences) - len(ordered),
            reordered=int(np.count_nonzero(np.diff(sequences) < 0)),
            late=int(np.count_nonzero(gaps > LATE_MS)),
            jitter_ms=jitter_ms(arrivals, timestamps),
            gap_p50_ms=float(np.percentile(gaps, 50)),
            gap_p99_ms=float(np.percentile(gaps, 99)),
            gap_max_ms=float(gaps.max()),
        )


def jitter_ms(arrivals: NDArray[np.float64], timestamps: NDArray[np.int64]) -> float:
    """The interarrival jitter of RFC 3550 appendix A.8 after the last packet."""
    jitter = 0.0
    for difference in np.abs(np.diff(arrivals) * 1000 - np.diff(timestamps) / 8).tolist():
        jitter += (difference - jitter) / 16
    return jitter


def _extended(before: "array[int]", value: int, modulus: int) -> int:
    """The number with its wraps counted: the one nearest to the last (RFC 3550 appendix A.1)."""
    if not before:
        return value
    last = before[-1]
    return last + (value - last + modulus // 2) % modulus - modulus // 2
