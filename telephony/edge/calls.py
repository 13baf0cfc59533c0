"""New calls and their workers: give, go on to another, hold, give up, and clear up after a lost one."""

from telephony.edge import clients, relays
from telephony.edge.desk import (
    HOLD_S,
    MAX_TRIES,
    RETRY_LATER,
    SILENT_WORKER_S,
    WORKER_LOST_S,
    Desk,
)
from telephony.edge.events import Hop
from telephony.edge.message import Request
from telephony.edge.roster import Worker
from telephony.edge.transactions import Call, Client, Server, State
from telephony.edge.waymark import Mark
from telephony.edge.ways import hop_of, record_route

_SOME_WORKER = Hop("UDP", "127.0.0.1", 65535)
NEXT_WORKER_ON = frozenset((486, 500, 503))


def begin(desk: Desk, server: Server, source: Hop) -> None:
    """Makes a call of a new INVITE and looks for a worker."""
    request = server.request
    home = clients.contact(request) or clients.uri_in(request.get("From"))  # RFC 2543 has it optional
    call = Call(
        desk.number(), (request.call_id, request.from_tag), source, request.get("From"),
        home, request.all("Record-Route"), desk.now, server,
    )  # fmt: skip
    if clients.too_long(request, _headers(desk, call, request, _SOME_WORKER, clients.branch(desk, call.key))):
        desk.finish(server, 513)
        return
    server.call = call
    desk.calls[call.key] = call
    desk.count("calls")
    assign(desk, server)


def assign(desk: Desk, server: Server) -> None:
    """Sends the INVITE to the idle worker that registered first, or holds it for the next one."""
    call = server.call
    if call is None or server.state is not State.PROCEEDING:
        return
    worker = desk.roster.take(server.tried)
    if worker is None:
        server.held_until = server.held_until or desk.now + HOLD_S
        if desk.now >= server.held_until:
            desk.finish(server, 503, RETRY_LATER)
            return
        desk.held[server.serial] = server
        desk.count("held")
        desk.arm(server, server.held_until - desk.now)
        return
    server.tried.append(worker.pid)
    call.worker, worker.call = worker, call
    request = server.request
    mark = clients.branch(desk, server.key, server.serial, worker.pid, desk.now)
    clients.start(
        desk, "INVITE", request.uri, _headers(desk, call, request, worker.hop, mark), worker.hop, mark=mark,
        cseq=request.cseq,
        body=request.body, server=server, worker=worker, give_up_s=SILENT_WORKER_S,
    )  # fmt: skip


def _headers(desk: Desk, call: Call, request: Request, worker: Hop, mark: str) -> list[tuple[str, str]]:
    top = [clients.via(desk, worker, True, mark), *record_route(desk, request.call_id, Mark(worker, call.caller))]
    if not request.get("Contact"):
        top.append(("Contact", f"<{call.caller_contact}>"))  # pjsip answers 400 without one
    return clients.outgoing(request, top, [])


def next_worker(desk: Desk, server: Server) -> None:
    """Goes on after a worker that is silent, refused or ended."""
    call = server.call
    if call is None or server.state is not State.PROCEEDING:
        return
    if server.client is not None:
        clients.abandon(desk, server.client)
        server.client.server = None
        server.client = None
    if call.worker is not None:
        call.worker.call = None
        call.worker = None
    desk.count("failovers")
    if server.cancelled:
        desk.finish(server, 487)
    elif server.early_media:
        desk.finish(server, 500)
    elif len(server.tried) >= MAX_TRIES:
        desk.finish(server, 503, RETRY_LATER)
    else:
        assign(desk, server)


def serve_held(desk: Desk) -> None:
    """Gives the INVITEs that have waited longest to workers that have become idle."""
    for server in list(desk.held.values()):
        if not desk.roster.any_idle():
            return
        del desk.held[server.serial]
        assign(desk, server)


def refuse_held(desk: Desk) -> None:
    """Refuses every INVITE that waits."""
    for server in list(desk.held.values()):
        desk.finish(server, 503, RETRY_LATER)


def give_up(desk: Desk, client: Client) -> None:
    """What follows when a request was not answered in its time."""
    server, worker = client.server, client.worker
    desk.count("silent")
    if server is not None and server.relay is not None:
        relays.silent(desk, server.relay, server, client)
        return
    first = server is not None and server.call is not None and server.client is client
    if server is not None and first and client.state is State.CALLING:
        next_worker(desk, server)
        return
    if client.invite and client.state is State.PROCEEDING and not client.tidied:
        clients.cancel(desk, client)
    if client.invite:
        clients.abandon(desk, client)
    else:
        desk.drop_client(client)
    if server is None or server.state is not State.PROCEEDING:
        return
    if server.cancelled:
        desk.finish(server, 487)
    elif worker is not None and worker.gone:
        desk.finish(server, 200 if client.method == "BYE" else 481)
    else:
        desk.finish(server, 408)


def worker_gone(desk: Desk, worker: Worker) -> None:
    """Arms what is to be done for a lost worker, shortly: what it sent before its end may still be on the way."""
    if worker.call is not None:
        desk.arm(worker.call, WORKER_LOST_S)
    if worker.last is not None and (worker.call is None or worker.last.server is not worker.call.server):
        worker.last.expires = desk.now + WORKER_LOST_S
        desk.arm(worker.last, WORKER_LOST_S)
    relays.worker_gone(desk, worker)


def call_due(desk: Desk, call: Call) -> None:
    """The worker of a call is lost: ends the call, or takes another worker where none has answered yet."""
    if call.worker is None or not call.worker.gone:
        return
    desk.count("workers_lost")
    if call.worker_tag:
        _hang_up(desk, call)
        desk.release(call)
    elif call.server is not None:
        next_worker(desk, call.server)


def _hang_up(desk: Desk, call: Call) -> None:
    """Sends the caller BYE in its worker's name (RFC 3261 §15.1.1, Reason: RFC 3326)."""
    desk.count("byes_for_workers")
    uri = call.caller_contact
    if not uri:
        return
    to = call.caller
    if call.routes:
        to = hop_of(call.routes[0]) or call.caller
    mark = clients.branch(desk, call.key, call.serial, desk.now)
    cseq = call.worker_cseq + 1
    headers = [
        clients.via(desk, to, False, mark), *(("Route", route) for route in call.routes), ("Max-Forwards", "70"),
        ("From", call.worker_party), ("To", call.caller_party), ("Call-ID", call.key[0]), ("CSeq", f"{cseq} BYE"),
        ("Reason", 'SIP;cause=500;text="worker lost"'),
    ]  # fmt: skip
    clients.start(desk, "BYE", uri, headers, to, mark=mark, cseq=cseq, instead=hop_of(uri))
