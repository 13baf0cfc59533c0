"""Calls out that outlive the door: one that was killed must not leave calls running that cost money without an end."""

from telephony.edge.desk import Desk
from telephony.edge.events import CallOut, CallsOut
from telephony.edge.transactions import Relay
from telephony.edge.waymark import Side

CSEQ_LEAP = 1000  # what was asked inside the call since it was noted stays below (RFC 3261 §12.2.1.1 allows gaps)


def told(desk: Desk) -> CallsOut:
    """All calls out that are up, to be kept."""
    return CallsOut(
        tuple(
            CallOut(
                relay.key[0], relay.key[1], relay.caller, int(relay.caller_side), relay.caller_party,
                relay.caller_contact, tuple(relay.caller_routes), relay.caller_cseq, relay.callee, relay.callee_party,
                relay.callee_tag, relay.callee_contact, tuple(relay.callee_routes), relay.callee_cseq, relay.shift,
                relay.user, relay.rule.name, relay.ends - desk.now,
            )
            for relay in desk.relays.values()
            if relay.rule is not None and relay.callee_tag
        )
    )  # fmt: skip


def restore(desk: Desk, calls: tuple[CallOut, ...]) -> None:
    """Takes back the calls that an earlier door had up; the next minute of each begins now."""
    for kept in calls:
        rule = next((rule for rule in desk.settings.plan.rules if rule.name == kept.rule), None)
        relay = Relay(
            desk.number(), (kept.call_id, kept.caller_tag), kept.caller, Side(kept.caller_side), kept.caller_party,
            kept.caller_contact, list(kept.caller_routes), kept.caller_cseq + CSEQ_LEAP, desk.now, None,
            user=kept.user, callee=kept.callee, callee_side=Side.TRUNK, callee_party=kept.callee_party,
            callee_tag=kept.callee_tag, callee_contact=kept.callee_contact, callee_routes=list(kept.callee_routes),
            callee_cseq=kept.callee_cseq + CSEQ_LEAP, shift=kept.shift, rule=rule, ends=desk.now + kept.left_s,
        )  # fmt: skip
        if rule is not None:
            relay.trunk = desk.settings.plan.trunk(rule.trunk)
        desk.relays[relay.key] = relay
        desk.arm(relay, min(max(kept.left_s, 0.0), 1.0))  # its price or its end is looked at then
