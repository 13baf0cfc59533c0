"""The ACD's values: what a decision sees (a Snapshot) and what it says (Decisions). Owns no logic.

Every time is in unix seconds, every duration in seconds. Mappings are read, never written: a caller that keeps its own
dictionaries may put them in as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Strategy(StrEnum):
    """Which of the free agents rings. app_queue's (the first eight), mod_callcenter's (three) and our own."""

    RINGALL = "ringall"
    LEASTRECENT = "leastrecent"
    FEWESTCALLS = "fewestcalls"
    RANDOM = "random"
    RRMEMORY = "rrmemory"
    RRORDERED = "rrordered"
    LINEAR = "linear"
    WRANDOM = "wrandom"
    LONGEST_IDLE = "longest-idle"
    LEAST_TALK_TIME = "agent-with-least-talk-time"
    RING_PROGRESSIVELY = "ring-progressively"
    SKILL_SCORE = "skill-score"


class AgentState(StrEnum):
    """Where an agent is; ivr.acd.agents has the moves."""

    OFFLINE = "offline"
    READY = "ready"
    RINGING = "ringing"
    ANSWERED = "answered"
    HOLD = "hold"
    WRAP_UP = "wrap_up"
    PAUSED = "paused"


class Empty(StrEnum):
    """What makes a member count as not there, for joinempty and leavewhenempty (queues.conf, "Queue Empty Options")."""

    PENALTY = "penalty"
    PAUSED = "paused"
    INUSE = "inuse"
    RINGING = "ringing"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    WRAPUP = "wrapup"


class Autopause(StrEnum):
    """Who is paused after missed offers: nobody, the member in that queue, or the agent in all queues."""

    NO = "no"
    YES = "yes"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Relax:
    """From `after_s` of waiting on, every skill level asked for is `levels` lower (at 0 the skill is no longer asked
    for), and members up to `max_penalty` may be rung (None: as before). Each step counts from what was asked first.
    """

    after_s: float
    levels: int = 0
    max_penalty: int | None = None


STRICT = frozenset({Empty.PENALTY, Empty.PAUSED, Empty.INVALID, Empty.UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """One [queues.NAME]. `maxlen` 0: no limit. `ageing_s`: so many seconds of waiting count as one step of priority,
    0 none. `relax` in ascending order of `after_s`. `retry_s`: an agent who missed, declined or could not be reached
    is not rung again for so long (the caller goes on to the next agent at once). `autopause_after`: missed offers in
    a row.
    """

    name: str
    strategy: Strategy = Strategy.LONGEST_IDLE
    weight: int = 0
    maxlen: int = 0
    servicelevel_s: float = 20.0
    ring_timeout_s: float = 15.0
    retry_s: float = 5.0
    wrapuptime_s: float = 0.0
    ring_progressively_delay_s: float = 10.0
    autofill: bool = True
    autopause: Autopause = Autopause.NO
    autopause_after: int = 1
    penaltymemberslimit: int = 0
    max_penalty: int | None = None
    ageing_s: float = 0.0
    relax: tuple[Relax, ...] = ()
    joinempty: frozenset[Empty] = STRICT
    leavewhenempty: frozenset[Empty] = frozenset()


@dataclass(frozen=True, slots=True)
class Membership:
    """An agent's place in one queue: lower `penalty` rings first, `order` is the place among its members (that of the
    configuration, or in which they were added). `paused`: in this queue only, by autopause = yes. `calls` and
    `last_call` (its end, 0 never) count calls of this queue.
    """

    queue: str
    penalty: int = 0
    order: int = 0
    paused: bool = False
    calls: int = 0
    last_call: float = 0.0


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent as control knows it. Changed only by ivr.acd.agents.step, except memberships, skills and `registered`.

    `registered`: whether a phone is (None: the door has not told). `since`: of the state. `idle_since`: end of the
    last call, or the login. `missed`: offers in a row. `retry_at`: not rung before. `pause_reason`: in PAUSED.
    `pause_next`: a pause that begins when the call (and its wrap-up) is over, None for none; `logout_next` the same
    for a logout. `call_id`, `queue`: of the offer, the call or the wrap-up; `offer`: only in RINGING. `answered_at`:
    of the call. `wrap_up_until`: when WRAP_UP ends by itself. `last_call_id`, `disposition`: the call answered last
    and what was noted for it. `talk_s`, `calls`: since login.
    """

    name: str
    state: AgentState = AgentState.OFFLINE
    since: float = 0.0
    registered: bool | None = None
    memberships: tuple[Membership, ...] = ()
    skills: Mapping[str, int] = field(default_factory=dict)
    idle_since: float = 0.0
    missed: int = 0
    retry_at: float = 0.0
    pause_reason: str = ""
    pause_next: str | None = None
    logout_next: bool = False
    call_id: str | None = None
    queue: str | None = None
    offer: str | None = None
    answered_at: float | None = None
    wrap_up_until: float | None = None
    last_call_id: str | None = None
    disposition: str = ""
    talk_s: float = 0.0
    calls: int = 0

    def member_of(self, queue: str) -> Membership | None:
        """The place in that queue; None outside of it."""
        for membership in self.memberships:
            if membership.queue == queue:
                return membership
        return None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller (or, `virtual`, a callback ticket that keeps the caller's place) whom nobody has answered yet.

    Higher `priority` goes first. `skills`: level asked for. `not_before`: a ticket for a later hour, or whose number
    could not be reached just now. `tried`: the agents who were rung for it in vain, latest last, one name as often as
    it was rung.
    """

    call_id: str
    queue: str
    joined: float
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    virtual: bool = False
    not_before: float = 0.0
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """An agent's phone that rings for a call, or is about to; over by itself at `lease_until`."""

    offer: str
    call_id: str
    queue: str
    agent: str
    made: float
    lease_until: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a decision sees, by name, call id or offer id. `offers` has only live ones. `last_rung`: by queue, the
    agent who was rung last (for round robin). `handle_s`: by queue, average talk and wrap-up of recent calls.
    """

    queues: Mapping[str, QueueSettings] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)
    last_rung: Mapping[str, str] = field(default_factory=dict)
    handle_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member of the queue in a decision: rung, could have been (`score` set: what the strategy compares, the lower
    the sooner among the same penalty), or not (None). Candidates who can come in the order in which they would ring.
    `why` says it in words.
    """

    agent: str
    score: float | None
    rung: bool
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Ring these agents for this call, now, for `ring_timeout_s`. `offers` in the order in which they are to be made:
    the last one is the queue's next `last_rung`. `candidates`: every member, those rung first. `why`: one sentence.
    """

    call_id: str
    queue: str
    offers: tuple[str, ...]
    ring_timeout_s: float
    candidates: tuple[Candidate, ...]
    why: str
