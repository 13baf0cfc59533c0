"""Where a new INVITE goes, by who sends it and whom it asks for.

Callers reach a worker. Workers and accounts reach agents' phones; accounts, by `*` codes and lines, a worker too.
X-Hotline headers are the door's and the workers' own word: they are taken out of what comes from outside.
"""

from telephony.edge import calls, outbound, relays
from telephony.edge.accounts import Account, Role
from telephony.edge.credentials import PROXY, has_credentials, prove, stripped
from telephony.edge.desk import RETRY_LATER, Desk
from telephony.edge.dialplan import number_of
from telephony.edge.errors import MalformedError
from telephony.edge.events import Hop
from telephony.edge.grammar import Uri, plain_user, read_address, read_uri, unescape
from telephony.edge.message import Request
from telephony.edge.relays import Target
from telephony.edge.roster import Worker
from telephony.edge.transactions import Server
from telephony.edge.waymark import Side

_OWN_HEADERS = "x-hotline-"


def clean(request: Request) -> None:
    """Takes out what only the door and its workers may say."""
    if any(name[:10].lower() == _OWN_HEADERS for name, _ in request.headers):
        request.headers = tuple(pair for pair in request.headers if pair[0][:10].lower() != _OWN_HEADERS)


def enter(desk: Desk, request: Request, source: Hop, reply_to: Hop, key: tuple[str, ...]) -> None:
    """Takes an INVITE that makes a new dialog."""
    worker = desk.roster.at(source)
    if worker is not None:
        _from_worker(desk, _serve(desk, request, reply_to, key), source, worker)
        return
    if _is_trunk(desk, source) or not _claims_account(desk, request, source):
        request.uri = plain_user(request.uri)
        _to_worker(desk, request, source, reply_to, key)
        return
    account = prove(desk, request, PROXY, source, reply_to)
    if account is None:
        return
    stripped(request)
    request.uri = plain_user(request.uri)
    if _sender(request) != account.user:
        desk.answer(request, reply_to, 403)
    elif account.role is Role.TRUNK:
        _to_worker(desk, request, source, reply_to, key)
    else:
        _from_account(desk, request, source, reply_to, key, account)


def _is_trunk(desk: Desk, source: Hop) -> bool:
    """Whether it is a carrier that sends: its calls are callers', whatever name they bear."""
    return source.host in desk.guard.trunks or desk.settings.plan.trunk_at(source.host) is not None


def _claims_account(desk: Desk, request: Request, source: Hop) -> bool:
    """Whether the sender says to be of this house, by credentials or by name, or sends from where a phone of it is.

    With `domains` it is everybody who names one, so that a name that exists gets the same answer as one that does not;
    without, it is who bears an account's name at one of the door's addresses.
    """
    sender = read_address(request.get("From")).uri
    user = unescape(sender.user)
    if has_credentials(request, PROXY) or any(one.hop == source for one in desk.bindings.of(user)):
        return bool(desk.accounts)
    if desk.place.domains:
        return sender.host in desk.place.domains
    return user in desk.accounts and desk.place.is_ours(sender.host)


def _sender(request: Request) -> str:
    return unescape(read_address(request.get("From")).uri.user)


def _from_worker(desk: Desk, server: Server, source: Hop, worker: Worker) -> None:
    user = unescape(_target(server.request).user)
    if user in desk.accounts:
        _ring(desk, server, source, user, worker=worker)
    elif number := number_of(user):
        outbound.call_out(desk, server, source, number, frozenset(("workers",)), worker=worker)
    else:
        desk.finish(server, 404)


def _from_account(
    desk: Desk, request: Request, source: Hop, reply_to: Hop, key: tuple[str, ...], account: Account
) -> None:
    user = unescape(_target(request).user)
    lines = desk.settings.lines
    if not user.startswith("*") and user not in lines and user in desk.accounts:
        _ring(desk, _serve(desk, request, reply_to, key), source, user, account=account)
    elif not user.startswith("*") and user not in lines and desk.settings.plan.rules and (number := number_of(user)):
        who = frozenset((account.user, f"{account.role}s"))
        outbound.call_out(desk, _serve(desk, request, reply_to, key), source, number, who, user=account.user)
    elif user.startswith("*") or user in lines or desk.settings.any_line:
        request.headers = (*request.headers, ("X-Hotline-User", account.user))
        _to_worker(desk, request, source, reply_to, key)
    else:
        desk.answer(request, reply_to, 404)


def _ring(
    desk: Desk, server: Server, source: Hop, user: str, worker: Worker | None = None, account: Account | None = None
) -> None:
    """Rings all contacts of a user."""
    targets = [Target(one.uri, one.target, Side.PHONE, one.direct) for one in desk.bindings.of(user)]
    if not targets:
        desk.finish(server, 480)
    else:
        side = Side.WORKER if worker is not None else Side.PHONE
        relays.begin(desk, server, source, side, targets, worker, account.user if account else "")


def _to_worker(desk: Desk, request: Request, source: Hop, reply_to: Hop, key: tuple[str, ...]) -> None:
    if desk.full():
        desk.count("full")
        desk.answer(request, reply_to, 503, RETRY_LATER)
        return
    calls.begin(desk, _serve(desk, request, reply_to, key), source)


def _serve(desk: Desk, request: Request, reply_to: Hop, key: tuple[str, ...]) -> Server:
    server = desk.serve(request, reply_to, key)
    server.last = desk.answer(request, reply_to, 100)
    return server


def _target(request: Request) -> Uri:
    try:
        return read_uri(request.uri)
    except MalformedError:  # cannot be: the strict reader has read it
        return Uri(request.uri, "")
