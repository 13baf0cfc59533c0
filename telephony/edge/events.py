"""What comes into the front door's core and what it asks for, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from telephony.edge.accounts import Account
from telephony.edge.message import Refusal, Request, Response, Silence


class Hop(NamedTuple):
    """Where a message came from or goes to: UDP, TCP or TLS. Of a connection the far end, open or to be opened."""

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


class Contact(NamedTuple):
    """A contact of a user, for everybody who wants to know; it lives `left_s` more seconds."""

    uri: str
    left_s: float


@dataclass(frozen=True, slots=True)
class Kept:
    """A contact as it outlives the door. `nat`: the Contact itself leads nowhere."""

    user: str
    uri: str
    hop: Hop
    nat: bool
    instance: str
    call_id: str
    cseq: int
    left_s: float


@dataclass(frozen=True, slots=True)
class AccountsAre:
    """All accounts that may be used now, by user name."""

    accounts: Mapping[str, Account]


@dataclass(frozen=True, slots=True)
class Restored:
    """The contacts that an earlier door kept."""

    contacts: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """A TCP or TLS connection is gone, or could not be opened."""

    hop: Hop


@dataclass(frozen=True, slots=True)
class TrunkAt:
    """A trunk's name has been resolved."""

    trunk: str
    address: str


@dataclass(frozen=True, slots=True)
class SpentBefore:
    """What the rules of the dial plan had spent on a day (since 1970), as an earlier door kept it."""

    day: int
    amounts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CallOut:
    """A call out by a rule of the dial plan as it outlives the door; it may last `left_s` more seconds."""

    call_id: str
    caller_tag: str
    caller: Hop
    caller_side: int
    caller_party: str
    caller_contact: str
    caller_routes: tuple[str, ...]
    caller_cseq: int
    callee: Hop
    callee_party: str
    callee_tag: str
    callee_contact: str
    callee_routes: tuple[str, ...]
    callee_cseq: int
    shift: int
    user: str
    rule: str
    left_s: float


@dataclass(frozen=True, slots=True)
class CallsOutBefore:
    """The calls out that an earlier door had up."""

    calls: tuple[CallOut, ...]


Before = Restored | SpentBefore | CallsOutBefore
Event = Received | Fired | WorkerSaid | WorkerGone | Stopping | AccountsAre | Closed | TrunkAt | Before


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


@dataclass(frozen=True, slots=True)
class Registered:
    """The contacts of a user have changed; none: nobody can be reached there any more."""

    user: str
    contacts: tuple[Contact, ...]
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """What the rules of the dial plan have spent today, to be kept."""

    day: int
    amounts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CallsOut:
    """All calls out that are up, to be kept."""

    calls: tuple[CallOut, ...]


Change = Registered | Spent | CallsOut
Action = Send | Wake | Change
