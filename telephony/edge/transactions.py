"""Transactions and calls as the front door keeps them, and the tables their states follow.

RFC 3261 §17 with the corrections of RFC 6026 (a 2xx leads to ACCEPTED, so that its retransmissions pass). Knows no
message building and no timers' lengths.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from telephony.edge.dialplan import Rule, Trunk
from telephony.edge.events import Hop
from telephony.edge.message import Headers, Request, Response
from telephony.edge.roster import Worker
from telephony.edge.waymark import Side


class State(StrEnum):
    """Where a transaction stands. ABANDONED: the door went on to another worker and tidies up what still comes."""

    CALLING = "calling"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ABANDONED = "abandoned"
    GONE = "gone"


class Signal(StrEnum):
    """What moves a transaction."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx-6xx"
    ACK = "ack"
    ABANDON = "abandon"
    EXPIRE = "expire"


NOWHERE = Hop("UDP", "0.0.0.0", 0)
Table = dict[tuple[State, Signal], State]

INVITE_SERVER: Table = {
    (State.PROCEEDING, Signal.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Signal.SUCCESS): State.ACCEPTED,
    (State.PROCEEDING, Signal.FAILURE): State.COMPLETED,
    (State.ACCEPTED, Signal.SUCCESS): State.ACCEPTED,
    (State.ACCEPTED, Signal.EXPIRE): State.GONE,
    (State.COMPLETED, Signal.ACK): State.CONFIRMED,
    (State.COMPLETED, Signal.EXPIRE): State.GONE,
    (State.CONFIRMED, Signal.ACK): State.CONFIRMED,
    (State.CONFIRMED, Signal.EXPIRE): State.GONE,
}
OTHER_SERVER: Table = {
    (State.PROCEEDING, Signal.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Signal.SUCCESS): State.COMPLETED,
    (State.PROCEEDING, Signal.FAILURE): State.COMPLETED,
    (State.COMPLETED, Signal.EXPIRE): State.GONE,
}
INVITE_CLIENT: Table = {
    (State.CALLING, Signal.PROVISIONAL): State.PROCEEDING,
    (State.CALLING, Signal.SUCCESS): State.ACCEPTED,
    (State.CALLING, Signal.FAILURE): State.COMPLETED,
    (State.CALLING, Signal.ABANDON): State.ABANDONED,
    (State.PROCEEDING, Signal.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Signal.SUCCESS): State.ACCEPTED,
    (State.PROCEEDING, Signal.FAILURE): State.COMPLETED,
    (State.PROCEEDING, Signal.ABANDON): State.ABANDONED,
    (State.ACCEPTED, Signal.SUCCESS): State.ACCEPTED,
    (State.ACCEPTED, Signal.EXPIRE): State.GONE,
    (State.COMPLETED, Signal.FAILURE): State.COMPLETED,
    (State.COMPLETED, Signal.EXPIRE): State.GONE,
    (State.ABANDONED, Signal.PROVISIONAL): State.ABANDONED,
    (State.ABANDONED, Signal.SUCCESS): State.ABANDONED,
    (State.ABANDONED, Signal.FAILURE): State.ABANDONED,
    (State.ABANDONED, Signal.EXPIRE): State.GONE,
}
OTHER_CLIENT: Table = {
    (State.CALLING, Signal.PROVISIONAL): State.PROCEEDING,
    (State.CALLING, Signal.SUCCESS): State.GONE,
    (State.CALLING, Signal.FAILURE): State.GONE,
    (State.CALLING, Signal.ABANDON): State.GONE,
    (State.PROCEEDING, Signal.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Signal.SUCCESS): State.GONE,
    (State.PROCEEDING, Signal.FAILURE): State.GONE,
    (State.PROCEEDING, Signal.ABANDON): State.GONE,
}


@dataclass(slots=True, eq=False)
class Timed:
    """Something with one timer at a time; a Fired before `due` is an old one and means nothing."""

    serial: int
    due: float = field(default=0.0, init=False)


@dataclass(slots=True, eq=False)
class Transaction(Timed):
    """One side of a transaction; `expires` ends its present state."""

    invite: bool
    state: State = field(default=State.PROCEEDING, init=False)
    interval_s: float = field(default=0.0, init=False)
    expires: float = field(default=0.0, init=False)

    def table(self) -> Table:
        """The table this transaction follows."""
        raise NotImplementedError

    def move(self, signal: Signal) -> bool:
        """Follows the table; False, and nothing changes, where the table has no such pair."""
        following = self.table().get((self.state, signal))
        if following is None:
            return False
        self.state = following
        return True


@dataclass(slots=True, eq=False)
class Server(Transaction):
    """A request somebody sent us. `last` is the response to repeat, `held_until` the end of waiting for a worker.

    An INVITE that makes a dialog has a `call`, where a worker takes it, or a `relay`.
    """

    key: tuple[str, ...]
    request: Request
    reply_to: Hop
    call: "Call | None" = None
    relay: "Relay | None" = None
    client: "Client | None" = None
    tried: list[int] = field(default_factory=list)
    last: bytes = b""
    held_until: float = 0.0
    cancelled: bool = False
    early_media: bool = False

    def table(self) -> Table:
        """By method."""
        return INVITE_SERVER if self.invite else OTHER_SERVER


@dataclass(slots=True, eq=False)
class Client(Transaction):
    """A request the door has sent on, or (`server` None) made itself. `worker` where it went to one.

    `tidied`: it was cancelled; `hung_up`: a late answer was ended with BYE; `side`: who is asked;
    `proved`: it bears credentials for its `trunk`.
    """

    branch: str
    method: str
    uri: str
    headers: Headers
    wire: bytes
    to: Hop
    instead: Hop | None
    cseq: int
    server: Server | None = None
    worker: Worker | None = None
    tidied: bool = False
    hung_up: bool = False
    side: Side = Side.CALLER
    relay: "Relay | None" = None
    trunk: Trunk | None = None
    proved: bool = False

    def table(self) -> Table:
        """By method."""
        return INVITE_CLIENT if self.invite else OTHER_CLIENT


@dataclass(slots=True, eq=False)
class Call(Timed):
    """A caller's dialog with a worker, from the INVITE on; what a BYE on the worker's behalf needs is here."""

    key: tuple[str, str]
    caller: Hop
    caller_party: str
    caller_contact: str
    routes: list[str]
    since: float
    server: Server | None
    worker: Worker | None = None
    worker_party: str = ""
    worker_tag: str = ""
    worker_cseq: int = 0


@dataclass(slots=True, eq=False)
class Relay(Timed):
    """A dialog that no worker takes: of a worker or a phone with a phone or a trunk, from the INVITE on.

    `branches` are the INVITEs under way, `best` the best refusal so far. `worker` is the caller where that is one,
    `user` the account that calls, `rule` what lets it go out. The timer ends it: its time is up, or its worker lost.
    """

    key: tuple[str, str]
    caller: Hop
    caller_side: Side
    caller_party: str
    caller_contact: str
    caller_routes: list[str]
    caller_cseq: int
    since: float
    server: Server | None
    worker: Worker | None = None
    user: str = ""
    branches: list[Client] = field(default_factory=list)
    best: Response | None = None
    callee: Hop = NOWHERE
    callee_side: Side = Side.PHONE
    callee_party: str = ""
    callee_tag: str = ""
    callee_contact: str = ""
    callee_routes: list[str] = field(default_factory=list)
    callee_cseq: int = 0
    shift: int = 0
    rule: Rule | None = None
    trunk: Trunk | None = None
    ends: float = float("inf")

    def moved(self, hop: Hop, *, caller: bool) -> None:
        """Notes the address that one end sends from now."""
        if caller:
            self.caller = hop
        else:
            self.callee = hop
