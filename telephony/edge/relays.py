"""Dialogs that the door relays to phones and trunks: begin, fork, answer, end (RFC 3261 §16.6 to §16.10).

An INVITE goes to all contacts at once. The first 2xx wins and the others are cancelled; what answers too late is hung
up by the door. Without any 2xx the caller gets the best refusal.
"""

from dataclasses import dataclass, replace

from telephony.edge import clients, trunks
from telephony.edge.desk import WORKER_LOST_S, Desk
from telephony.edge.dialplan import Rule, Trunk
from telephony.edge.events import Hop
from telephony.edge.message import REASONS, Headers, Request, Response
from telephony.edge.roster import Worker
from telephony.edge.sdp import without_keys
from telephony.edge.transactions import Client, Relay, Server, Signal, State
from telephony.edge.waymark import Mark, Side
from telephony.edge.ways import dialog_name, hop_of, record_route

SILENT_PHONE_S = 6.0  # a phone that says nothing at all in this time is not there
_CHOSEN_FIRST = {
    401: 0,
    407: 0,
    415: 1,
    420: 1,
    484: 1,
    486: 2,
}  # RFC 3261 §16.7 step 6; and busy tells more than absent
WORKER_LOST = ("Reason", 'SIP;cause=500;text="worker lost"')


@dataclass(frozen=True, slots=True)
class Target:
    """One place to ring: what to ask for, where to send it, and where to instead when that connection is gone."""

    uri: str
    hop: Hop
    side: Side
    instead: Hop | None = None
    trunk: Trunk | None = None


def begin(
    desk: Desk, server: Server, source: Hop, side: Side, targets: list[Target],
    worker: Worker | None = None, user: str = "", rule: Rule | None = None,
) -> Relay:  # fmt: skip
    """Rings every target for a new INVITE."""
    request = server.request
    relay = Relay(
        desk.number(), (request.call_id, request.from_tag), source, side, request.get("From"),
        clients.contact(request), request.all("Record-Route"), request.cseq, desk.now, server, worker, user, rule=rule,
    )  # fmt: skip
    server.relay = relay
    desk.relays[relay.key] = relay
    if worker is not None:
        worker.relays.append(relay)
    desk.count("relayed")
    for target in targets:
        _ring(desk, server, relay, target)
    return relay


def _ring(desk: Desk, server: Server, relay: Relay, target: Target) -> None:
    request = server.request
    mark = clients.branch(desk, server.key, server.serial, target, desk.number())
    body = request.body if target.hop.transport == "TLS" else without_keys(request.body)
    way = Mark(target.hop, relay.caller, target.side, relay.caller_side)
    top = [clients.via(desk, target.hop, False, mark)]
    top += record_route(desk, dialog_name(*relay.key), way)
    client = clients.start(
        desk, "INVITE", target.uri, _headers(request, top, target), target.hop, mark=mark, cseq=request.cseq,
        body=body, instead=target.instead, server=server, give_up_s=SILENT_PHONE_S,
    )  # fmt: skip
    client.side, client.relay, client.trunk = target.side, relay, target.trunk
    relay.branches.append(client)


def _headers(request: Request, top: list[tuple[str, str]], target: Target) -> list[tuple[str, str]]:
    """The headers for one target. A trunk learns nothing of the house, and the number that it is to show."""
    headers = clients.outgoing(request, top, [])
    if target.trunk is None:
        return headers
    headers = [pair for pair in headers if not pair[0].lower().startswith("x-hotline-")]
    if not target.trunk.caller_id:
        return headers
    sender = f"<sip:{target.trunk.caller_id}@{target.trunk.host}>;tag={request.from_tag}"
    return [(name, sender if name == "From" else value) for name, value in headers]


def heard(desk: Desk, relay: Relay, server: Server, client: Client, response: Response, data: bytes) -> None:
    """A response to one of the branches; `data` is it as the caller is to get it."""
    if relay.callee_tag:
        if client.state is State.ACCEPTED and response.to_tag == relay.callee_tag:
            desk.send(data, server.reply_to)  # a 2xx repeated
        elif 200 <= response.status < 300:
            clients.hang_up_stray(desk, response, client.to, inside=False)  # a second phone behind the one that won
        return
    if response.status < 200:
        if response.status > 100 and server.move(Signal.PROVISIONAL):
            server.last = data
            desk.send(data, server.reply_to)
    elif response.status < 300:
        _answered(desk, relay, client, response)
        desk.send(data, server.reply_to)
        desk.final(server, response.status, data)
    else:
        if client.side is Side.TRUNK and response.status in (401, 407):
            desk.count("trunk_refuses_password")
            response = replace(response, status=503, reason=REASONS[503], headers=_without_challenge(response))
        relay.best = _better(relay.best, response)
        _over(desk, relay, server, client, everywhere=response.status >= 600)


def _without_challenge(response: Response) -> Headers:
    return tuple(pair for pair in response.headers if "-Authenticate" not in pair[0])


def silent(desk: Desk, relay: Relay, server: Server, client: Client) -> None:
    """A branch was not answered in its time."""
    clients.let_go(desk, client)
    _over(desk, relay, server, client)


def cancelled(desk: Desk, relay: Relay, server: Server) -> None:
    """The caller gave up: it is answered at once, whatever the phones say still."""
    _let_all_go(desk, relay)
    desk.finish(server, 487)


def unreachable(desk: Desk, hop: Hop) -> None:
    """A connection is gone or could not be made: branches over it that nothing was heard from are over."""
    for relay in list(desk.relays.values()):
        for client in [one for one in relay.branches if hop in (one.to, one.instead) and one.state is State.CALLING]:
            if relay.server is not None:
                silent(desk, relay, relay.server, client)


def worker_gone(desk: Desk, worker: Worker) -> None:
    """Arms the end of what a lost worker had rung or called."""
    for relay in worker.relays:
        desk.arm(relay, WORKER_LOST_S)


def due(desk: Desk, relay: Relay) -> None:
    """The time of a relay is up, or its worker is lost: both ends that are there get BYE."""
    lost = relay.worker is not None and relay.worker.gone
    if relay.server is None and relay.rule is not None and not lost and trunks.minute_over(desk, relay, relay.rule):
        return
    if relay.server is not None:
        _let_all_go(desk, relay)
        desk.finish(relay.server, 408)
    elif lost:
        desk.count("byes_for_workers")
        _bye(desk, relay, WORKER_LOST, to_callee=True)
    else:
        for to_callee in (True, False):
            _bye(desk, relay, ("Reason", 'SIP;cause=503;text="maximum duration"'), to_callee=to_callee)
    desk.release_relay(relay)


def _answered(desk: Desk, relay: Relay, client: Client, response: Response) -> None:
    recorded = response.all("Record-Route")
    ours = next((i for i, value in enumerate(recorded) if clients.is_own_route(desk, value)), len(recorded))
    relay.callee, relay.callee_side, relay.trunk = client.to, client.side, client.trunk
    relay.callee_party, relay.callee_tag = response.get("To"), response.to_tag
    relay.callee_contact = clients.contact(response)
    relay.callee_routes = recorded[:ours][::-1]
    relay.branches.remove(client)
    _let_all_go(desk, relay)
    relay.server = None
    desk.count("relays_answered")
    if relay.rule is not None:
        trunks.answered(desk, relay, relay.rule)


def _over(desk: Desk, relay: Relay, server: Server, client: Client, *, everywhere: bool = False) -> None:
    """One branch has ended without an answer; after the last one the caller learns the best refusal."""
    if client in relay.branches:
        relay.branches.remove(client)
    if everywhere:
        _let_all_go(desk, relay)
    if relay.branches or server.state is not State.PROCEEDING:
        return
    if relay.best is None:
        desk.finish(server, 408)
        return
    data = clients.passed_on(relay.best, server.request.cseq)
    desk.send(data, server.reply_to)
    desk.final(server, relay.best.status, data)


def _let_all_go(desk: Desk, relay: Relay) -> None:
    for client in relay.branches:
        clients.let_go(desk, client)
    relay.branches.clear()


def _better(one: Response | None, other: Response) -> Response:
    """Of two refusals the one to tell (RFC 3261 §16.7 step 6): 6xx, then the lowest class, then what says most."""
    return other if one is None or _rank(other.status) < _rank(one.status) else one


def _rank(status: int) -> tuple[int, int]:
    return (0 if status >= 600 else status // 100, _CHOSEN_FIRST.get(status, 3))


def _bye(desk: Desk, relay: Relay, reason: tuple[str, str], *, to_callee: bool) -> None:
    """Ends a dialog in the name of the other end (RFC 3261 §15.1.1)."""
    if to_callee:
        hop, routes, uri, cseq = (
            relay.callee,
            relay.callee_routes,
            relay.callee_contact,
            relay.caller_cseq + relay.shift,
        )
        parties = [("From", relay.caller_party), ("To", relay.callee_party)]
    else:
        hop, routes, uri, cseq = relay.caller, relay.caller_routes, relay.caller_contact, relay.callee_cseq
        parties = [("From", relay.callee_party), ("To", relay.caller_party)]
    inside = not to_callee and relay.caller_side is Side.WORKER
    mark = clients.branch(desk, relay.key, relay.serial, to_callee, desk.now)
    headers = [
        clients.via(desk, hop, inside, mark), *(("Route", route) for route in routes), ("Max-Forwards", "70"), *parties,
        ("Call-ID", relay.key[0]), ("CSeq", f"{cseq + 1} BYE"), reason,
    ]  # fmt: skip
    client = clients.start(desk, "BYE", uri, headers, hop, mark=mark, cseq=cseq + 1, instead=hop_of(uri))
    if to_callee:
        client.relay, client.trunk = relay, relay.trunk
