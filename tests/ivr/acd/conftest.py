"""A small contact centre to decide about."""

from collections.abc import Callable, Iterable

import pytest

from ivr.acd.model import Agent, AgentState, Membership, Offer, QueueSettings, Snapshot, Waiting

NOW = 1000.0


def make_agent(name: str, queue: str = "q", state: AgentState = AgentState.READY, **fields) -> Agent:
    """An agent who is in `queue` (penalty, order, calls, last_call, paused go into the membership) and ready."""
    place = {k: fields.pop(k) for k in ("penalty", "order", "calls", "last_call", "paused") if k in fields}
    fields.setdefault("memberships", (Membership(queue, **place),))
    fields.setdefault("registered", True)
    if state not in {AgentState.OFFLINE, AgentState.READY, AgentState.PAUSED}:
        fields.setdefault("queue", queue)
    return Agent(name, state=state, **fields)


def make_snapshot(
    queues: Iterable[QueueSettings] | QueueSettings, agents: Iterable[Agent], waiting: Iterable[Waiting] = (),
    offers: Iterable[Offer] = (), **more,
) -> Snapshot:  # fmt: skip
    """A snapshot by names."""
    queues = [queues] if isinstance(queues, QueueSettings) else queues
    return Snapshot(
        {q.name: q for q in queues}, {a.name: a for a in agents}, {w.call_id: w for w in waiting},
        {o.offer: o for o in offers}, **more,
    )  # fmt: skip


@pytest.fixture
def now() -> float:
    return NOW


@pytest.fixture
def agent() -> Callable[..., Agent]:
    return make_agent


@pytest.fixture
def snapshot() -> Callable[..., Snapshot]:
    return make_snapshot


@pytest.fixture
def draws() -> Callable[..., Callable[[], float]]:
    """A draw that gives these numbers one after another."""
    return lambda *numbers: iter(numbers).__next__
