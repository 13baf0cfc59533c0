"""The latency of one turn: when each stage was reached after the caller fell silent (or pressed the key)."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from recordings.event import Event, sample_of

STAGES = ("endpoint", "final", "step", "prompt", "rtp")
_SAMPLES_PER_MS = 8


@dataclass(frozen=True, slots=True)
class Turn:
    """`stages_ms[name]` is the time from end of speech to the stage; a stage that was not reached is missing."""

    seq: int
    sample: int
    text: str
    step: str
    stages_ms: dict[str, float]

    @property
    def total_ms(self) -> float | None:
        """From end of speech to the first RTP packet of the answer, or else to its first sample."""
        return self.stages_ms.get("rtp", self.stages_ms.get("prompt"))


def turn_of(event: Event) -> Turn | None:
    """Reads a `turn` event; None for another kind, or where the end of speech is not known."""
    end = sample_of(event.data.get("speech_end_sample"))
    if event.kind != "turn" or end is None:
        return None
    stages = {}
    for name in STAGES:
        sample = sample_of(event.data.get(f"{name}_sample"))
        if sample is not None:
            stages[name] = (sample - end) / _SAMPLES_PER_MS
    return Turn(event.seq, end, str(event.data.get("text", "")), str(event.data.get("step", "")), stages)


def turns_of(events: Iterable[Event]) -> list[Turn]:
    """The turns of a call, in order."""
    return [turn for turn in map(turn_of, events) if turn is not None]


def median_ms(turns: Iterable[Turn]) -> float | None:
    """The median of the turns' totals; None when there is none."""
    totals = [turn.total_ms for turn in turns if turn.total_ms is not None]
    return median(totals) if totals else None
