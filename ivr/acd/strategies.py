"""The strategies: of the members whom a caller could have, who rings first. Pure; docs/queues.md quotes the rules.

A lower penalty always goes first (mod_callcenter's tier level), except in wrandom, where it is only a weight. Ties go
by the members' order, then by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ivr.acd.members import Member
from ivr.acd.model import Agent, Membership, QueueSettings, Strategy, Waiting

Draw = Callable[[], float]
"""A number in [0, 1), another one each time."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A member with what the strategy compares (`score`, the lower the sooner among the same `penalty`), in words
    too.
    """

    agent: str
    penalty: int
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class _Asked:
    call: Waiting
    names: Sequence[str]  # of all members, in the round's order
    last_rung: str | None
    now: float
    draw: Draw


def rank(
    settings: QueueSettings, able: Sequence[Member], everybody: Sequence[Member], call: Waiting, last_rung: str | None,
    now: float, draw: Draw,
) -> list[Ranked]:  # fmt: skip
    """The members who are `able` to take the call, first to ring first. `everybody`: all members, by name; `last_rung`:
    whom the queue rang last.
    """
    strategy, score = settings.strategy, _SCORES[settings.strategy]
    weighed = strategy is not Strategy.WRANDOM and len(everybody) > settings.penaltymemberslimit
    asked = _Asked(call, _names(strategy, everybody), last_rung, now, draw)
    ranked = []
    for agent, place in able:
        penalty = place.penalty if weighed else 0
        value, why = score(agent, place, asked)
        tie = agent.idle_since if strategy is Strategy.SKILL_SCORE else 0.0
        ranked.append(((penalty, value, tie, place.order, agent.name), Ranked(agent.name, penalty, value, why)))
    ranked.sort(key=lambda pair: pair[0])
    return [entry for _, entry in ranked]


def rung(settings: QueueSettings, ranked: Sequence[Ranked], call: Waiting) -> list[Ranked]:
    """Who of them rings at once: for ringall all of the lowest penalty, else the first. For a callback ticket always
    one: the agent answers first, then the caller is rung.
    """
    if settings.strategy is Strategy.RINGALL and not call.virtual:
        return [entry for entry in ranked if entry.penalty == ranked[0].penalty]
    return list(ranked[:1])


def _names(strategy: Strategy, everybody: Sequence[Member]) -> Sequence[str]:
    """All members in the order of the round; other strategies need none."""
    if strategy is Strategy.RRMEMORY:
        return [agent.name for agent, _ in everybody]
    if strategy in {Strategy.RRORDERED, Strategy.LINEAR}:
        return [agent.name for agent, _ in sorted(everybody, key=lambda member: (member[1].order, member[0].name))]
    return ()


def _after(name: str, names: Sequence[str], last: str | None) -> int:
    """How many places after `last` in the round; from its start if there is no last."""
    start = names.index(last) + 1 if last in names else 0
    return (names.index(name) - start) % len(names)


def _ringall(_agent: Agent, place: Membership, _asked: _Asked) -> tuple[float, str]:
    return 0.0, f"penalty {place.penalty}"


def _leastrecent(_agent: Agent, place: Membership, asked: _Asked) -> tuple[float, str]:
    return (
        place.last_call,
        f"last call here {asked.now - place.last_call:.0f} s ago" if place.last_call else "no call yet",
    )


def _fewestcalls(_agent: Agent, place: Membership, _asked: _Asked) -> tuple[float, str]:
    return float(place.calls), f"{place.calls} calls here"


def _random(_agent: Agent, _place: Membership, asked: _Asked) -> tuple[float, str]:
    drawn = 1000 * asked.draw()
    return drawn, f"drew {drawn:.0f} of 1000"


def _wrandom(_agent: Agent, place: Membership, asked: _Asked) -> tuple[float, str]:
    most = 1000 * (1 + max(place.penalty, 0))
    drawn = most * asked.draw()
    return drawn, f"drew {drawn:.0f} of {most}"


def _round_robin(agent: Agent, _place: Membership, asked: _Asked) -> tuple[float, str]:
    steps = _after(agent.name, asked.names, asked.last_rung)
    return float(steps), f"{steps + 1} after {asked.last_rung}" if asked.last_rung else f"{steps + 1} in the round"


def _linear(agent: Agent, _place: Membership, asked: _Asked) -> tuple[float, str]:
    last = asked.call.tried[-1] if asked.call.tried else None
    steps = _after(agent.name, asked.names, last)
    return float(steps), f"{steps + 1} in order after {last}" if last else f"{steps + 1} in order"


def _longest_idle(agent: Agent, _place: Membership, asked: _Asked) -> tuple[float, str]:
    return agent.idle_since, f"idle for {asked.now - agent.idle_since:.0f} s"


def _least_talk_time(agent: Agent, _place: Membership, _asked: _Asked) -> tuple[float, str]:
    return agent.talk_s, f"{agent.talk_s:.0f} s of talk"


def _ring_progressively(_agent: Agent, place: Membership, _asked: _Asked) -> tuple[float, str]:
    return float(place.order), f"place {place.order}"


def _skill_score(agent: Agent, _place: Membership, asked: _Asked) -> tuple[float, str]:
    """Who lacks least of what was asked first, then who would be wasted least: levels to spare and other skills."""
    wanted = asked.call.skills
    lacks = sum(max(level - agent.skills.get(skill, 0), 0) for skill, level in wanted.items())
    spare = sum(max(agent.skills.get(skill, 0) - level, 0) for skill, level in wanted.items())
    other = sum(level for skill, level in agent.skills.items() if skill not in wanted)
    idle = asked.now - agent.idle_since
    return (
        100.0 * lacks + spare + other,
        f"lacks {lacks}, {spare} to spare, {other} in other skills, idle for {idle:.0f} s",
    )


_SCORES: Mapping[Strategy, Callable[[Agent, Membership, _Asked], tuple[float, str]]] = {
    Strategy.RINGALL: _ringall,
    Strategy.LEASTRECENT: _leastrecent,
    Strategy.FEWESTCALLS: _fewestcalls,
    Strategy.RANDOM: _random,
    Strategy.RRMEMORY: _round_robin,
    Strategy.RRORDERED: _round_robin,
    Strategy.LINEAR: _linear,
    Strategy.WRANDOM: _wrandom,
    Strategy.LONGEST_IDLE: _longest_idle,
    Strategy.LEAST_TALK_TIME: _least_talk_time,
    Strategy.RING_PROGRESSIVELY: _ring_progressively,
    Strategy.SKILL_SCORE: _skill_score,
}
