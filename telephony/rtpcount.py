"""Counts of a leg's RTP, over every stream that it ever had: a re-INVITE or a hold begins another."""

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class RtpCount:
    """Packets of one stream as pjmedia counts them; the jitter is the mean.

    pjmedia's count of reordered packets is left out: it grows with each lost one (measured 2026-11, pjproject 2.15).
    """

    rx_packets: int = 0
    rx_lost: int = 0
    rx_jitter_ms: float = 0.0
    tx_packets: int = 0
    tx_lost: int = 0

    def plus(self, later: "RtpCount") -> "RtpCount":
        """Both streams together; the jitter is the later one's."""
        sums = {field.name: getattr(self, field.name) + getattr(later, field.name) for field in fields(self)}
        return RtpCount(**{**sums, "rx_jitter_ms": later.rx_jitter_ms or self.rx_jitter_ms})

    def as_event(self) -> dict[str, Any]:
        """As the archive keeps it."""
        return asdict(self)
