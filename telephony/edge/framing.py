"""Cuts a TCP stream into SIP messages (RFC 3261 §18.3) and finds the keep-alives of RFC 5626 §4.4.1. Pure."""

import re

from telephony.edge.strict import MAX_MESSAGE_BYTES

PING, PONG = b"\r\n\r\n", b"\r\n"
_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t\r\n]*([^\r\n]*)", re.IGNORECASE)


class Framer:
    """Collects bytes of one connection.

    `broken` says that the stream has lost its beat: what was cut out last is to be answered (the strict reader refuses
    it), then the connection is to be closed.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self.broken = False

    @property
    def partial(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._buffer.strip(PONG))

    def feed(self, data: bytes) -> list[bytes]:
        """Takes what was received, gives back whole messages, and PING for each keep-alive."""
        found: list[bytes] = []
        self._buffer += data
        while self._buffer and not self.broken:
            if self._buffer.startswith(PING):
                found.append(PING)
                self._buffer = self._buffer[4:]
            elif self._buffer[:2] == b"\r\n" and len(self._buffer) > 2 and not PING.startswith(self._buffer[:4]):
                self._buffer = self._buffer[2:]
            elif (size := self._size()) == 0:
                break
            else:
                found.append(self._buffer[:size])
                self._buffer = self._buffer[size:]
        return found

    def _size(self) -> int:
        """Bytes of the message in front, 0 while it is not whole."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            self.broken = len(self._buffer) > MAX_MESSAGE_BYTES
            return len(self._buffer) if self.broken else 0
        lengths = _LENGTH.findall(self._buffer[: end + 2])
        if len(lengths) != 1 or not lengths[0].strip().isdigit() or len(lengths[0].strip()) > 7:
            self.broken = True  # without one clear length the next message cannot be found
            return end + 4
        size = end + 4 + int(lengths[0])
        if size > MAX_MESSAGE_BYTES:
            self.broken = True
            return end + 4
        return size if len(self._buffer) >= size else 0
