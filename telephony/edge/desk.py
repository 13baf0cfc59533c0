"""The front door's tables and the few moves that everything else is made of: send, arm a timer, answer.

Pure: no clock, no I/O; `now` is what the last event brought, what is to be done gathers in `actions`.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from telephony.edge.accounts import Account
from telephony.edge.bindings import Bindings
from telephony.edge.dialplan import Ledger
from telephony.edge.events import Action, Hop, Send, Wake
from telephony.edge.grammar import Uri, Via
from telephony.edge.guard import Guard
from telephony.edge.message import REASONS, Headers, Request, encode
from telephony.edge.nonces import Nonces
from telephony.edge.roster import Roster
from telephony.edge.settings import EdgeSettings
from telephony.edge.transactions import Call, Client, Relay, Server, Signal, State, Timed

T1_S, T2_S, T4_S = 0.5, 4.0, 5.0  # RFC 3261 §17.1.1.1
LIFE_S = 64 * T1_S  # timers B, F, H, L, M
TIMER_C_S = 181.0
HOLD_S = 4.0  # an INVITE waits this long for the next idle worker
SILENT_WORKER_S = 0.5
WORKER_REPEAT_S = 0.2  # on loopback a lost datagram is repeated sooner than T1
WORKER_LOST_S = 0.1  # what a worker sent before it ended is let through first
MAX_TRIES = 3  # a message that kills workers must not kill them all
MAX_TRANSACTIONS = 20_000
RELAYS_PER_CALL = 4  # a worker has four legs at most
RETRY_AFTER_S = 5
RETRY_LATER = ("Retry-After", str(RETRY_AFTER_S))
ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK")
SUPPORTED = frozenset(("100rel", "timer", "replaces", "norefersub"))  # what the workers' SIP stack knows

_RECEIVED = re.compile(r"\s*;\s*received\s*=[^;]*", re.IGNORECASE)
_RPORT = re.compile(r";\s*rport(?:\s*=[^;]*)?(?=\s*;|\s*$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the door is: the address that phones reach it at, the one that workers use, one port for both.

    `tls_port` 0: no TLS. `domains` are names that phones may call this door by.
    """

    outside: str
    inside: str
    port: int
    tls_port: int = 0
    domains: frozenset[str] = frozenset()

    def is_here(self, uri: Uri) -> bool:
        """Whether a URI names this door, port and all."""
        port = uri.port or (5061 if uri.secure else 5060)
        return self.is_ours(uri.host) and port in (self.port, self.tls_port)

    def is_ours(self, host: str) -> bool:
        """Whether a host is this door's."""
        return host in (self.outside, self.inside) or host in self.domains

    def port_for(self, transport: str) -> int:
        """The door's own port for a transport."""
        return self.tls_port if transport == "TLS" else self.port


@dataclass(slots=True)
class Desk:
    """All that the door remembers. Every table is bounded: calls by `max_calls`, transactions by MAX_TRANSACTIONS."""

    place: Place
    secret: bytes
    max_calls: int
    max_call_s: float
    settings: EdgeSettings
    nonces: Nonces
    guard: Guard
    now: float = 0.0
    stopping: bool = False
    roster: Roster = field(default_factory=Roster)
    servers: dict[tuple[str, ...], Server] = field(default_factory=dict)
    clients: dict[tuple[str, str], Client] = field(default_factory=dict)
    calls: dict[tuple[str, str], Call] = field(default_factory=dict)
    relays: dict[tuple[str, str], Relay] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    bindings: Bindings = field(default_factory=Bindings)
    ledger: Ledger = field(default_factory=Ledger)
    calls_out_changed: bool = False
    trunk_addresses: dict[str, str] = field(default_factory=dict)
    timed: dict[int, Timed] = field(default_factory=dict)
    held: dict[int, Server] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=Counter)
    actions: list[Action] = field(default_factory=list)
    serial: int = 0

    def number(self) -> int:
        """A number never used before."""
        self.serial += 1
        return self.serial

    def count(self, what: str) -> None:
        """Adds one to a counter."""
        self.counters[what] += 1

    def send(self, data: bytes, to: Hop, instead: Hop | None = None) -> None:
        """Asks for bytes to be sent."""
        self.actions.append(Send(data, to, instead))

    def arm(self, thing: Timed, after_s: float) -> None:
        """Sets the one timer of a transaction or call; an earlier one means nothing from now on."""
        thing.due = self.now + after_s
        self.timed[thing.serial] = thing
        self.actions.append(Wake(thing.serial, after_s))

    def hears(self, source: Hop) -> bool:
        """Whether somebody there is answered outside of calls."""
        return self.roster.at(source) is not None or self.guard.welcomes(source.host, self.now)

    def full(self) -> bool:
        """Whether as many calls are up as there may be; calls older than this door count by their workers.

        First forgets calls that are older than a call may be: their BYE never came by.
        """
        while self.calls and (oldest := next(iter(self.calls.values()))).since + self.max_call_s < self.now:
            self.count("overdue")
            self.release(oldest)
        return len(self.calls) + self.roster.adopted() >= self.max_calls

    def no_more_relays(self) -> bool:
        """Whether as many dialogs are relayed as there may be; first forgets those whose BYE never came by."""
        while self.relays and (oldest := next(iter(self.relays.values()))).since + self.max_call_s < self.now:
            self.count("overdue")
            self.release_relay(oldest)
        return len(self.relays) >= self.max_calls * RELAYS_PER_CALL

    def answer(self, request: Request, reply_to: Hop, status: int, *extra: tuple[str, str]) -> bytes:
        """Sends the door's own response and keeps nothing; gives back its bytes."""
        data = response_to(request.headers, status, REASONS[status], *extra)
        self.send(data, reply_to)
        if status > 100:
            self.count(f"answered_{status}")
        return data

    def serve(self, request: Request, reply_to: Hop, key: tuple[str, ...]) -> Server:
        """Begins a server transaction."""
        server = Server(self.number(), request.method == "INVITE", key, request, reply_to)
        self.servers[key] = server
        return server

    def finish(self, server: Server, status: int, *extra: tuple[str, str]) -> None:
        """Ends a server transaction with the door's own final response."""
        if server.state is State.PROCEEDING:
            data = self.answer(server.request, server.reply_to, status, *extra)
            self.final(server, status, data)

    def final(self, server: Server, status: int, data: bytes) -> None:
        """Notes the final response sent and arms what RFC 3261 §17.2 has after it."""
        if not server.move(Signal.SUCCESS if status < 300 else Signal.FAILURE):
            return
        server.last = b"" if server.state is State.ACCEPTED else data  # the worker repeats its 2xx itself
        server.client = None
        server.request.headers, server.request.body = (), b""  # kept for 32 s and not needed any more
        self.held.pop(server.serial, None)
        udp = server.reply_to.transport == "UDP"
        server.expires = self.now + LIFE_S
        if server.invite and status >= 300:
            server.interval_s = T1_S
            self.arm(server, T1_S if udp else LIFE_S)
        elif server.invite or udp:
            self.arm(server, LIFE_S)
        else:
            self.drop_server(server)
        if status >= 300 and server.call is not None and server.call.server is server:
            self.release(server.call)
        if status >= 300 and server.relay is not None:
            self.release_relay(server.relay)

    def release(self, call: Call) -> None:
        """Forgets a call: it ended, was refused or was given up."""
        self.calls.pop(call.key, None)
        self.timed.pop(call.serial, None)
        if call.worker is not None and call.worker.call is call:
            call.worker.call = None

    def release_relay(self, relay: Relay) -> None:
        """Forgets a relayed dialog."""
        if self.relays.get(relay.key) is relay:
            del self.relays[relay.key]
            self.calls_out_changed |= relay.rule is not None
        self.timed.pop(relay.serial, None)
        if relay.worker is not None and relay in relay.worker.relays:
            relay.worker.relays.remove(relay)

    def drop_server(self, server: Server) -> None:
        """Forgets a server transaction."""
        server.state = State.GONE
        self.servers.pop(server.key, None)
        self.timed.pop(server.serial, None)

    def drop_client(self, client: Client) -> None:
        """Forgets a client transaction."""
        client.state = State.GONE
        self.clients.pop((client.branch, client.method), None)
        self.timed.pop(client.serial, None)
        if client.worker is not None and client.worker.last is client:
            client.worker.last = None

    def status(self) -> dict[str, object]:
        """What `ask: status` on the door's socket gives."""
        duties = Counter(worker.duty.value for worker in self.roster)
        return {
            "idle": duties["idle"], "claimed": duties["claimed"], "busy": duties["busy"], "calls": len(self.calls),
            "relays": len(self.relays), "accounts": len(self.accounts), "contacts": sum(1 for _ in self.bindings),
            "spent": dict(self.ledger.spent), "trunks": dict(self.trunk_addresses),
            "guard": self.guard.banned(self.now),
            "dialogs": sum(bool(call.worker_tag) for call in self.calls.values()), "held": len(self.held),
            "transactions": len(self.servers) + len(self.clients), "timers": len(self.timed),
            "max_calls": self.max_calls, "counters": dict(self.counters),
        }  # fmt: skip


def response_to(headers: Headers, status: int, reason: str, *extra: tuple[str, str]) -> bytes:
    """Builds a response from a request's headers (RFC 3261 §8.2.6); the same request always gets the same To tag."""
    copied = [(name, value) for name, value in headers if name in ("Via", "From", "To", "Call-ID", "CSeq")]
    if status > 100:
        tag = hashlib.blake2s(repr(copied).encode("utf-8", "replace"), digest_size=6).hexdigest()
        copied = [(n, f"{v};tag={tag}" if n == "To" and "tag=" not in v.lower() else v) for n, v in copied]
    return encode(f"SIP/2.0 {status} {reason}", [*copied, *extra])


def reply_hop(via: Via | None, source: Hop) -> Hop:
    """Where responses go (RFC 3261 §18.2.2, RFC 3581 §4).

    Without rport the port is the one in Via; yet where Via names another address than the packet came from there is a
    NAT between, and its port is the only one that leads back.
    """
    if source.transport != "UDP" or via is None or via.rport or via.host != source.host:
        return source
    return Hop("UDP", source.host, via.port or 5060)


def stamp(headers: Headers, source: Hop) -> Headers:
    """Writes `received` and `rport` into the top Via (RFC 3261 §18.2.1, RFC 3581 §4)."""
    place = next(i for i, (name, _) in enumerate(headers) if name == "Via")
    value = _RECEIVED.sub("", headers[place][1])
    value = _RPORT.sub(f";rport={source.port}", value) + f";received={source.host}"
    return (*headers[:place], ("Via", value), *headers[place + 1 :])
