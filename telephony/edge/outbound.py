"""Calls to the telephone network: whether the dial plan allows one, and by which trunk it goes."""

from telephony.edge import relays
from telephony.edge.desk import RETRY_LATER, Desk
from telephony.edge.dialplan import Denied, hop_to, rewritten
from telephony.edge.events import Hop
from telephony.edge.relays import Target
from telephony.edge.roster import Worker
from telephony.edge.transactions import Server
from telephony.edge.waymark import Side


def call_out(
    desk: Desk, server: Server, source: Hop, number: str, who: frozenset[str],
    worker: Worker | None = None, user: str = "",
) -> None:  # fmt: skip
    """Calls a number outside for a worker or an account, or says why not."""
    plan = desk.settings.plan
    rule = plan.rule(number, who)
    trunk = plan.trunk(rule.trunk) if rule else None
    if rule is None or trunk is None or not trunk.host:
        _deny(desk, server, 403, Denied.NOT_ALLOWED)
        return
    address = desk.trunk_addresses.get(trunk.name)
    if address is None:
        desk.count("trunk_without_address")
        desk.finish(server, 503, RETRY_LATER)
        return
    under_way = [relay for relay in desk.relays.values() if relay.rule is rule]
    ringing = sum(relay.server is not None for relay in under_way)
    denied = desk.ledger.denies(rule, len(under_way), ringing, desk.now, plan.day(desk.now))
    if denied is not None:
        _deny(desk, server, 403 if denied is Denied.COST else 503, denied)
        return
    desk.count("calls_out")
    side = Side.WORKER if worker is not None else Side.PHONE
    target = Target(
        trunk.uri(rewritten(rule, number)), hop_to(trunk, address), Side.TRUNK, hop_to(trunk, address), trunk
    )
    relays.begin(desk, server, source, side, [target], worker, user, rule)


def _deny(desk: Desk, server: Server, status: int, why: Denied) -> None:
    desk.count(f"denied_{why.name.lower()}")
    extra = (("Reason", f'SIP;cause={status};text="{why}"'),)
    desk.finish(server, status, *(extra if status == 403 else (*extra, RETRY_LATER)))
