"""Who may join a queue and who has to leave it: maxlen, joinempty, leavewhenempty in app_queue's words. Pure."""

from ivr.acd.callers import Need, last_need, need_of
from ivr.acd.errors import EmptyRuleError
from ivr.acd.members import Member, members
from ivr.acd.model import STRICT, AgentState, Empty, Snapshot, Waiting

_LOOSE = frozenset({Empty.PENALTY, Empty.INVALID})
_PRESENT = frozenset({Empty.PENALTY, Empty.PAUSED, Empty.INVALID})
_NOTHING: frozenset[Empty] = frozenset()
_SHORT = {"strict": STRICT, "loose": _LOOSE}


def joinempty(text: str) -> frozenset[Empty]:
    """The factors of a joinempty: "yes", "no", "strict", "loose" or a comma list. Raises EmptyRuleError."""
    return _factors(text, _SHORT | {"yes": _NOTHING, "no": _PRESENT})


def leavewhenempty(text: str) -> frozenset[Empty]:
    """The factors of a leavewhenempty; "yes" and "no" mean the opposite of joinempty's. Raises EmptyRuleError."""
    return _factors(text, _SHORT | {"yes": _PRESENT, "no": _NOTHING})


def _factors(text: str, short: dict[str, frozenset[Empty]]) -> frozenset[Empty]:
    words = [word.strip().lower() for word in text.split(",")]
    if len(words) == 1 and words[0] in short:
        return short[words[0]]
    known = {factor.value for factor in Empty}
    for word in words:
        if word not in known:
            hint = f"one of {', '.join(short)}, or a list of {', '.join(sorted(known))}"
            raise EmptyRuleError(f"{word!r} is not known here: write {hint}")
    return frozenset(map(Empty, words))


def refusal(snapshot: Snapshot, call: Waiting, now: float) -> str | None:
    """Why this call may not join its queue: "queue.unknown", "queue.full" or "queue.no_agents"; None if it may. A
    callback ticket takes no line, so that maxlen neither counts nor stops it.
    """
    settings = snapshot.queues.get(call.queue)
    if settings is None:
        return "queue.unknown"
    on_line = sum(other.queue == call.queue and not other.virtual for other in snapshot.waiting.values())
    if settings.maxlen and not call.virtual and on_line >= settings.maxlen:
        return "queue.full"
    return "queue.no_agents" if is_empty(snapshot, call, settings.joinempty, now) else None


def leavers(snapshot: Snapshot, now: float) -> list[str]:
    """The calls that leavewhenempty removes now. A callback ticket stays, and so does a caller whom a phone rings
    for.
    """
    rings = {offer.call_id for offer in snapshot.offers.values()}
    found = []
    for call in snapshot.waiting.values():
        settings = snapshot.queues.get(call.queue)
        if settings is None or not settings.leavewhenempty or call.virtual or call.call_id in rings:
            continue
        if is_empty(snapshot, call, settings.leavewhenempty, now):
            found.append(call.call_id)
    return found


def is_empty(snapshot: Snapshot, call: Waiting, factors: frozenset[Empty], now: float) -> bool:
    """Whether no member of the call's queue counts as available. Without factors a queue is never empty. A member who
    lacks the skills even after all relaxation does not count either: app_queue knows no skills.
    """
    if not factors:
        return False
    settings = snapshot.queues[call.queue]
    roster = members(snapshot.agents.values(), call.queue)
    penalty = need_of(call, settings, now).max_penalty if len(roster) > settings.penaltymemberslimit else None
    need = Need(last_need(call, settings).skills, penalty)
    return not any(_available(member, factors, need) for member in roster)


def _available(member: Member, factors: frozenset[Empty], need: Need) -> bool:
    agent, place = member
    absent = {
        Empty.PENALTY: need.max_penalty is not None and place.penalty > need.max_penalty,
        Empty.PAUSED: agent.state is AgentState.PAUSED or place.paused,
        Empty.INUSE: agent.state in {AgentState.ANSWERED, AgentState.HOLD},
        Empty.RINGING: agent.state is AgentState.RINGING,
        Empty.UNAVAILABLE: agent.state is AgentState.OFFLINE,
        Empty.INVALID: agent.registered is False,
        Empty.UNKNOWN: agent.registered is None,
        Empty.WRAPUP: agent.state is AgentState.WRAP_UP,
    }
    skilled = all(agent.skills.get(skill, 0) >= level for skill, level in need.skills.items())
    return skilled and not any(absent[factor] for factor in factors)
