"""What a leg reports, as values. They are made on pjsua2's threads and handed over by the `emit` given to the stack."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class KeyMethod(StrEnum):
    """How a key came: as an RTP event (RFC 4733) or in a SIP INFO (RFC 6086)."""

    RFC4733 = "rfc4733"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Incoming:
    """An INVITE waits for `Leg.answer` or `Leg.hang_up`. `headers` has the X- headers, names in lower case;
    `source` is who sent it, "host:port": the front door, or a worker that brings a supervisor.
    """

    caller: str
    called: str
    sip_call_id: str
    headers: dict[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The stack itself refused an INVITE: 488 when no codec is common (RFC 3261 section 13.3.1.3)."""

    status: int
    reason: str
    caller: str
    called: str
    sip_call_id: str


@dataclass(frozen=True, slots=True)
class Ringing:
    """The far end of an outgoing leg was found: 180, or 181 to 183 (then there may be early media)."""

    status: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The far end of an outgoing leg has answered."""


@dataclass(frozen=True, slots=True)
class MediaReady:
    """Audio flows from here on. On an outgoing leg it may be early media."""

    codec: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The sound of the last 60 ms on one clock: what the far end said (heard) and what it was sent (played).

    Each is `int16[480]` at 8 kHz as bytes. `sample` is the first sample's place on the clock of the process's first
    leg, which all its legs share.
    """

    sample: int
    heard8k: bytes
    played8k: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """The far end pressed a key."""

    key: str
    method: KeyMethod


@dataclass(frozen=True, slots=True)
class Held:
    """The far end put the leg on hold (`held`) or took it back."""

    held: bool


@dataclass(frozen=True, slots=True)
class Playing:
    """The playback with this token went onto the bridge: its first sample is heard at the next tick."""

    token: int


@dataclass(frozen=True, slots=True)
class Played:
    """The playback with this token reached its end."""

    token: int


@dataclass(frozen=True, slots=True)
class PlayFailed:
    """The playback with this token could not start."""

    token: int
    reason: str


@dataclass(frozen=True, slots=True)
class Referred:
    """What became of a REFER: the status that the far end's NOTIFY tells (RFC 3515 section 2.4.4), or its refusal."""

    status: int
    final: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The dialog is over. `status` is the final SIP status, or the cause that a BYE gave (Reason, RFC 3326);
    `by_far_end` whose word it was, `rtp` the last counters.
    """

    status: int
    reason: str
    by_far_end: bool
    rtp: dict[str, Any] = field(default_factory=dict)


LegEvent = (
    Incoming
    | Refused
    | Ringing
    | Answered
    | MediaReady
    | Frame
    | Key
    | Held
    | Playing
    | Played
    | PlayFailed
    | Referred
    | Ended
)
