"""REGISTER (RFC 3261 §10.3): who proves to be an account says where its phones are."""

import ipaddress

from telephony.edge.bindings import Binding, key_of
from telephony.edge.credentials import WWW, prove
from telephony.edge.desk import Desk
from telephony.edge.errors import MalformedError
from telephony.edge.events import Contact, Hop, Kept, Registered
from telephony.edge.grammar import Address, read_address, split_list, unescape
from telephony.edge.message import Request
from telephony.edge.transactions import State

REMEMBERED_S = 5.0  # for repeated datagrams; timer J's 32 s would allow no more than 600 registrations a second
NAT_EXPIRES_S = 60  # most NATs forget a silent UDP port after 30 to 180 s; the phone's refresh keeps it open


class _RefusedError(Exception):
    """The way from a broken rule to the refusal."""

    def __init__(self, status: int, *extra: tuple[str, str]) -> None:
        super().__init__(str(status))
        self.status, self.extra = status, extra


def register(desk: Desk, request: Request, source: Hop, reply_to: Hop, key: tuple[str, ...]) -> None:
    """Takes a REGISTER. Only one that proves an account is remembered as a transaction: floods cost no memory."""
    account = prove(desk, request, WWW, source, reply_to)
    if account is None:
        return
    server = desk.serve(request, reply_to, key)
    if unescape(read_address(request.get("To")).uri.user) != account.user:
        desk.finish(server, 403)
        return
    try:
        _change(desk, account.user, request, source)
    except _RefusedError as refused:
        desk.finish(server, refused.status, *refused.extra)
        return
    except MalformedError:
        desk.finish(server, 400)
        return
    desk.count("registrations")
    desk.finish(server, 200, *(("Contact", _shown(desk, one)) for one in desk.bindings.of(account.user)))
    if server.state is State.COMPLETED:
        desk.arm(server, REMEMBERED_S)


def expired(desk: Desk, binding: Binding) -> None:
    """A contact that was not refreshed."""
    _forget(desk, binding)
    announce(desk, binding.user)


def connection_gone(desk: Desk, hop: Hop) -> None:
    """A connection has closed: who can be reached only over it cannot be reached."""
    for binding in [one for one in desk.bindings if one.hop == hop and one.direct is None]:
        desk.count("flows_lost")
        expired(desk, binding)


def accounts_changed(desk: Desk) -> None:
    """Forgets the contacts of accounts that are no more."""
    for user in [user for user in desk.bindings.users() if user not in desk.accounts]:
        for binding in desk.bindings.of(user):
            _forget(desk, binding)
        announce(desk, user)


def restore(desk: Desk, contacts: tuple[Kept, ...]) -> None:
    """Takes back what an earlier door kept. A connection of that door is gone: only a way to the Contact is left."""
    for kept in contacts:
        try:
            uri = read_address(f"<{kept.uri}>")
        except MalformedError:
            continue
        direct = None if kept.nat else _direct(uri, kept.hop)
        if kept.left_s <= 0 or (kept.hop.transport != "UDP" and direct is None):
            continue
        binding = Binding(
            desk.number(), kept.user, kept.uri, key_of(uri.uri), kept.hop, direct, kept.instance, kept.call_id,
            kept.cseq, desk.now + kept.left_s,
        )  # fmt: skip
        desk.bindings.add(binding)
        desk.arm(binding, kept.left_s)
    for user in desk.bindings.users():
        announce(desk, user)


def announce(desk: Desk, user: str) -> None:
    """Tells the shell a user's contacts, to be kept and published."""
    kept = tuple(
        Kept(user, one.uri, one.hop, one.direct is None, one.instance, one.call_id, one.cseq, one.expires - desk.now)
        for one in desk.bindings.of(user)
    )
    desk.actions.append(Registered(user, tuple(Contact(one.uri, one.left_s) for one in kept), kept))


def _change(desk: Desk, user: str, request: Request, source: Hop) -> None:
    """Carries out all that a REGISTER asks for, or nothing of it (RFC 3261 §10.3, steps 6 and 7)."""
    values = [item for value in request.all("Contact") for item in split_list(value)]
    if not values:
        return  # only asks
    before = desk.bindings.of(user)
    if "*" in values:
        if len(values) > 1 or request.get("Expires").strip() != "0":
            raise _RefusedError(400)
        for binding in before:
            _forget(desk, binding)
        announce(desk, user)
        return
    wanted = [(address, _expires(desk, request, address)) for address in map(read_address, values)]
    for address, _ in wanted:
        if not address.uri.scheme.startswith("sip") or not address.uri.host or len(address.uri.text) > 1024:
            raise _RefusedError(400)
        same = [one for one in before if one.key == key_of(address.uri) and one.call_id == request.call_id]
        if any(one.cseq >= request.cseq for one in same):
            raise _RefusedError(500)
    for address, expires_s in wanted:
        _take(desk, user, request, source, address, expires_s)
    for binding in desk.bindings.of(user)[: -desk.settings.max_contacts]:
        _forget(desk, binding)
    announce(desk, user)


def _take(desk: Desk, user: str, request: Request, source: Hop, address: Address, expires_s: int) -> None:
    """Adds, renews or (0 s) removes one contact; a phone that comes back with a new port replaces its old contact."""
    key, instance = key_of(address.uri), address.params.get("+sip.instance", "")
    for old in desk.bindings.of(user):
        if old.key == key or (instance and old.instance == instance):
            _forget(desk, old)
    if expires_s == 0:
        return
    direct = _direct(address, source)
    if direct is None and source.transport == "UDP":
        expires_s = min(expires_s, max(NAT_EXPIRES_S, desk.settings.min_expires_s))
    binding = Binding(
        desk.number(), user, address.uri.text, key, source, direct, instance, request.call_id, request.cseq,
        desk.now + expires_s,
    )  # fmt: skip
    desk.bindings.add(binding)
    desk.arm(binding, expires_s)


def _direct(address: Address, source: Hop) -> Hop | None:
    """Where the Contact leads, if that is the machine that registered: nothing goes to a third one on its word."""
    uri = address.uri
    try:
        same = ipaddress.IPv4Address(uri.host) == ipaddress.IPv4Address(source.host)
    except ValueError:
        return None
    transport = "TLS" if uri.secure and uri.transport in ("UDP", "TCP") else uri.transport
    if not same or transport != source.transport or transport == "TLS":  # no phone has a certificate to be called by
        return None
    return Hop(transport, source.host, uri.port or 5060)


def _expires(desk: Desk, request: Request, address: Address) -> int:
    """Seconds granted to a contact (RFC 3261 §10.2.1.1; a value that cannot be read counts as none)."""
    settings = desk.settings
    text = address.params.get("expires", "") or request.get("Expires").strip()
    if not (text.isascii() and text.isdigit()):
        return settings.default_expires_s
    wanted = min(int(text[:10]), 2**32 - 1)
    if 0 < wanted < settings.min_expires_s:
        raise _RefusedError(423, ("Min-Expires", str(settings.min_expires_s)))
    return min(wanted, settings.max_expires_s)


def _shown(desk: Desk, binding: Binding) -> str:
    instance = f";+sip.instance={binding.instance}" if binding.instance else ""
    return f"<{binding.uri}>;expires={max(round(binding.expires - desk.now), 1)}{instance}"


def _forget(desk: Desk, binding: Binding) -> None:
    desk.timed.pop(binding.serial, None)
    desk.bindings.remove(binding)
