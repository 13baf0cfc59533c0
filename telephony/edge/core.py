"""The front door's core: one event in, actions out. No clock, no I/O, and no input makes it raise."""

from telephony.edge import calls, clients, keptcalls, registrar, relays, requests, responses
from telephony.edge.bindings import Binding
from telephony.edge.desk import ALLOW, RETRY_LATER, T2_S, Desk, Place, reply_hop, response_to, stamp
from telephony.edge.events import (
    AccountsAre,
    Action,
    CallsOutBefore,
    Closed,
    Event,
    Fired,
    Hop,
    Received,
    Restored,
    SpentBefore,
    Stopping,
    TrunkAt,
    WorkerGone,
    WorkerSaid,
)
from telephony.edge.guard import Guard
from telephony.edge.message import Refusal, Request, Response, Silence
from telephony.edge.nonces import Nonces
from telephony.edge.settings import EdgeSettings
from telephony.edge.transactions import Call, Client, Relay, Server, State, Timed


class Core:
    """Transactions, calls and workers of one door.

    `secret` seals the waymarks in Record-Route: the same after a restart, or live calls lose their way.
    """

    def __init__(
        self, place: Place, secret: bytes, max_calls: int, max_call_s: float, settings: EdgeSettings | None = None
    ) -> None:
        settings = settings or EdgeSettings()
        nonces = Nonces(secret, settings.salt)
        self._desk = Desk(place, secret, max_calls, max_call_s, settings, nonces, Guard(settings.guard))

    def admits(self, source: Hop, now: float) -> bool:
        """Whether a message from there is worth reading: who floods the door is not read at all. Counts the message."""
        if self._desk.roster.at(source) is not None or self._desk.guard.admits(source.host, now):
            return True
        self._desk.count("flooded")
        return False

    def step(self, event: Event, now: float) -> list[Action]:
        """Takes one event at `now` seconds of a clock that never goes back; what it asks for is to be done in order."""
        desk = self._desk
        desk.now = now
        match event:
            case Received(message, source):
                self._received(message, source)
            case Fired(timer):
                if (thing := desk.timed.get(timer)) is not None and thing.due <= now + 0.001:
                    self._fired(thing)
            case WorkerSaid(pid, slot, hop, idle):
                desk.roster.say(pid, slot, hop, idle)
                if idle:
                    calls.serve_held(desk)
            case WorkerGone(pid):
                if (worker := desk.roster.remove(pid)) is not None:
                    calls.worker_gone(desk, worker)
            case Closed(hop):
                registrar.connection_gone(desk, hop)
                relays.unreachable(desk, hop)
            case Stopping():
                desk.stopping = True
                calls.refuse_held(desk)
            case _:
                self._learn(event)
        if desk.calls_out_changed:
            desk.calls_out_changed = False
            desk.actions.append(keptcalls.told(desk))
        actions, desk.actions = desk.actions, []
        return actions

    def welcomes(self, source: Hop, now: float) -> bool:
        """Whether a connection from there is worth having."""
        return self._desk.guard.welcomes(source.host, now)

    def status(self) -> dict[str, object]:
        """Counts of everything, for people and benchmarks."""
        return self._desk.status()

    @property
    def unanswered(self) -> int:
        """Calls that have not been answered or refused yet."""
        return sum(not call.worker_tag for call in self._desk.calls.values())

    def _learn(self, event: Event) -> None:
        """Takes what the shell has found out."""
        desk = self._desk
        match event:
            case AccountsAre(accounts):
                desk.accounts = accounts
                registrar.accounts_changed(desk)
            case Restored(contacts):
                registrar.restore(desk, contacts)
            case TrunkAt(trunk, address):
                desk.trunk_addresses[trunk] = address
                desk.guard.trunks = frozenset(desk.trunk_addresses.values())
            case SpentBefore(day, amounts):
                desk.ledger.turn_to(day)
                desk.ledger.spent.update(amounts)
            case CallsOutBefore(outside):
                keptcalls.restore(desk, outside)

    def _received(self, message: Request | Response | Refusal | Silence, source: Hop) -> None:
        desk = self._desk
        match message:
            case Request():
                desk.count("requests")
                requests.receive(desk, message, source)
            case Response():
                desk.count("responses")
                responses.receive(desk, message, source)
            case Refusal() if not desk.hears(source):
                desk.count("unwelcome")
            case Refusal(status, reason, headers, via):
                desk.count(f"refused_{status}")
                stamped = stamp(headers, source) if via is not None else headers
                extra = (ALLOW,) if status == 501 else ()
                desk.send(response_to(stamped, status, reason, *extra), reply_hop(via, source))
            case Silence(why):
                desk.count(why)

    def _fired(self, thing: Timed) -> None:
        desk = self._desk
        match thing:
            case Server():
                self._server_due(thing)
            case Client(state=State.CALLING | State.PROCEEDING) if desk.now < thing.expires - 0.001:
                clients.repeat(desk, thing)
            case Client(state=State.CALLING | State.PROCEEDING):
                calls.give_up(desk, thing)
            case Client():
                desk.drop_client(thing)
            case Call():
                calls.call_due(desk, thing)
            case Relay():
                relays.due(desk, thing)
            case Binding():
                registrar.expired(desk, thing)

    def _server_due(self, server: Server) -> None:
        desk = self._desk
        if server.state is State.PROCEEDING:
            if server.client is None and server.relay is None:  # held, and no worker came free
                desk.finish(server, 503, RETRY_LATER)
        elif server.state is State.COMPLETED and desk.now < server.expires and server.invite:
            desk.send(server.last, server.reply_to)  # timer G
            server.interval_s = min(server.interval_s * 2, T2_S)
            desk.arm(server, server.interval_s)
        else:
            desk.drop_server(server)
