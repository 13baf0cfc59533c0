"""Requests that reach the front door: absorbed, answered, given to a worker, or passed on inside their dialog."""

from telephony.edge import calls, clients, keyinfo
from telephony.edge.desk import ALLOW, MAX_TRANSACTIONS, SUPPORTED, T4_S, Desk, reply_hop, stamp
from telephony.edge.errors import MalformedError
from telephony.edge.events import Hop
from telephony.edge.grammar import read_address, read_via
from telephony.edge.message import Request, encode
from telephony.edge.strict import KNOWN_METHODS
from telephony.edge.transactions import Call, Server, Signal, State
from telephony.edge.waymark import unseal

_COOKIE = "z9hG4bK"
_ONLY_IN_DIALOG = frozenset(("BYE", "INFO", "PRACK", "UPDATE", "NOTIFY"))
_FOR_WORKERS = frozenset(("INVITE", "BYE", "INFO", "PRACK", "UPDATE"))


def receive(desk: Desk, request: Request, source: Hop) -> None:
    """Takes one request; every one but ACK gets exactly one final response."""
    reply_to = reply_hop(request.via, source)
    request.headers = stamp(request.headers, source)
    key = key_of(request)
    server = desk.servers.get(key)
    if request.method == "ACK":
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
        desk.answer(request, reply_to, 503, calls.RETRY_LATER)
    elif request.to_tag:
        _inside_dialog(desk, request, source, reply_to, key)
    elif request.method == "INVITE":
        _new_call(desk, request, source, reply_to, key)
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
    way = _way(desk, request, source)
    if way is None or request.max_forwards == 0:
        desk.count("stray_acks")
        return
    to, instead, inside, routes = way
    mark = clients.branch(desk, "ack", key_of(request))
    headers = clients.outgoing(request, [clients.via(desk, to, inside, mark)], routes)
    desk.send(encode(f"ACK {request.uri} SIP/2.0", headers, request.body), to, instead)


def _cancel(desk: Desk, request: Request, reply_to: Hop, server: Server | None) -> None:
    if server is None:
        desk.answer(request, reply_to, 481)
        return
    desk.answer(request, reply_to, 200)
    if server.state is not State.PROCEEDING or server.cancelled:
        return
    server.cancelled = True
    desk.count("cancelled")
    if server.client is None:
        desk.finish(server, 487)
    elif server.client.state is State.PROCEEDING:
        clients.cancel(desk, server.client)


def _new_call(desk: Desk, request: Request, source: Hop, reply_to: Hop, key: tuple[str, ...]) -> None:
    if (request.call_id, request.from_tag) in desk.calls:
        desk.answer(request, reply_to, 482)  # the same request by another way (RFC 3261 §8.2.2.2)
    elif unknown := _unknown_extensions(request):
        desk.answer(request, reply_to, 420, ("Unsupported", ", ".join(unknown)))
    elif desk.stopping or desk.full():
        desk.count("full")
        desk.answer(request, reply_to, 503, calls.RETRY_LATER)
    else:
        server = _serve(desk, request, reply_to, key)
        server.last = desk.answer(request, reply_to, 100)
        calls.begin(desk, server, source)


def _serve(desk: Desk, request: Request, reply_to: Hop, key: tuple[str, ...]) -> Server:
    server = Server(desk.number(), request.method == "INVITE", key, request, reply_to)
    desk.servers[key] = server
    return server


def _unknown_extensions(request: Request) -> list[str]:
    wanted = ",".join((*request.all("Require"), *request.all("Proxy-Require"))).split(",")
    return [tag.strip() for tag in wanted if tag.strip() and tag.strip().lower() not in SUPPORTED]


def _answer_here(desk: Desk, request: Request, reply_to: Hop) -> None:
    """Answers what no worker may see. REGISTER lands here until there is a registrar to give it to.

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
    way = _way(desk, request, source)
    if way is None:
        desk.answer(request, reply_to, 481)
        return
    to, instead, inside, routes = way
    if inside and request.method not in _FOR_WORKERS:
        _answer_here(desk, request, reply_to)
        return
    if inside and request.method == "INFO" and not _is_key(desk, request, reply_to):
        return
    server = _serve(desk, request, reply_to, key)
    if server.invite:
        server.last = desk.answer(request, reply_to, 100)
    call = _call_of(desk, request)
    worker = call.worker if call and inside else None
    mark = clients.branch(desk, key, server.serial, desk.now)
    headers = clients.outgoing(request, [clients.via(desk, to, inside, mark)], routes)
    clients.start(
        desk, request.method, request.uri, headers, to, mark=mark, cseq=request.cseq, body=request.body,
        instead=instead, server=server, worker=worker,
    )  # fmt: skip
    if call is None:
        return
    if not inside:
        call.worker_cseq = max(call.worker_cseq, request.cseq)
    elif request.method in ("INVITE", "UPDATE"):
        call.caller_contact = clients.contact(request) or call.caller_contact
    if request.method == "BYE":
        desk.release(call)


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


def _call_of(desk: Desk, request: Request) -> Call | None:
    """The call a request inside a dialog belongs to, from either side; both tags must be right."""
    for caller_tag, worker_tag in ((request.from_tag, request.to_tag), (request.to_tag, request.from_tag)):
        call = desk.calls.get((request.call_id, caller_tag))
        if call is not None and call.worker_tag == worker_tag:
            return call
    return None


def _way(desk: Desk, request: Request, source: Hop) -> tuple[Hop, Hop | None, bool, list[str]] | None:
    """Where a request inside a dialog goes: hop, the hop instead, whether inwards, and the Route left over.

    Only a waymark of this door or a call it knows opens a way, so that the door relays for nobody else. From the
    worker's own address it leads to the caller, from everywhere else to that worker (RFC 3261 §16.4 to §16.6).
    """
    routes = request.all("Route")
    ends: tuple[Hop, Hop] | None = None
    while routes:
        try:
            uri = read_address(routes[0]).uri
        except MalformedError:
            return None
        if not desk.place.is_here(uri):
            break
        ends = ends or unseal(desk.secret, request.call_id, uri.user)
        routes.pop(0)
    call = _call_of(desk, request)
    if ends is None and call is not None and call.worker is not None:
        ends = call.worker.hop, call.caller
    if ends is None:
        return None
    worker, caller = ends
    if source != worker:
        if call is not None:
            call.caller = source
        return worker, None, True, routes
    if routes:
        to = calls.hop_of(routes[0])
        return (to, to, False, routes) if to else None
    return (call.caller if call else caller), calls.hop_of(request.uri), False, routes
