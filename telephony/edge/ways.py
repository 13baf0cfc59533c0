"""Where a request inside a dialog goes: by the door's waymark, or a dialog that it remembers (RFC 3261 §16.4 to §16.6).

Only these open a way, so that the door relays for nobody else.
"""

from dataclasses import dataclass

from telephony.edge.desk import Desk
from telephony.edge.errors import MalformedError
from telephony.edge.events import Hop
from telephony.edge.grammar import read_address, read_params, read_uri, read_via
from telephony.edge.message import Request
from telephony.edge.transactions import Call, Relay
from telephony.edge.waymark import Mark, Side, seal, unseal


@dataclass(slots=True)
class Way:
    """One request's way: the hop, the hop instead, who is there and who sends, and the Route left over.

    `shift` is added to CSeq; `outward`: from the one who called to the one who was called.
    """

    to: Hop
    instead: Hop | None
    side: Side
    sender: Side
    routes: list[str]
    outward: bool
    shift: int = 0
    call: Call | None = None
    relay: Relay | None = None


def find(desk: Desk, request: Request, source: Hop) -> Way | None:
    """The way of a request that names a dialog; None where it knows no way."""
    routes = request.all("Route")
    mark: Mark | None = None
    caller_tag: str | None = None
    while routes:
        try:
            uri = read_address(routes[0]).uri
        except MalformedError:
            return None
        if not desk.place.is_here(uri):
            break
        if mark is None and (mark := unseal(desk.secret, request.call_id, uri.user)) is None:
            mark, caller_tag = _by_tag(desk, request, uri.user)
        routes.pop(0)
    relay = relay_of(desk, request)
    if relay is not None:
        mark, caller_tag = (
            Mark(relay.callee, relay.caller, relay.callee_side, relay.caller_side, relay.shift),
            relay.key[1],
        )
    if mark is not None and caller_tag is not None:
        return _of_relay(request, source, mark, routes, relay, outward=request.from_tag == caller_tag)
    call = call_of(desk, request)
    if mark is None and call is not None and call.worker is not None:
        mark = Mark(call.worker.hop, call.caller)
    return None if mark is None else _of_call(request, source, mark, call, routes)


def call_of(desk: Desk, request: Request) -> Call | None:
    """The worker's call a request inside a dialog belongs to, from either side; both tags must be right."""
    for caller_tag, worker_tag in ((request.from_tag, request.to_tag), (request.to_tag, request.from_tag)):
        call = desk.calls.get((request.call_id, caller_tag))
        if call is not None and call.worker_tag == worker_tag:
            return call
    return None


def relay_of(desk: Desk, request: Request) -> Relay | None:
    """The answered relay a request belongs to, from either side."""
    for caller_tag, callee_tag in ((request.from_tag, request.to_tag), (request.to_tag, request.from_tag)):
        relay = desk.relays.get((request.call_id, caller_tag))
        if relay is not None and relay.callee_tag == callee_tag:
            return relay
    return None


def hop_of(value: str) -> Hop | None:
    """Where a Route value or a URI leads; None for what is no SIP URI over UDP, TCP or TLS. Raises nothing."""
    text = value.partition("<")[2].partition(">")[0] if "<" in value else value
    try:
        uri = read_uri(text)
    except MalformedError:
        return None
    if uri.scheme not in ("sip", "sips") or uri.transport not in ("UDP", "TCP", "TLS"):
        return None
    return Hop("TLS", uri.host, uri.port or 5061) if uri.secure else Hop(uri.transport, uri.host, uri.port or 5060)


def behind(value: str) -> Hop | None:
    """Where the response to a request with this Via goes, as the one who took it has noted (RFC 3581 §4)."""
    via = read_via(value)
    params = read_params(value[value.index(";") :]) if ";" in value else {}
    port = params.get("rport") or str(via.port or 5060)
    host = params.get("received") or via.host
    return Hop(via.transport, host, int(port)) if port.isdigit() and via.transport in ("UDP", "TCP", "TLS") else None


def record_route(desk: Desk, dialog: str, mark: Mark) -> list[tuple[str, str]]:
    """One Record-Route, or two where the sides differ (RFC 5658), the callee's side on top."""
    sealed = seal(desk.secret, dialog, mark)
    upper = _side_uri(desk, sealed, mark.callee_side, mark.callee)
    lower = _side_uri(desk, sealed, mark.caller_side, mark.caller)
    return [("Record-Route", side) for side in ([upper] if upper == lower else [upper, lower])]


def dialog_name(call_id: str, caller_tag: str) -> str:
    """What seals a dialog whose direction is told by its tags."""
    return f"{call_id} {caller_tag}"


def _side_uri(desk: Desk, sealed: str, side: Side, hop: Hop) -> str:
    host = desk.place.inside if side is Side.WORKER else desk.place.outside
    transport = {"UDP": "", "TCP": ";transport=tcp", "TLS": ";transport=tls"}[hop.transport]
    return f"<sip:{sealed}@{host}:{desk.place.port_for(hop.transport)}{transport};lr>"


def _by_tag(desk: Desk, request: Request, waymark: str) -> tuple[Mark | None, str | None]:
    for tag in (request.from_tag, request.to_tag):
        mark = unseal(desk.secret, dialog_name(request.call_id, tag), waymark)
        if mark is not None:
            return mark, tag
    return None, None


def _of_call(request: Request, source: Hop, mark: Mark, call: Call | None, routes: list[str]) -> Way | None:
    """From the worker's own address to the caller, from everywhere else to that worker."""
    if source != mark.callee:
        if call is not None:
            call.caller = source
        return Way(mark.callee, None, Side.WORKER, mark.caller_side, routes, outward=True, call=call)
    if routes:
        to = hop_of(routes[0])
        return Way(to, to, mark.caller_side, Side.WORKER, routes, outward=False, call=call) if to else None
    to = call.caller if call else mark.caller
    return Way(to, hop_of(request.uri), mark.caller_side, Side.WORKER, routes, outward=False, call=call)


def _of_relay(
    request: Request, source: Hop, mark: Mark, routes: list[str], relay: Relay | None, *, outward: bool
) -> Way | None:
    """By the tags: the caller's leads to the callee and the other way round. A worker speaks from its own address only.

    A phone may have a new address: its NAT forgot the old one.
    """
    near, sender = (mark.caller, mark.caller_side) if outward else (mark.callee, mark.callee_side)
    to, side = (mark.callee, mark.callee_side) if outward else (mark.caller, mark.caller_side)
    if sender is Side.WORKER and source != near:
        return None
    if relay is not None and sender is Side.PHONE:
        relay.moved(source, caller=outward)
    direct = hop_of(request.uri)
    instead = direct if direct is not None and direct.host == to.host else None
    return Way(to, instead, side, sender, routes, outward, mark.shift if outward else 0, relay=relay)
