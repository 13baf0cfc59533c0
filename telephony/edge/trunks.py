"""Calls by trunks, once they are under way: proved to the trunk, charged, ended when their time or money is up."""

import re

from telephony.edge import clients
from telephony.edge.accounts import Algorithm, digest_of
from telephony.edge.desk import Desk
from telephony.edge.dialplan import CHARGED_S, Rule, Trunk
from telephony.edge.digest import read_pairs, response
from telephony.edge.errors import MalformedError
from telephony.edge.events import Spent
from telephony.edge.message import Request, Response
from telephony.edge.strict import read
from telephony.edge.transactions import Client, Relay
from telephony.edge.waymark import Mark, Side
from telephony.edge.ways import dialog_name, record_route

_CHALLENGES = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
_QOP = re.compile(r"\bauth\b(?!-)")


def answered(desk: Desk, relay: Relay, rule: Rule) -> None:
    """The callee has answered: its time and cost begin."""
    relay.ends = desk.now + rule.max_duration_s if rule.max_duration_s is not None else float("inf")
    desk.calls_out_changed = True
    _charge(desk, relay, rule)


def minute_over(desk: Desk, relay: Relay, rule: Rule) -> bool:
    """Begins the next minute of a call; False where its time or money is up."""
    if relay.ends <= desk.now + 0.001 or not desk.ledger.affords(rule):
        return False
    _charge(desk, relay, rule)
    return True


def _charge(desk: Desk, relay: Relay, rule: Rule) -> None:
    if rule.price:
        desk.ledger.charge(rule, desk.settings.plan.day(desk.now))
        desk.actions.append(Spent(desk.ledger.day, dict(desk.ledger.spent)))
    left_s = relay.ends - desk.now
    if rule.price or left_s != float("inf"):
        desk.arm(relay, min(left_s, CHARGED_S) if rule.price else left_s)


def prove(desk: Desk, client: Client, challenge: Response, wire: bytes) -> bool:
    """Sends a request again with what the trunk asked for (RFC 3261 §22.3); False where that cannot help.

    The new request needs a higher CSeq (§22.2), so from now on the callee's numbers are ahead of the caller's.
    """
    relay, trunk = client.relay, client.trunk
    request = read(wire, stream=True)
    if trunk is None or not trunk.user or client.proved or not isinstance(request, Request):
        return False
    credentials = _credentials(desk, client, trunk, challenge, request)
    if credentials is None:
        return False
    cseq, mark = client.cseq + 1, clients.branch(desk, client.branch, "proof")
    if relay is not None:
        relay.shift += 1
    top = [clients.via(desk, client.to, False, mark)]
    kept = [(n, f"{cseq} {client.method}" if n == "CSeq" else v) for n, v in request.headers[1:]]
    if relay is not None and client.invite and not request.to_tag:
        kept = [(n, v) for n, v in kept if not (n == "Record-Route" and clients.is_own_route(desk, v))]
        way = Mark(client.to, relay.caller, Side.TRUNK, relay.caller_side, relay.shift)
        top += record_route(desk, dialog_name(*relay.key), way)
    again = clients.start(
        desk, client.method, client.uri, [*top, *kept, credentials], client.to, mark=mark, cseq=cseq, body=request.body,
        instead=client.instead, server=client.server,
    )  # fmt: skip
    again.side, again.relay, again.trunk, again.proved = client.side, relay, trunk, True
    if relay is not None and client in relay.branches:
        relay.branches[relay.branches.index(client)] = again
    client.server = None
    return True


def _credentials(
    desk: Desk, client: Client, trunk: Trunk, challenge: Response, request: Request
) -> tuple[str, str] | None:
    """The header that answers the first challenge that can be answered."""
    asks, answers = _CHALLENGES[challenge.status]
    for value in challenge.all(asks):
        try:
            pairs = read_pairs(value) or {}
        except MalformedError:
            continue
        kind = next((one for one in Algorithm if one.upper() == pairs.get("algorithm", "MD5").upper()), None)
        if kind is None or "nonce" not in pairs or "realm" not in pairs:
            continue
        return answers, _answer(kind, pairs, trunk, request, clients.branch(desk, client.branch, "cnonce")[-16:])
    return None


def _answer(kind: Algorithm, pairs: dict[str, str], trunk: Trunk, request: Request, cnonce: str) -> str:
    ha1 = digest_of(kind, trunk.user, pairs["realm"], trunk.password)
    nonce = pairs["nonce"]
    said = {"username": trunk.user, "realm": pairs["realm"], "nonce": nonce, "uri": request.uri}
    plain = {"algorithm": str(kind)} if "algorithm" in pairs else {}
    if _QOP.search(pairs.get("qop", "")):
        said["cnonce"] = cnonce
        plain |= {"qop": "auth", "nc": "00000001"}
        said["response"] = response(kind, ha1, request.method, request.uri, nonce, "00000001", cnonce)
    else:  # as of RFC 2069, which some carriers still are
        said["response"] = digest_of(kind, ha1, nonce, digest_of(kind, request.method, request.uri))
    if "opaque" in pairs:
        said["opaque"] = pairs["opaque"]
    quoted = [f'{name}="{_quoted(value)}"' for name, value in said.items()]
    return "Digest " + ", ".join([*quoted, *(f"{name}={value}" for name, value in plain.items())])


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
