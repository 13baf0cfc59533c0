"""What comes into the front door's core and what it asks for, as values."""

from dataclasses import dataclass
from typing import NamedTuple

from telephony.edge.message import Refusal, Request, Response, Silence


class Hop(NamedTuple):
    """Where a message came from or goes to. For TCP the far end of a connection, open or to be opened."""

    transport: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message was read, or could not be."""

    message: Request | Response | Refusal | Silence
    source: Hop


@dataclass(frozen=True, slots=True)
class Fired:
    """The time that a Wake asked for has come."""

    timer: int


@dataclass(frozen=True, slots=True)
class WorkerSaid:
    """A worker registers or tells its state. A worker takes one call in its life."""

    pid: int
    slot: int
    hop: Hop
    idle: bool


@dataclass(frozen=True, slots=True)
class WorkerGone:
    """The worker's socket closed: its process has ended."""

    pid: int


@dataclass(frozen=True, slots=True)
class Stopping:
    """The door is about to end: no new calls."""


Event = Received | Fired | WorkerSaid | WorkerGone | Stopping


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes. Where `to` is a TCP connection that is not open any more, open one to `instead`."""

    data: bytes
    to: Hop
    instead: Hop | None = None


@dataclass(frozen=True, slots=True)
class Wake:
    """Give back Fired(timer) after this time. Never cancelled: a timer that has lost its meaning is ignored."""

    timer: int
    after_s: float


Action = Send | Wake
