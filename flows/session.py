"""One caller's conversation: the one thing outside of `flows` that code which runs a flow needs."""

from collections.abc import Mapping
from typing import Any

from flows import machine, state
from flows.actions import Action, BargeIn
from flows.errors import SnapshotError
from flows.events import Event
from flows.flow import Flow
from flows.state import Phase, State
from flows.steps.speech import Gather


class Session:
    """Feeds events to the engine and keeps its state. Not thread-safe; holds no resources."""

    def __init__(self, flow: Flow, at: State) -> None:
        self._flow = flow
        self._state = at

    @classmethod
    def start(cls, flow: Flow, variables: Mapping[str, Any] | None = None) -> "Session":
        """A conversation that has not begun; `CallStarted` begins it. `variables` are plain JSON values."""
        return cls(flow, machine.begin(flow, dict(variables or {})))

    @classmethod
    def resume(cls, flow: Flow, saved: Mapping[str, Any]) -> "Session":
        """Goes on where `snapshot` was taken. Raises SnapshotError if it is not one of this flow and version."""
        at = state.restore(saved)
        if (at.flow, at.version) != (flow.name, flow.version):
            raise SnapshotError(f"saved in {at.flow} {at.version}, this is {flow.name} {flow.version}")
        if (at.within and at.within not in flow.callees) or (at.step and at.step not in _active(flow, at).steps):
            raise SnapshotError(f"{flow.name} {flow.version} has no step {at.within or flow.name}.{at.step}")
        return cls(flow, at)

    def handle(self, event: Event, now: float) -> tuple[Action, ...]:
        """Tells the engine what happened at `now` (Unix seconds); carry out what it answers, in order. Never raises."""
        self._state, actions = machine.step(self._flow, self._state, event, now)
        return actions

    def snapshot(self) -> dict[str, Any]:
        """The whole conversation as plain JSON, secrets included: keep it as carefully as a recording."""
        return state.snapshot(self._state)

    @property
    def flow(self) -> Flow:
        """The flow this call keeps to its end."""
        return self._flow

    @property
    def step(self) -> str:
        """The name of the present step; "" before the first."""
        return self._state.step

    @property
    def language(self) -> str:
        """What is spoken now."""
        return self._state.language

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables as they are now, secrets included."""
        return self._state.variables

    @property
    def is_secret(self) -> bool:
        """Whether what the caller says or keys in now must not be written down."""
        step = _active(self._flow, self._state).steps.get(self._state.step)
        return isinstance(step, Gather) and step.secret and not self.ended

    @property
    def is_key_secret(self) -> bool:
        """Whether a key pressed now must not be written down: also one typed ahead, where a secret step may take it."""
        at = self._state
        asked = at.phase in (Phase.ASKING, Phase.CONFIRMING, Phase.EXPLAINING) and at.turn.mode is not BargeIn.NO
        kept = not asked and at.phase is not Phase.HOLDING
        return self.is_secret or (kept and any(map(_has_secrets, (self._flow, *self._flow.callees.values()))))

    @property
    def is_holding(self) -> bool:
        """Whether the caller waits for a person, with music."""
        return self._state.phase is Phase.HOLDING

    @property
    def is_talking(self) -> bool:
        """Whether the caller talks with a person; what they say and key in is not the flow's."""
        return self._state.phase is Phase.TALKING

    @property
    def ended(self) -> bool:
        """Whether the flow is over; its last prompts may still be playing."""
        return self._state.phase is Phase.ENDED


def _has_secrets(flow: Flow) -> bool:
    return any(isinstance(step, Gather) and step.secret for step in flow.steps.values())


def _active(flow: Flow, at: State) -> Flow:
    return flow.callees.get(at.within, flow)
