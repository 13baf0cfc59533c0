"""Responses that reach the front door: matched to what it sent, passed back, or acted on."""

from telephony.edge import calls, clients, relays, trunks
from telephony.edge.desk import Desk
from telephony.edge.events import Hop
from telephony.edge.grammar import read_via
from telephony.edge.message import Response
from telephony.edge.transactions import Client, Server, Signal, State
from telephony.edge.ways import behind


def receive(desk: Desk, response: Response, source: Hop) -> None:
    """Takes one response; what belongs to nothing the door sent is dropped (RFC 3261 §18.1.2)."""
    client = desk.clients.get((response.via.branch, response.cseq_method))
    if client is None:
        desk.count("stray_responses")
        if response.cseq_method == "INVITE" and 200 <= response.status < 300 and desk.roster.at(source) is not None:
            _stray_answer(desk, response, source)
        return
    before, server, wire = client.state, client.server, client.wire
    if not clients.heard(desk, client, response.status):
        desk.count("stray_responses")
        return
    if client.invite and response.status >= 300:
        clients.acknowledge(desk, client, response)
    challenged = client.trunk is not None and response.status in (401, 407) and before is not State.ABANDONED
    if challenged and trunks.prove(desk, client, response, wire):
        return
    if before is State.ABANDONED:
        _tidy(desk, client, response)
    elif server is not None and server.relay is not None:
        relays.heard(desk, server.relay, server, client, response, clients.passed_on(response, server.request.cseq))
    elif server is not None:
        _relay(desk, server, client, response, before)


def _stray_answer(desk: Desk, response: Response, source: Hop) -> None:
    """A worker answers a call that this door has not seen: one before it gave it to the worker and was ended.

    The caller waits still, and waymarks lead all that follows (RFC 3261 §16.7 step 9 lets a 2xx pass so). Where the
    caller's repeated INVITE has found another worker meanwhile, this one is hung up.
    """
    vias = [read_via(value) for value in response.all("Via")]
    if len(vias) < 2 or not vias[0].branch.startswith(clients.MARK):
        return
    if (response.call_id, response.from_tag) in desk.calls:
        clients.hang_up_stray(desk, response, source, inside=True)
    elif (hop := behind(response.all("Via")[1])) is not None:
        desk.send(clients.passed_on(response, response.cseq), hop)


def _tidy(desk: Desk, client: Client, response: Response) -> None:
    if response.status < 200:
        clients.cancel(desk, client)
    elif response.status < 300:
        clients.hang_up_late(desk, client, response)


def _relay(desk: Desk, server: Server, client: Client, response: Response, before: State) -> None:
    status = response.status
    if before is State.ACCEPTED:  # a 2xx repeated by the worker
        _pass(desk, server, response)
        return
    if server.client is not client:
        return
    if status < 200:
        if server.cancelled and client.invite:
            clients.cancel(desk, client)
        if status > 100 and server.move(Signal.PROVISIONAL):
            server.early_media = server.early_media or status != 180
            server.last = _pass(desk, server, response)
        return
    call = server.call
    if call is not None and call.server is server:
        if status in calls.NEXT_WORKER_ON:
            desk.count(f"worker_{status}")
            calls.next_worker(desk, server)
            return
        if status < 300:
            call.worker_party, call.worker_tag = response.get("To"), response.to_tag
            call.server = None
            desk.count("answered")
    elif call is None and status < 300 and client.worker is None and response.cseq_method in ("INVITE", "UPDATE"):
        _refresh(desk, response)
    data = _pass(desk, server, response)
    desk.final(server, status, data)


def _refresh(desk: Desk, response: Response) -> None:
    """An answer to a re-INVITE may name a new Contact (RFC 3261 §12.2.1.2)."""
    fresh = clients.contact(response)
    call = desk.calls.get((response.call_id, response.to_tag))
    if call is not None:
        call.caller_contact = fresh or call.caller_contact
    if (relay := desk.relays.get((response.call_id, response.to_tag))) is not None:
        relay.caller_contact = fresh or relay.caller_contact
    elif (relay := desk.relays.get((response.call_id, response.from_tag))) is not None:
        relay.callee_contact = fresh or relay.callee_contact


def _pass(desk: Desk, server: Server, response: Response) -> bytes:
    """Sends a response on to where its request came from."""
    data = clients.passed_on(response, server.request.cseq)
    desk.send(data, server.reply_to)
    return data
