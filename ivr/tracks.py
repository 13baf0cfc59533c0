"""What is recorded of a call: both directions on one clock, with pauses for card data, and the caller's messages."""

from collections.abc import Callable

from ivr.clock import SAMPLES_PER_S
from recordings.bundle import Bundle
from recordings.leg import LegWriter
from telephony.legevents import Frame
from telephony.media import FRAME_SAMPLES, SILENCE


class Message:
    """A message under way, a leg of its own in the bundle. All samples are the call's."""

    def __init__(self, leg: LegWriter, name: str, begun: int, most: int, final_silence: int) -> None:
        self.name = name
        self._leg = leg
        self._begun = begun
        self._ends = begun + most
        self._final_silence = final_silence
        self._voice_until = begun
        self._voice = False

    @property
    def seconds(self) -> float:
        """How long it is so far."""
        return round(self._leg.samples / SAMPLES_PER_S, 2)

    def voice(self, sample: int, *, speaking: bool) -> None:
        """The caller began or ceased to speak."""
        self._voice = speaking
        self._voice_until = max(self._voice_until, sample)

    def write(self, sample: int, heard8k: bytes) -> bool:
        """Takes a frame of the caller's; True when the message is over."""
        if sample >= self._begun:
            self._leg.write(heard8k)
        now = sample + FRAME_SAMPLES
        return now >= self._ends or (not self._voice and now - self._voice_until >= self._final_silence)


class Tracks:
    """The recordings of one call. Event loop only; writes never raise and never wait."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._caller = bundle.leg("caller")
        self._hotline = bundle.leg("hotline")
        self._messages = 0
        self.paused = False
        self.also: Callable[[str, Frame], None] | None = None  # hears every frame, by party

    def write(self, frame: Frame) -> None:
        """Keeps a frame; while paused, silence of the same length."""
        if self.also is not None:
            self.also("caller", frame)
        self._caller.write_at(frame.sample, SILENCE if self.paused else frame.heard8k)
        self._hotline.write_at(frame.sample, SILENCE if self.paused else frame.played8k)

    def write_party(self, name: str, frame: Frame) -> None:
        """Keeps what somebody else in the call said (an agent, the far end of a transfer) in a recording of its own."""
        if self.also is not None:
            self.also(name, frame)
        self._bundle.leg(name).write_at(frame.sample, SILENCE if self.paused else frame.heard8k)

    def message(self, sample: int, max_time_s: float, final_silence_s: float) -> Message:
        """Begins a message at this sample of the call."""
        self._messages += 1
        name = f"message-{self._messages}"
        most, silence = int(max_time_s * SAMPLES_PER_S), int(final_silence_s * SAMPLES_PER_S)
        return Message(self._bundle.leg(name), f"{name}.wav", sample, most, silence)
