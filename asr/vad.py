"""Finds where voice begins and ends in a call, on the call's sample clock.

Owns framing, the noise floor and the countdown arithmetic around webrtcvad; what is an utterance is `asr.endpointer`'s
business. No clock and no I/O: the same sound gives the same answer.
"""

import math
from dataclasses import dataclass

import numpy as np
import webrtcvad

RATE_HZ = 8000
FRAME_SAMPLES = 160
FRAME_BYTES = 2 * FRAME_SAMPLES

MODE = 2
START_FRAMES = 3
END_FRAMES = 3
# webrtcvad takes any steady noise for voice until its noise estimate has settled (measured: 4 to 6 frames of white
# noise), so nothing may begin in the first 200 ms of a call.
WARM_UP_FRAMES = 10
# webrtcvad goes on saying "voice" for 3 to 6 frames after any sound. A frame must also be this much louder than the
# frames without voice: speech then ends 20 ms after the caller does instead of 80-100 (median of 120 clips, 2026-11),
# and a click is no voice. 6 dB would trim more, and lose 4 of 10 callers who speak in loud noise; 2 dB loses none.
MARGIN_DB = 2.0
FIRST_FLOOR_DB = 10.0
FLOOR_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class VoiceStart:
    """Voice began: `sample` is the first of the first voiced frame, `known_sample` follows the frame that proved it."""

    sample: int
    known_sample: int


@dataclass(frozen=True, slots=True)
class VoiceEnd:
    """Voice ended: `sample` follows the last sample of the last voiced frame."""

    sample: int
    known_sample: int


class Segmenter:
    """Turns frames that are voiced or not into voice starts and ends.

    Three voiced frames in a row begin a segment, three unvoiced ones end it: a click begins none, a burst of noise in
    a pause does not prolong the speech before it.
    """

    def __init__(self, warm_up_frames: int = WARM_UP_FRAMES) -> None:
        self._warm_up = warm_up_frames
        self._in_row = 0
        self.start_sample: int | None = None

    def frame(self, voiced: bool, first_sample: int) -> VoiceStart | VoiceEnd | None:
        """Takes one 20 ms frame that begins at `first_sample`."""
        after = first_sample + FRAME_SAMPLES
        if self._warm_up:
            self._warm_up -= 1
            return None
        inside = self.start_sample is not None
        self._in_row = self._in_row + 1 if voiced != inside else 0
        if self._in_row < (END_FRAMES if inside else START_FRAMES):
            return None
        turned = after - self._in_row * FRAME_SAMPLES
        self._in_row = 0
        if inside:
            self.start_sample = None
            return VoiceEnd(turned, after)
        self.start_sample = turned
        return VoiceStart(turned, after)


class Vad:
    """Voice activity of one leg. One thread; about 10 µs of CPU a frame."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(MODE)
        self._segmenter = Segmenter()
        self._floor_db = FIRST_FLOOR_DB
        self._rest = b""
        self._next = 0

    @property
    def start_sample(self) -> int | None:
        """Where the voice that goes on now began; None in silence."""
        return self._segmenter.start_sample

    def feed(self, pcm8k: bytes, first_sample: int) -> list[VoiceStart | VoiceEnd]:
        """Takes the next sound, mono int16 of any length, whose first sample has this number.

        Where samples are missing, an incomplete frame before the gap is forgotten.
        """
        if first_sample != self._next + len(self._rest) // 2:
            self._rest = b""
            self._next = first_sample
        sound = self._rest + pcm8k
        whole = len(sound) - len(sound) % FRAME_BYTES
        found = []
        for offset in range(0, whole, FRAME_BYTES):
            frame = sound[offset : offset + FRAME_BYTES]
            if edge := self._segmenter.frame(self._voiced(frame), self._next):
                found.append(edge)
            self._next += FRAME_SAMPLES
        self._rest = sound[whole:]
        return found

    def _voiced(self, frame: bytes) -> bool:
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        level_db = 10 * math.log10(float(samples @ samples) / FRAME_SAMPLES + 1)
        if self._vad.is_speech(frame, RATE_HZ):
            return level_db > self._floor_db + MARGIN_DB
        self._floor_db += FLOOR_SHARE * (level_db - self._floor_db)
        return False
