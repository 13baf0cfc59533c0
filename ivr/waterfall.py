"""The latency of each turn, on the call's sample clock: from the end of speech to the first RTP packet of the reply."""

import array
from dataclasses import dataclass

RTP_FRAME_SAMPLES = 160  # 20 ms, one packet


@dataclass(slots=True)
class Turn:
    """The samples at which each stage was reached; -1 is not yet. For a key, all before `step` are the key's own."""

    text: str
    speech_end_sample: int
    endpoint_sample: int
    final_sample: int
    step_sample: int = -1
    step: str = ""
    prompt_sample: int = -1

    @property
    def rtp_sample(self) -> int:
        """When the packet that carries the prompt's first sample leaves: at the end of its 20 ms frame."""
        return (self.prompt_sample // RTP_FRAME_SAMPLES + 1) * RTP_FRAME_SAMPLES

    def as_event(self) -> dict[str, object]:
        """The data of the archive's `turn` event."""
        return {
            "text": self.text,
            "step": self.step,
            "speech_end_sample": self.speech_end_sample,
            "endpoint_sample": self.endpoint_sample,
            "final_sample": self.final_sample,
            "step_sample": self.step_sample,
            "prompt_sample": self.prompt_sample,
            "rtp_sample": self.rtp_sample,
        }


class Waterfall:
    """Follows the turn under way: `answered` -> `stepped` -> `playing` -> the first sounding sample in `heard`."""

    def __init__(self) -> None:
        self._turn: Turn | None = None
        self._playing_from = -1

    def answered(self, turn: Turn) -> None:
        """The caller has said or pressed something."""
        self._turn = turn
        self._playing_from = -1

    def unanswered(self) -> None:
        """The flow asked for nothing on this turn (a first digit, an "uh-huh"): the next prompt is no reply to it."""
        if self._turn is not None and self._turn.step_sample < 0:
            self._turn = None

    def stepped(self, sample: int, step: str) -> None:
        """The flow has decided and asked for a prompt."""
        if self._turn is not None and self._turn.step_sample < 0:
            self._turn.step_sample = sample
            self._turn.step = step

    def playing(self, sample: int) -> None:
        """The player took a prompt onto the bridge."""
        if self._turn is not None and self._turn.step_sample >= 0 and self._playing_from < 0:
            self._playing_from = sample

    def heard(self, sample: int, played8k: bytes) -> Turn | None:
        """Looks for the prompt's first sounding sample in this frame; returns the finished turn once."""
        if self._turn is None or self._playing_from < 0 or sample + len(played8k) // 2 <= self._playing_from:
            return None
        start = max(0, self._playing_from - sample)
        for offset, value in enumerate(array.array("h", played8k)[start:], start):
            if value:
                turn, self._turn = self._turn, None
                turn.prompt_sample = sample + offset
                return turn
        return None
