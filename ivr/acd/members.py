"""Members of a queue: which agents are free, whom a caller can have, and in words why not the others. Pure."""

from collections.abc import Iterable

from ivr.acd.callers import Need
from ivr.acd.model import Agent, AgentState, Membership

Member = tuple[Agent, Membership]


def members(agents: Iterable[Agent], queue: str) -> list[Member]:
    """The queue's members, by name."""
    found = [(agent, place) for agent in agents if (place := agent.member_of(queue)) is not None]
    found.sort(key=lambda member: member[0].name)
    return found


def is_free(agent: Agent, now: float) -> bool:
    """Whether a phone can ring now, for whatever queue. That a phone is registered counts only if the door has told."""
    return agent.state is AgentState.READY and agent.registered is not False and agent.retry_at <= now


def fits(member: Member, need: Need) -> bool:
    """Whether the member may have a caller with this need."""
    agent, place = member
    if place.paused or (need.max_penalty is not None and place.penalty > need.max_penalty):
        return False
    return all(agent.skills.get(skill, 0) >= level for skill, level in need.skills.items())


def why_not(member: Member, need: Need, now: float) -> str:
    """In words, why the member cannot have the caller; empty for one who can."""
    agent, _ = member
    if agent.state is not AgentState.READY:
        return _busy(agent, now)
    if agent.registered is False:
        return "no phone is registered"
    if agent.retry_at > now:
        return f"did not take the last offer, next one in {agent.retry_at - now:.0f} s"
    return "" if fits(member, need) else _why_not_fit(member, need)


def _busy(agent: Agent, now: float) -> str:
    match agent.state:
        case AgentState.OFFLINE:
            return "not logged in"
        case AgentState.PAUSED:
            return f"paused: {agent.pause_reason}" if agent.pause_reason else "paused"
        case AgentState.RINGING:
            return f"rings for call {agent.call_id}"
        case AgentState.WRAP_UP:
            left = f" for {agent.wrap_up_until - now:.0f} s more" if agent.wrap_up_until is not None else ""
            return f"in wrap-up{left}"
        case AgentState.HOLD:
            return f"has call {agent.call_id} on hold"
    return f"talks in call {agent.call_id}"


def _why_not_fit(member: Member, need: Need) -> str:
    agent, place = member
    if place.paused:
        return "paused in this queue after missed offers"
    if need.max_penalty is not None and place.penalty > need.max_penalty:
        return f"penalty {place.penalty} is above {need.max_penalty}"
    lacks = [
        f"{skill} {agent.skills.get(skill, 0)} of {level}"
        for skill, level in need.skills.items()
        if agent.skills.get(skill, 0) < level
    ]
    return f"skill {', '.join(lacks)}"
