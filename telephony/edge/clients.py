"""Requests that the door sends: passed on, or its own ACK, CANCEL and BYE (RFC 3261 §9, §16.6, §17.1)."""

import hashlib

from telephony.edge.desk import LIFE_S, T1_S, T2_S, TIMER_C_S, WORKER_REPEAT_S, Desk
from telephony.edge.errors import MalformedError
from telephony.edge.events import Hop
from telephony.edge.grammar import read_address
from telephony.edge.message import Request, Response, encode
from telephony.edge.roster import Worker
from telephony.edge.transactions import Client, Server, Signal, State
from telephony.edge.waymark import Side
from telephony.edge.ways import Way

WORKER_READS_BYTES = 3950  # pjsip cuts off what is longer than 4000, and then misreads it
MARK = "z9hG4bK-hotline-"
TOO_LATE = ("Reason", 'SIP;cause=487;text="answered too late"')
_DIALOG = frozenset(("Route", "From", "To", "Call-ID"))


def branch(desk: Desk, *seed: object) -> str:
    """A branch that nobody can guess; the same for the same seed."""
    text = repr(seed).encode("utf-8", "surrogateescape")
    return MARK + hashlib.blake2s(text, key=desk.secret, digest_size=12).hexdigest()


def via(desk: Desk, to: Hop, inside: bool, mark: str) -> tuple[str, str]:
    """The door's own Via; rport towards callers, who may sit behind a NAT (RFC 3581)."""
    host = desk.place.inside if inside else desk.place.outside
    port = desk.place.port_for(to.transport)
    return "Via", f"SIP/2.0/{to.transport} {host}:{port};branch={mark}" + ("" if inside else ";rport")


def too_long(request: Request, headers: list[tuple[str, str]]) -> bool:
    """Whether a request passed on with these headers is longer than a worker can read."""
    return len(encode(f"{request.method} {request.uri} SIP/2.0", headers, request.body)) > WORKER_READS_BYTES


def outgoing(request: Request, top: list[tuple[str, str]], routes: list[str]) -> list[tuple[str, str]]:
    """The headers of a request passed on: ours on top, the Route that is left, one hop less."""
    rest = [(n, v) for n, v in request.headers if n not in ("Route", "Max-Forwards")]
    return [*top, *(("Route", r) for r in routes), ("Max-Forwards", str(request.max_forwards - 1)), *rest]


def inside(desk: Desk, request: Request, way: Way, mark: str) -> list[tuple[str, str]]:
    """The headers of a request passed on inside a dialog."""
    headers = outgoing(request, [via(desk, way.to, way.side is Side.WORKER, mark)], way.routes)
    if not way.shift:
        return headers
    return [(name, _shifted(value, way.shift) if name in ("CSeq", "RAck") else value) for name, value in headers]


def _shifted(value: str, shift: int) -> str:
    """CSeq, or RAck (RFC 3262 §7.2), with the INVITE's number as the callee knows it."""
    *before, number, method = value.split()
    return " ".join((*before, str(int(number) + shift), method)) if number.isdigit() else value


def start(
    desk: Desk,
    method: str,
    uri: str,
    headers: list[tuple[str, str]],
    to: Hop,
    *,
    mark: str,
    cseq: int,
    body: bytes = b"",
    instead: Hop | None = None,
    server: Server | None = None,
    worker: Worker | None = None,
    give_up_s: float = LIFE_S,
) -> Client:
    """Sends a request and keeps at it until it is answered or `give_up_s` is over."""
    wire = encode(f"{method} {uri} SIP/2.0", headers, body)
    kept = tuple((name, value) for name, value in headers if name in _DIALOG)
    client = Client(
        desk.number(),
        method == "INVITE",
        mark,
        method,
        uri,
        (headers[0], *kept),
        wire,
        to,
        instead,
        cseq,
        server,
        worker,
    )
    client.state = State.CALLING
    client.expires = desk.now + give_up_s
    client.interval_s = WORKER_REPEAT_S if give_up_s < T1_S * 2 else T1_S
    desk.clients[mark, method] = client
    desk.send(wire, to, instead)
    desk.arm(client, min(client.interval_s, give_up_s) if to.transport == "UDP" else give_up_s)
    if server is not None:
        server.client = client
    if worker is not None:
        worker.last = client
    return client


def repeat(desk: Desk, client: Client) -> None:
    """Sends once more, timers A and E."""
    desk.send(client.wire, client.to, client.instead)
    desk.count("repeated")
    longest = LIFE_S if client.invite else T2_S
    client.interval_s = T2_S if client.state is State.PROCEEDING else min(client.interval_s * 2, longest)
    desk.arm(client, min(client.interval_s, max(client.expires - desk.now, 0.0)))


def heard(desk: Desk, client: Client, status: int) -> bool:
    """Moves a client transaction by a response; False where the response comes out of place."""
    signal = Signal.PROVISIONAL if status < 200 else Signal.SUCCESS if status < 300 else Signal.FAILURE
    before = client.state
    if not client.move(signal):
        return False
    if client.state is State.GONE:
        desk.drop_client(client)
    elif client.state is State.PROCEEDING and client.invite:
        client.expires = desk.now + (LIFE_S if client.tidied else TIMER_C_S)
        desk.arm(client, client.expires - desk.now)
    elif client.state is not before:
        client.wire = b""
        if client.state is State.ACCEPTED:
            client.headers = ()
        client.expires = desk.now + LIFE_S
        desk.arm(client, LIFE_S)
    return True


def abandon(desk: Desk, client: Client) -> None:
    """Goes on without the answer; what still comes is tidied up."""
    if client.move(Signal.ABANDON):
        client.server = None
        client.expires = desk.now + LIFE_S
        desk.arm(client, LIFE_S)


def acknowledge(desk: Desk, client: Client, response: Response) -> None:
    """Acknowledges a final response other than 2xx hop by hop (RFC 3261 §17.1.1.3)."""
    headers = [client.headers[0], *_dialog(client, response.get("To"))]
    headers += [("CSeq", f"{client.cseq} ACK"), ("Max-Forwards", "70")]
    desk.send(encode(f"ACK {client.uri} SIP/2.0", headers), client.to, client.instead)


def cancel(desk: Desk, client: Client) -> None:
    """Cancels an INVITE that has been answered provisionally, once (RFC 3261 §9.1)."""
    if client.tidied:
        return
    client.tidied = True
    headers = [client.headers[0], *_dialog(client), ("CSeq", f"{client.cseq} CANCEL"), ("Max-Forwards", "70")]
    start(desk, "CANCEL", client.uri, headers, client.to, mark=client.branch, cseq=client.cseq)
    client.expires = desk.now + LIFE_S
    desk.arm(client, LIFE_S)


def hang_up_late(desk: Desk, client: Client, response: Response) -> None:
    """Acknowledges and ends a call that was answered after the door had gone on without it (Reason: RFC 3326)."""
    target = contact(response) or client.uri
    recorded = response.all("Record-Route")
    ours = next((place for place, value in enumerate(recorded) if is_own_route(desk, value)), 0)
    dialog = [*(("Route", route) for route in recorded[:ours][::-1]), *_dialog(client, response.get("To"))]
    mark = branch(desk, client.branch, "late")
    ack = [
        via(desk, client.to, client.worker is not None, mark),
        *dialog,
        ("CSeq", f"{client.cseq} ACK"),
        ("Max-Forwards", "70"),
    ]
    desk.send(encode(f"ACK {target} SIP/2.0", ack), client.to, client.instead)
    if not client.hung_up:
        client.hung_up = True
        headers = [ack[0], *dialog, ("CSeq", f"{client.cseq + 1} BYE"), ("Max-Forwards", "70"), TOO_LATE]
        start(desk, "BYE", target, headers, client.to, mark=mark, cseq=client.cseq + 1, instead=client.instead)


def hang_up_stray(desk: Desk, response: Response, to: Hop, *, inside: bool) -> None:
    """Acknowledges and ends a call that was answered though nobody waits; the answer has all that is needed."""
    target = contact(response)
    mark = branch(desk, response.via.branch, response.to_tag, "stray")
    dialog = [(name, response.get(name)) for name in ("From", "To", "Call-ID")]
    top = [via(desk, to, inside, mark), *dialog, ("Max-Forwards", "70")]
    desk.send(encode(f"ACK {target} SIP/2.0", [*top, ("CSeq", f"{response.cseq} ACK")]), to)
    if (mark, "BYE") not in desk.clients:
        headers = [*top, ("CSeq", f"{response.cseq + 1} BYE"), TOO_LATE]
        start(desk, "BYE", target, headers, to, mark=mark, cseq=response.cseq + 1)


def let_go(desk: Desk, client: Client) -> None:
    """Cancels an INVITE and goes on without its answer."""
    if client.state is State.PROCEEDING:
        cancel(desk, client)
    abandon(desk, client)


def passed_on(response: Response, cseq: int) -> bytes:
    """A response without the door's own Via, and with the CSeq of the request it answers here (RFC 3261 §16.7)."""
    headers = list(response.headers)
    del headers[next(i for i, (name, _) in enumerate(headers) if name == "Via")]
    if cseq != response.cseq:
        headers = [(n, f"{cseq} {response.cseq_method}" if n == "CSeq" else value) for n, value in headers]
    return encode(f"SIP/2.0 {response.status} {response.reason}", headers, response.body)


def is_own_route(desk: Desk, value: str) -> bool:
    """Whether a Record-Route value is the door's."""
    try:
        return desk.place.is_here(read_address(value).uri)
    except MalformedError:
        return False


def contact(message: Request | Response) -> str:
    """The URI of the Contact header, empty where there is none."""
    return uri_in(message.get("Contact"))


def uri_in(value: str) -> str:
    """The URI in a From, To or Contact."""
    if "<" in value:
        return value.partition("<")[2].partition(">")[0]
    return value.partition(";")[0].strip()


def _dialog(client: Client, to: str = "") -> list[tuple[str, str]]:
    return [(name, to if to and name == "To" else value) for name, value in client.headers[1:]]
