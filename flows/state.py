"""Where a conversation stands: one frozen value that can be written as JSON and read back equal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter, ValidationError

from flows.actions import Play
from flows.errors import SnapshotError
from flows.turn import Turn


class Phase(StrEnum):
    """What the conversation waits for."""

    NEW = "new"
    """The start of the call."""
    ASKING = "asking"
    """An answer."""
    CONFIRMING = "confirming"
    """Yes or no to what was understood."""
    EXPLAINING = "explaining"
    """The reason for a mark, in the caller's own words."""
    WAITING = "waiting"
    """The answer to a `Request`, or a timer."""
    DRAINING = "draining"
    """The end of the prompts before something is done."""
    HOLDING = "holding"
    """A person; music plays meanwhile."""
    TALKING = "talking"
    """The end of the caller's talk with a person; keys and speech are theirs."""
    ENDED = "ended"
    """Nothing: the flow is over."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An answer that was understood but not yet confirmed."""

    value: Any
    text: str
    target: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Hold:
    """A caller who waits for a person, or talks with one: the number of the request, and what was heard of it.

    `since` is when the wait began, which is `fresh` until anything is heard of it. Prompts with a number above `first`
    belong to it, `music` is the one that is music, begun at `music_at` (0: none yet); `mute` says that it cannot be
    played. `position` 0: not known. `said_*` are what was announced last, and when.
    """

    request: int
    since: float
    first: int
    fresh: bool = False
    music: int = 0
    music_at: float = 0.0
    mute: bool = False
    position: int = 0
    expected_wait_s: float = 0.0
    announce_position: str = "no"
    announce_holdtime: str = "no"
    said_position: int = 0
    said_holdtime: bool = False
    said_at: float | None = None
    comforts: int = 0
    agent: str = ""
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a queue, kept for one who comes back or books a callback: since when, and with what."""

    joined: float
    skills: Mapping[str, int]
    priority: int
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Frame:
    """A flow that waits for the sub-flow it called; `history` are its asking steps until then."""

    flow: str
    step: str
    variables: Mapping[str, Any]
    secrets: frozenset[str]
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Everything about a conversation but the flow's text. Durations and times are seconds.

    `within` is the sub-flow that runs now, "" for the flow itself; `counts` counts events during the present visit of
    the step; `keys` are those of the entry under way, `ahead` those typed before anybody asked; `history` are the
    asking steps before this one, `said` what `say` steps have said since the caller's last answer; `places` has the
    caller's in each queue, `priority` is that of queues to come. `quiet_since` is when nothing played any more, and the
    caller was to answer.
    """

    flow: str
    version: int
    language: str
    voice: str = ""
    phase: Phase = Phase.NEW
    within: str = ""
    step: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    frames: tuple[Frame, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    keys: str = ""
    ahead: str = ""
    pending: Pending | None = None
    turn: Turn = field(default_factory=Turn)
    timers: frozenset[str] = frozenset()
    prompts: int = 0
    requests: int = 0
    keys_only: bool = False
    history: tuple[str, ...] = ()
    said: tuple[Play, ...] = ()
    quiet_since: float | None = None
    hold: Hold | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    priority: int = 0


_ADAPTER = TypeAdapter(State)


def snapshot(state: State) -> dict[str, Any]:
    """The state as plain JSON."""
    dumped = _ADAPTER.dump_python(state, mode="json")
    assert isinstance(dumped, dict)
    for part in (dumped, *dumped["frames"]):
        part["secrets"] = sorted(part["secrets"])
    dumped["timers"] = sorted(dumped["timers"])
    return dumped


def restore(saved: Mapping[str, Any]) -> State:
    """The state that `snapshot` wrote. Raises SnapshotError."""
    try:
        return _ADAPTER.validate_python(dict(saved))
    except ValidationError as error:
        raise SnapshotError(f"not a saved conversation: {error.error_count()} fields do not fit") from error
