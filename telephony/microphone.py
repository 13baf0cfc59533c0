"""A voice that comes from no leg: PCM frames of 20 ms, handed in from any thread, spoken on the bridge's clock."""

from collections import deque
from collections.abc import Sequence

import pjsua2 as pj

from telephony.media import filled

FRAME_MS = 20
FRAME_BYTES = 320
MOST_FRAMES = 10  # 200 ms: what a console is ahead of the clock; older sound is dropped
_START_FRAMES = 2  # and so much waits before the first is spoken, against the network's jitter


class Microphone(pj.AudioMediaPort):  # type: ignore[misc]
    """A party of the bridge that speaks and hears nothing. Make it on the stack's thread."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._waiting: deque[bytes] = deque(maxlen=MOST_FRAMES)
        self._speaking = False
        self._frame = pj.ByteVector(bytes(FRAME_BYTES))
        layout = pj.MediaFormatAudio()
        layout.init(pj.PJMEDIA_FORMAT_PCM, 8000, 1, FRAME_MS * 1000, 16)
        self.createPort(name, layout)

    @property
    def voice(self) -> pj.AudioMedia | None:
        """What is said."""
        return self

    def ears(self) -> Sequence[pj.AudioMedia]:
        """Nothing is heard."""
        return ()

    def say(self, pcm8k: bytes) -> None:
        """Speaks 20 ms (`int16[160]`) as soon as what came before was spoken. From any thread."""
        if len(pcm8k) == FRAME_BYTES:
            self._waiting.append(pcm8k)

    def onFrameRequested(self, frame: pj.MediaFrame) -> None:
        """The bridge's clock thread calls this each 20 ms."""
        waiting = self._waiting
        if not self._speaking:
            self._speaking = len(waiting) >= _START_FRAMES
        if not self._speaking or not waiting:
            self._speaking = False
            frame.type = pj.PJMEDIA_FRAME_TYPE_NONE
            return
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        frame.buf = filled(self._frame, waiting.popleft())
