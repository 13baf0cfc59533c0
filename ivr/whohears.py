"""Who hears whom in a call with an agent, by name. Pure: a table for every stage and every way of supervising."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations

CALLER, AGENT, CONSULTED = "caller", "agent", "consulted"


class Stage(StrEnum):
    """Where a call with an agent stands."""

    ALONE = "alone"
    """No agent: the caller hears the flow, or music."""
    TALK = "talk"
    """Caller and agent hear each other."""
    HOLD = "hold"
    """The caller hears music, the agent nothing."""
    CONSULT = "consult"
    """The agent talks with somebody else, the caller hears music."""
    CONFERENCE = "conference"
    """Caller, agent and the one who was consulted hear each other."""
    HANDED_OVER = "handed over"
    """The agent has left: the caller talks with the one who was consulted, or was called by the flow."""


_TOGETHER = {
    Stage.ALONE: (),
    Stage.TALK: (CALLER, AGENT),
    Stage.HOLD: (AGENT,),
    Stage.CONSULT: (AGENT, CONSULTED),
    Stage.CONFERENCE: (CALLER, AGENT, CONSULTED),
    Stage.HANDED_OVER: (CALLER, CONSULTED),
}


class Mode(StrEnum):
    """How a supervisor takes part."""

    LISTEN = "listen"
    """Hears those who talk with the agent, and the agent; nobody hears the supervisor."""
    WHISPER = "whisper"
    """The agent alone hears the supervisor."""
    INTRUDE = "intrude"
    """Everybody who talks with the agent hears the supervisor."""


@dataclass(frozen=True, slots=True)
class Supervising:
    """A supervisor in the call under the name of a party."""

    party: str
    mode: Mode


def hearing(stage: Stage, supervising: Iterable[Supervising] = ()) -> frozenset[tuple[str, str]]:
    """The pairs (who speaks, who hears it). Supervisors do not hear each other; music is no party."""
    together = _TOGETHER[stage]
    pairs = set(permutations(together, 2))
    for supervisor in supervising:
        pairs |= {(party, supervisor.party) for party in together}
        if supervisor.mode is Mode.INTRUDE:
            pairs |= {(supervisor.party, party) for party in together}
        elif supervisor.mode is Mode.WHISPER and AGENT in together:
            pairs.add((supervisor.party, AGENT))
    return frozenset(pairs)


def music_for_caller(stage: Stage) -> bool:
    """Whether the caller waits for the agent to come back."""
    return stage in (Stage.HOLD, Stage.CONSULT)
