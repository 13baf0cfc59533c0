"""Writes RTP into capture files that SIPp plays: Ethernet, IPv4, UDP around each packet (libpcap's format 2.4)."""

import struct
from collections.abc import Iterable
from pathlib import Path

from bench.rtp import Sender, key_events

_FILE = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
_ETHERNET = bytes(12) + b"\x08\x00"
_PORT = 30000  # SIPp puts its own addresses and ports in
PACKET_S = 0.02
KEY_EVENTS = 101
Timed = tuple[float, bytes]


def write(path: Path, stream: Iterable[Timed]) -> Path:
    """Each packet at its time, in the order given."""
    with path.open("wb") as file:
        file.write(_FILE)
        for at_s, rtp in stream:
            udp = struct.pack("!HHHH", _PORT, _PORT, 8 + len(rtp), 0) + rtp
            address = bytes([127, 0, 0, 1])
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, address, address)
            frame = _ETHERNET + ip + udp
            seconds, part = divmod(round(at_s * 1e6), 1_000_000)
            file.write(struct.pack("<IIII", seconds, part, len(frame), len(frame)) + frame)
    return path


def speech(sound: bytes, ssrc: int = 4711) -> list[Timed]:
    """A-law as packets of 20 ms."""
    sender = Sender(ssrc)
    whole = [sound[place : place + 160] for place in range(0, len(sound) - 159, 160)]
    return [(number * PACKET_S, sender.packet(piece, KEY_EVENTS)) for number, piece in enumerate(whole)]


def keys(pressed: str, pause_s: float = 0.3, ssrc: int = 4711) -> list[Timed]:
    """Keys as RTP events (RFC 4733) with silence between them; a space is half a second more of it."""
    sender, content = Sender(ssrc), []
    quiet = bytes([0xD5]) * 160
    for key in pressed:
        content += [quiet] * round((pause_s if key != " " else 0.5) / PACKET_S)
        content += key_events(key) if key != " " else []
    content += [quiet] * 5
    return [(number * PACKET_S, sender.packet(piece, KEY_EVENTS)) for number, piece in enumerate(content)]
