"""Requests that reach the front door: absorbed, answered, given to a worker, or passed on inside their dialog."""

from telephony.edge import clients, entrance, keyinfo, registrar, relays, ways
from telephony.edge.desk import ALLOW, MAX_TRANSACTIONS, RETRY_LATER, SUPPORTED, T4_S, Desk, reply_hop, stamp
from telephony.edge.dialplan import Trunk
from telephony.edge.events import Hop
from telephony.edge.grammar import read_via
from telephony.edge.message import Request, encode
from telephony.edge.sdp import without_keys
from telephony.edge.strict import KNOWN_METHODS
from telephony.edge.transactions import Call, Relay, Server, Signal, State
from telephony.edge.waymark import Side
from telephony.edge.ways import Way

_COOKIE = "z9hG4bK"
_ONLY_IN_DIALOG = frozenset(("BYE", "INFO", "PRACK", "UPDATE", "NOTIFY"))
_FOR_WORKERS = frozenset(("INVITE", "BYE", "INFO", "PRACK", "UPDATE"))


def receive(desk: Desk, request: Request, source: Hop) -> None:
    """Takes one request; every one but ACK gets exactly one final response."""
    reply_to = reply_hop(request.via, source)
    request.headers = stamp(request.headers, source)
    if desk.roster.at(source) is None:
        entrance.clean(request)
    key = key_of(request)
    server = desk.servers.get(key)
    if server is None and not desk.hears(source) and not (request.to_tag and ways.find(desk, request, source)):
        desk.count("unwelcome")  # who is not heard may at most end a call that is up
    elif request.method == "ACK":
        _ack(desk, request, source, server)
    elif request.method == "CANCEL":
        _cancel(desk, request, reply_to, server)
    elif server is not None:
        desk.count("retransmissions")
        if server.last and server.state is not State.CONFIRMED:
            desk.send(server.last, server.reply_to)
    elif _looped(desk, request):
        desk.answer(request, reply_to, 482)
    elif request.max_forwards == 0:
        desk.answer(request, reply_to, 483)
    elif len(desk.servers) >= MAX_TRANSACTIONS:
        desk.count("dropped_full")
        desk.answer(request, reply_to, 503, RETRY_LATER)
    elif request.to_tag:
        _inside_dialog(desk, request, source, reply_to, key)
    elif request.method == "INVITE":
        _new_call(desk, request, source, reply_to, key)
    elif request.method == "REGISTER" and desk.accounts:
        _register(desk, request, source, reply_to, key)
    else:
        _answer_here(desk, request, reply_to)


def key_of(request: Request) -> tuple[str, ...]:
    """What makes two requests one transaction (RFC 3261 §17.2.3); ACK and CANCEL find the INVITE they belong to."""
    via = request.via
    method = "INVITE" if request.method in ("ACK", "CANCEL") else request.method
    if via.branch.startswith(_COOKIE) and len(via.branch) > len(_COOKIE):
        return via.branch, f"{via.host}:{via.port}", method
    return request.uri, request.from_tag, request.call_id, str(request.cseq), str(via), method


def _looped(desk: Desk, request: Request) -> bool:
    """Whether one of the Via values is the door's own (RFC 3261 §16.3)."""
    for value in request.all("Via"):
        via = read_via(value)
        if via.branch.startswith(clients.MARK) and via.host in (desk.place.outside, desk.place.inside):
            return True
    return False


def _ack(desk: Desk, request: Request, source: Hop, server: Server | None) -> None:
    if server is not None and server.state is not State.ACCEPTED:
        if server.move(Signal.ACK):
            server.last = b""
            server.expires = desk.now + T4_S
            desk.arm(server, T4_S)
        return
    way = ways.find(desk, request, source)
    if way is None or request.max_forwards == 0 or _too_long(desk, request, way):
        desk.count("stray_acks")
        return
    mark = clients.branch(desk, "ack", key_of(request))
    headers = clients.inside(desk, request, way, mark)
    desk.send(encode(f"ACK {request.uri} SIP/2.0", headers, request.body), way.to, way.instead)


def _cancel(desk: Desk, request: Request, reply_to: Hop, server: Server | None) -> None:
    if server is None:
        desk.answer(request, reply_to, 481)
        return
    desk.answer(request, reply_to, 200)
    if server.state is not State.PROCEEDING or server.cancelled:
        return
    server.cancelled = True
    desk.count("cancelled")
    if server.relay is not None:
        relays.cancelled(desk, server.relay, server)
    elif server.client is None:
        desk.finish(server, 487)
    elif server.client.state is State.PROCEEDING:
        clients.cancel(desk, server.client)


def _register(desk: Desk, request: Request, source: Hop, reply_to: Hop, key: tuple[str, ...]) -> None:
    if unknown := _unknown_extensions(request):
        desk.answer(request, reply_to, 420, ("Unsupported", ", ".join(unknown)))
    else:
        registrar.register(desk, request, source, reply_to, key)


def _new_call(desk: Desk, request: Request, source: Hop, reply_to: Hop, key: tuple[str, ...]) -> None:
    dialog = request.call_id, request.from_tag
    if dialog in desk.calls or dialog in desk.relays:
        desk.answer(request, reply_to, 482)  # the same request by another way (RFC 3261 §8.2.2.2)
    elif unknown := _unknown_extensions(request):
        desk.answer(request, reply_to, 420, ("Unsupported", ", ".join(unknown)))
    elif desk.stopping or desk.no_more_relays():
        desk.count("full")
        desk.answer(request, reply_to, 503, RETRY_LATER)
    else:
        entrance.enter(desk, request, source, reply_to, key)


def _unknown_extensions(request: Request) -> list[str]:
    wanted = ",".join((*request.all("Require"), *request.all("Proxy-Require"))).split(",")
    return [tag.strip() for tag in wanted if tag.strip() and tag.strip().lower() not in SUPPORTED]


def _answer_here(desk: Desk, request: Request, reply_to: Hop) -> None:
    """Answers what no worker may see. REGISTER lands here where there are no accounts.

    A caller's REFER too: pjsua2 would call whatever number it names, at the hotline's expense.
    """
    if request.method == "OPTIONS":
        if unknown := _unknown_extensions(request):
            desk.answer(request, reply_to, 420, ("Unsupported", ", ".join(unknown)))
        else:
            supported = ("Supported", ", ".join(sorted(SUPPORTED)))
            desk.answer(request, reply_to, 200, ALLOW, ("Accept", "application/sdp"), supported)
    elif request.method in _ONLY_IN_DIALOG:
        desk.answer(request, reply_to, 481)
    else:
        desk.answer(request, reply_to, 405 if request.method in KNOWN_METHODS else 501, ALLOW)


def _inside_dialog(desk: Desk, request: Request, source: Hop, reply_to: Hop, key: tuple[str, ...]) -> None:
    way = ways.find(desk, request, source)
    if way is None:
        desk.answer(request, reply_to, 481)
        return
    if not _may_pass(request, way):
        _answer_here(desk, request, reply_to)
        return
    if _too_long(desk, request, way):
        desk.answer(request, reply_to, 513)
        return
    if way.side is Side.WORKER and request.method == "INFO" and not _is_key(desk, request, reply_to):
        return
    server = desk.serve(request, reply_to, key)
    if server.invite:
        server.last = desk.answer(request, reply_to, 100)
    worker = desk.roster.at(way.to) if way.side is Side.WORKER else None
    mark = clients.branch(desk, key, server.serial, desk.now)
    body = request.body if way.to.transport == "TLS" or way.sender is not Side.WORKER else without_keys(request.body)
    client = clients.start(
        desk, request.method, request.uri, clients.inside(desk, request, way, mark), way.to, mark=mark,
        cseq=request.cseq + way.shift, body=body, instead=way.instead, server=server, worker=worker,
    )  # fmt: skip
    client.relay, client.trunk = way.relay, _trunk_of(desk, way)
    if way.call is not None:
        _note_call(desk, request, way.call, outward=way.outward)
    if way.relay is not None:
        _note_relay(desk, request, way.relay, outward=way.outward)


def _too_long(desk: Desk, request: Request, way: Way) -> bool:
    some = clients.branch(desk, request.call_id)
    return way.side is Side.WORKER and clients.too_long(request, clients.inside(desk, request, way, some))


def _trunk_of(desk: Desk, way: Way) -> Trunk | None:
    """The trunk that a way leads to: it may ask for credentials again."""
    if way.side is not Side.TRUNK:
        return None
    names = [name for name, address in desk.trunk_addresses.items() if address == way.to.host]
    return desk.settings.plan.trunk(names[0]) if names else None


def _may_pass(request: Request, way: Way) -> bool:
    """What may be said in a dialog. A REFER would have a worker or trunk call anybody; between phones it is theirs."""
    if way.sender is Side.WORKER or (way.sender is Side.PHONE and way.side is Side.PHONE):
        return True
    if request.method == "NOTIFY":  # how a REFER of the worker's goes on (RFC 3515 §2.4.4)
        return request.get("Event").partition(";")[0].strip().lower() == "refer"
    return request.method in _FOR_WORKERS


def _note_call(desk: Desk, request: Request, call: Call, *, outward: bool) -> None:
    if not outward:
        call.worker_cseq = max(call.worker_cseq, request.cseq)
    elif request.method in ("INVITE", "UPDATE"):
        call.caller_contact = clients.contact(request) or call.caller_contact
    if request.method == "BYE":
        desk.release(call)


def _note_relay(desk: Desk, request: Request, relay: Relay, *, outward: bool) -> None:
    fresh = clients.contact(request) if request.method in ("INVITE", "UPDATE") else ""
    if outward:
        relay.caller_cseq = max(relay.caller_cseq, request.cseq)
        relay.caller_contact = fresh or relay.caller_contact
    else:
        relay.callee_cseq = max(relay.callee_cseq, request.cseq)
        relay.callee_contact = fresh or relay.callee_contact
    if request.method == "BYE":
        desk.release_relay(relay)


def _is_key(desk: Desk, request: Request, reply_to: Hop) -> bool:
    """Whether an INFO brings a key, then in its plain form; else it is answered: all other INFO is not for workers."""
    kind = request.get("Content-Type")
    if not request.body:
        desk.answer(request, reply_to, 200)  # a sign of life (RFC 2976 section 2.2)
    elif not keyinfo.is_key_type(kind):
        desk.answer(request, reply_to, 415, keyinfo.ACCEPT)
    elif (body := keyinfo.relay_body(kind, request.body)) is None:
        desk.answer(request, reply_to, 400)
    else:
        request.body = body
        rest = [(name, value) for name, value in request.headers if name != "Content-Type"]
        request.headers = (*rest, ("Content-Type", keyinfo.RELAY))
        return True
    return False
