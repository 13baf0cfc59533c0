"""Whatever happens in a centre, in whatever order: what must hold after each tick (the real decide and the real
agents).
"""

import random
from contextlib import suppress
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bench.centre import Centre
from ivr.acd.agents import Event, Signal
from ivr.acd.due import rung_out, wake, wrapped_up
from ivr.acd.empty import leavewhenempty
from ivr.acd.errors import RefusedError
from ivr.acd.model import Agent, AgentState, Autopause, Membership, QueueSettings, Relax, Strategy, Waiting
from ivr.acd.router import decide

NAMES = ["anna", "bob", "cora", "dan"]
QUEUES = ["q", "r", "s"]
SKILLS = st.sampled_from([{}, {}, {"zh": 2}, {"zh": 3, "cards": 1}])
PLACES = st.builds(Membership, st.just(""), penalty=st.integers(0, 2), order=st.integers(0, 3))
SETTINGS = st.builds(
    QueueSettings, st.just(""), strategy=st.sampled_from(Strategy), weight=st.integers(0, 1),
    ring_timeout_s=st.sampled_from([10.0, 15.0]), retry_s=st.sampled_from([0.0, 5.0]),
    ring_progressively_delay_s=st.sampled_from([3.0, 10.0]),
    wrapuptime_s=st.sampled_from([0.0, 10.0]), autofill=st.booleans(), autopause=st.sampled_from(Autopause),
    penaltymemberslimit=st.sampled_from([0, 2]), max_penalty=st.sampled_from([None, 1]),
    ageing_s=st.sampled_from([0.0, 30.0]),
    relax=st.sampled_from([(), (Relax(10, levels=1), Relax(20, levels=2, max_penalty=9))]),
    leavewhenempty=st.sampled_from(["no", "strict"]).map(leavewhenempty),
)  # fmt: skip


def naive_need(call: Waiting, queue: QueueSettings, few: bool, now: float) -> tuple[dict[str, int], float]:
    """The rule of relaxation, spelled out for these tests only."""
    levels, most = 0, float("inf") if queue.max_penalty is None else queue.max_penalty
    for step in queue.relax:
        if call.joined + step.after_s <= now:
            levels = step.levels
            most = most if step.max_penalty is None else step.max_penalty
    return {s: n - levels for s, n in call.skills.items()}, float("inf") if few else most


class Work(RuleBasedStateMachine):
    """Callers and agents do as they like; after each of it the centre ticks."""

    @initialize(data=st.data())
    def open(self, data):
        queues = {name: replace(data.draw(SETTINGS), name=name) for name in QUEUES}
        self.centre = Centre(queues, random.Random(data.draw(st.integers(0, 9))).random)
        self.now, self.calls = 1000.0, 0
        for name in NAMES:
            places = data.draw(st.dictionaries(st.sampled_from(QUEUES), PLACES))
            places = tuple(replace(place, queue=queue) for queue, place in places.items())
            skills = data.draw(SKILLS)
            state = data.draw(st.sampled_from([AgentState.OFFLINE, AgentState.READY]))
            self.centre.agents[name] = Agent(name, state, registered=True, memberships=places, skills=skills)
        self.before, self.rung = {}, []

    def tick(self):
        """One tick, remembered for the rules below."""
        self.before = {c: w for c, w in self.centre.waiting.items() if not self.offers_of(c)}
        self.rung = self.centre.tick(self.now)

    def offers_of(self, call_id):
        return [offer for offer in self.centre.offers.values() if offer.call_id == call_id]

    def can(self, agent, call):
        """Whether the agent may have the call and be rung: the oracle, independent of ivr.acd.members."""
        place = next((m for m in agent.memberships if m.queue == call.queue), None)
        if place is None or place.paused or agent.state is not AgentState.READY:
            return False
        if agent.registered is False or agent.retry_at > self.now:
            return False
        queue = self.centre.queues[call.queue]
        size = sum(any(m.queue == call.queue for m in a.memberships) for a in self.centre.agents.values())
        skills, most = naive_need(call, queue, size <= queue.penaltymemberslimit, self.now)
        return place.penalty <= most and all(agent.skills.get(s, 0) >= level for s, level in skills.items())

    @rule(queue=st.sampled_from(QUEUES), priority=st.integers(0, 1), skills=SKILLS, virtual=st.booleans())
    def join(self, queue, priority, skills, virtual):
        self.calls += 1
        self.centre.join(Waiting(f"c{self.calls}", queue, self.now, priority, skills, virtual))
        self.tick()

    @rule(data=st.data())
    def hang_up(self, data):
        if self.centre.waiting:
            self.centre.leave(data.draw(st.sampled_from(sorted(self.centre.waiting))), self.now)
        self.tick()

    @rule(
        name=st.sampled_from(NAMES),
        signal=st.sampled_from([s for s in Signal if s not in {Signal.OFFER, Signal.FOUND}]),
    )
    def signal(self, name, signal):
        with suppress(RefusedError):
            self.centre.signal(name, Event(signal, reason="tea" if signal is Signal.PAUSE else ""), self.now)
        self.tick()

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def find(self, name, data):
        """A worker says that the agent talks to a caller who was believed to wait."""
        if self.centre.waiting:
            call = self.centre.waiting[data.draw(st.sampled_from(sorted(self.centre.waiting)))]
            found = Event(Signal.FOUND, call_id=call.call_id, queue=call.queue)
            assert self.centre.signal(name, found, self.now).state is AgentState.ANSWERED
        self.tick()

    @rule(name=st.sampled_from(NAMES))
    def log_in(self, name):
        self.centre.signal(name, Event(Signal.LOGIN), self.now)
        self.tick()

    @rule(name=st.sampled_from(NAMES), there=st.sampled_from([True, False, None]))
    def register(self, name, there):
        self.centre.agents[name] = replace(self.centre.agents[name], registered=there)
        self.tick()

    @rule(seconds=st.sampled_from([0.25, 3.0, 10.0, 40.0]))
    def time(self, seconds):
        self.now += seconds
        self.tick()

    @rule()
    def sleep_until_woken(self):
        """Between now and the time that wake names nothing can be decided and nothing is due."""
        snapshot = self.centre.snapshot()
        due = wake(snapshot, self.now)
        between = self.now + 100 if due is None else (self.now + due) / 2
        assert decide(snapshot, between, lambda: 0.5) == []
        assert wrapped_up(snapshot, between) == rung_out(snapshot, between) == []
        self.now = due or self.now
        self.tick()

    @invariant()
    def no_agent_has_two_offers_and_rings_exactly_with_one(self):
        agents = [offer.agent for offer in self.centre.offers.values()]
        assert len(agents) == len(set(agents))
        assert set(agents) == {n for n, a in self.centre.agents.items() if a.state is AgentState.RINGING}
        for offer in self.centre.offers.values():
            agent = self.centre.agents[offer.agent]
            assert (agent.offer, agent.call_id) == (offer.offer, offer.call_id)
            assert offer.call_id in self.centre.waiting

    @invariant()
    def nobody_waits_while_an_eligible_agent_is_free(self):
        """Which is also: nobody waits behind an agent who cannot be had, or behind another caller's needs."""
        for call in self.centre.waiting.values():
            queue = self.centre.queues[call.queue]
            serial = not queue.autofill and any(o.queue == call.queue for o in self.centre.offers.values())
            if not self.offers_of(call.call_id) and not serial:
                assert not any(self.can(agent, call) for agent in self.centre.agents.values()), call

    @invariant()
    def only_who_may_have_the_call_is_rung(self):
        for decision in self.rung:
            call = self.centre.waiting[decision.call_id]
            for name in decision.offers:
                as_before = replace(self.centre.agents[name], state=AgentState.READY)
                assert self.can(as_before, call)

    @invariant()
    def equal_callers_are_served_first_come_first_served(self):
        got = {decision.call_id for decision in self.rung}
        for late in self.before.values():
            for early in self.before.values():
                same = (early.queue, early.priority, early.skills) == (late.queue, late.priority, late.skills)
                if late.call_id in got and same and early.joined < late.joined:
                    assert early.call_id in got

    @invariant()
    def every_decision_tells_of_every_member(self):
        for decision in self.rung:
            members = {n for n, a in self.centre.agents.items() if a.member_of(decision.queue)}
            assert {c.agent for c in decision.candidates} == members
            assert all(c.why for c in decision.candidates)
            assert [c.agent for c in decision.candidates if c.rung] == list(decision.offers)

    @invariant()
    def asked_again_it_has_nothing_new(self):
        assert decide(self.centre.snapshot(), self.now, lambda: 0.5) == []


Work.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestWork = Work.TestCase


CALLERS = st.lists(st.tuples(st.integers(0, 999), st.integers(0, 2)), min_size=1, max_size=8, unique_by=lambda c: c[0])


@settings(deadline=None)
@given(
    CALLERS, st.integers(1, 8), st.sampled_from([0.0, 30.0]), st.sampled_from([s for s in Strategy if s != "ringall"])
)
def test_within_a_priority_callers_are_served_first_come_first_served(callers, free, ageing_s, strategy):
    centre = Centre({"q": QueueSettings("q", strategy, ageing_s=ageing_s)}, random.Random(1).random)
    for number in range(free):
        centre.agents[f"a{number}"] = Agent(f"a{number}", AgentState.READY, memberships=(Membership("q"),))
    for joined, priority in callers:
        centre.join(Waiting(f"c{joined}", "q", float(joined), priority))
    served = [decision.call_id for decision in centre.tick(1000.0)]
    assert len(served) == min(free, len(callers))
    for wanted in {priority for _, priority in callers}:
        line = [f"c{joined}" for joined, priority in sorted(callers) if priority == wanted]
        assert [call for call in served if call in line] == line[: sum(call in line for call in served)]
        if not ageing_s and any(call in line for call in served):
            assert all(f"c{joined}" in served for joined, priority in callers if priority > wanted)
