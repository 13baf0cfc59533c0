"""Sound out of pjsua2's conference bridge: one port that hears a leg's two directions on one clock.

Owns the fast way to a frame's bytes. Playing is `telephony.player`'s, which stays native.
"""

import ctypes
import struct
from collections.abc import Callable

import pjsua2 as pj

FRAME_MS = 60
FRAME_SAMPLES = 480
SILENCE = bytes(2 * FRAME_SAMPLES)
_POINTERS = struct.Struct("QQ").unpack


def _fast_bytes(vector: pj.ByteVector) -> bytes:
    begin, end = _POINTERS(ctypes.string_at(int(vector.this), 16))
    return ctypes.string_at(begin, end - begin)


def _fast_bytes_work() -> bool:
    """Whether std::vector lies in memory as libstdc++ lays it out: begin pointer, end pointer."""
    sample = bytes(range(256)) * 2
    try:
        return _fast_bytes(pj.ByteVector(sample)) == sample
    except Exception:  # noqa: BLE001 - any failure means: take the slow way
        return False


# 1.9 us for a frame against 348 us for bytes(frame.buf), November 2026.
frame_bytes: Callable[[pj.ByteVector], bytes] = _fast_bytes if _fast_bytes_work() else bytes


def filled(vector: pj.ByteVector, data: bytes) -> pj.ByteVector:
    """The vector with this content, of the same length: 1.7 us where making a new one takes hundreds."""
    if frame_bytes is bytes:
        return pj.ByteVector(data)
    begin, _ = _POINTERS(ctypes.string_at(int(vector.this), 16))
    ctypes.memmove(begin, data, len(data))
    return vector


class Tap(pj.AudioMediaPort):  # type: ignore[misc]
    """A port of the bridge that hands over what it hears, 60 ms at a time, as `int16[480]` at 8 kHz.

    `on_frame` runs on the bridge's clock thread: it must return in well under a millisecond and raise nothing.
    """

    def __init__(self, name: str, on_frame: Callable[[bytes], None]) -> None:
        super().__init__()
        self._on_frame = on_frame
        layout = pj.MediaFormatAudio()
        layout.init(pj.PJMEDIA_FORMAT_PCM, 8000, 1, FRAME_MS * 1000, 16)
        self.createPort(name, layout)

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        """The bridge's clock thread calls this each 60 ms."""
        if frame.type == pj.PJMEDIA_FRAME_TYPE_AUDIO:
            vector = frame.buf
            self._on_frame(frame_bytes(vector))
        else:
            self._on_frame(SILENCE)
