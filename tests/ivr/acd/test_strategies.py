"""Each strategy against the rule that its product documents.

queues.conf: the comments of Asterisk's configs/samples/queues.conf.sample. mod_callcenter: FreeSWITCH's documentation.
"""

from dataclasses import replace

import pytest

from ivr.acd.model import Offer, QueueSettings, Relax, Strategy, Waiting
from ivr.acd.router import decide, explain

CALL = Waiting("c1", "q", 990.0)


@pytest.fixture
def rings(agent, snapshot, now):
    """Who rings for one call: agents by keyword (their fields), in rank order if `everybody`."""

    def ask(strategy, agents, call=CALL, draw=None, **more):
        settings = QueueSettings("q", strategy=Strategy(strategy), **more.pop("settings", {}))
        snap = snapshot(settings, [agent(name, **fields) for name, fields in agents.items()], [call], **more)
        [decision] = decide(snap, now, draw or (lambda: 0.0))
        assert decision.offers == tuple(c.agent for c in decision.candidates if c.rung)
        return decision.offers

    return ask


@pytest.fixture
def ranked(agent, snapshot, now):
    """All who could be rung, first to ring first."""

    def ask(strategy, agents, call=CALL, draw=None, **more):
        settings = QueueSettings("q", strategy=Strategy(strategy), **more.pop("settings", {}))
        snap = snapshot(settings, [agent(name, **fields) for name, fields in agents.items()], [call], **more)
        return [c.agent for c in explain(snap, "c1", now, draw or (lambda: 0.0)).candidates if c.score is not None]

    return ask


def test_ringall(rings):
    """queues.conf: "ringall - ring all available channels until one answers (default)"."""
    assert rings("ringall", {"anna": {}, "bob": {}, "cora": {"paused": True}}) == ("anna", "bob")


def test_ringall_keeps_to_the_lowest_penalty(rings):
    """queues.conf: "entries with higher penalties are considered last"."""
    assert rings("ringall", {"anna": {"penalty": 1}, "bob": {"penalty": 0}, "cora": {"penalty": 0}}) == ("bob", "cora")


def test_leastrecent(ranked):
    """queues.conf: "leastrecent - ring interface which was least recently hung up by this queue"."""
    agents = {"anna": {"last_call": 900}, "bob": {"last_call": 800}, "cora": {"last_call": 0}}
    assert ranked("leastrecent", agents) == ["cora", "bob", "anna"]


def test_leastrecent_looks_at_this_queue_only(rings):
    """The same: "by this queue"; the end of the last call of all does not matter."""
    agents = {"anna": {"last_call": 100, "idle_since": 999}, "bob": {"last_call": 200, "idle_since": 200}}
    assert rings("leastrecent", agents) == ("anna",)


def test_fewestcalls(ranked):
    """queues.conf: "fewestcalls - ring the one with fewest completed calls from this queue"."""
    agents = {"anna": {"calls": 7}, "bob": {"calls": 3, "talk_s": 9999}, "cora": {"calls": 5}}
    assert ranked("fewestcalls", agents) == ["bob", "cora", "anna"]


def test_random(rings, draws):
    """queues.conf: "random - ring random interface"."""
    agents = {"anna": {}, "bob": {}, "cora": {}}
    assert rings("random", agents, draw=draws(0.5, 0.9, 0.1)) == ("cora",)
    assert rings("random", agents, draw=draws(0.5, 0.2, 0.6)) == ("bob",)


@pytest.mark.parametrize(("last", "expected"), [(None, "anna"), ("anna", "bob"), ("bob", "cora"), ("cora", "anna")])
def test_rrmemory(rings, last, expected):
    """queues.conf: "rrmemory - round robin with memory, remember where we left off last ring pass"."""
    agents = {"anna": {}, "bob": {}, "cora": {}}
    assert rings("rrmemory", agents, last_rung={"q": last} if last else {}) == (expected,)


def test_rrmemory_goes_on_from_a_member_who_is_not_free_any_more(rings, agent):
    """ "where we left off" is a place in the round, whatever became of the member there."""
    agents = {"anna": {}, "bob": {"paused": True}, "cora": {}}
    assert rings("rrmemory", agents, last_rung={"q": "bob"}) == ("cora",)


def test_rrordered(rings):
    """queues.conf: "rrordered - same as rrmemory, except the queue member order from config file is preserved"."""
    agents = {"anna": {"order": 2}, "bob": {"order": 0}, "cora": {"order": 1}}
    assert [rings("rrordered", agents, last_rung={"q": last}) for last in ("bob", "cora", "anna")] == [
        ("cora",), ("anna",), ("bob",),
    ]  # fmt: skip
    assert rings("rrordered", agents) == ("bob",)


def test_round_robin_goes_on_within_one_decision(agent, snapshot, now):
    """ "remember where we left off": the second caller of the same moment gets the next member."""
    settings = QueueSettings("q", strategy=Strategy.RRORDERED)
    agents = [agent(name, order=place) for place, name in enumerate(["anna", "bob", "cora"])]
    calls = [Waiting("c1", "q", 1.0), Waiting("c2", "q", 2.0)]
    found = decide(snapshot(settings, agents, calls, last_rung={"q": "bob"}), now, lambda: 0.0)
    assert [d.offers for d in found] == [("cora",), ("anna",)]


def test_linear(ranked):
    """queues.conf: "linear - rings interfaces in the order specified in this configuration file. If you use dynamic
    members, the members will be rung in the order in which they were added"."""
    agents = {"anna": {"order": 2}, "bob": {"order": 1}, "cora": {"order": 0}}
    assert ranked("linear", agents, last_rung={"q": "cora"}) == ["cora", "bob", "anna"]


def test_linear_goes_to_the_next_when_one_did_not_answer(rings):
    """Within one call app_queue goes down the list and begins again at its end."""
    agents = {"anna": {"order": 2}, "bob": {"order": 1}, "cora": {"order": 0}}
    assert rings("linear", agents, call=replace(CALL, tried=("cora",))) == ("bob",)
    assert rings("linear", agents, call=replace(CALL, tried=("cora", "bob", "anna"))) == ("cora",)


def test_wrandom(agent, snapshot, now):
    """queues.conf: "a member with penalty 0 will have a metric somewhere between 0 and 1000, and a member with
    penalty 1 will have a metric between 0 and 2000".
    """
    agents = [agent("anna", penalty=0), agent("bob", penalty=1), agent("cora", penalty=2)]
    snap = snapshot(QueueSettings("q", strategy=Strategy.WRANDOM), agents, [CALL])
    scores = {c.agent: c.score for c in explain(snap, "c1", now, lambda: 0.5).candidates}
    assert scores == {"anna": 500, "bob": 1000, "cora": 1500}


def test_wrandom_uses_the_penalty_only_as_a_weight(rings, draws):
    """queues.conf: "It is ONLY used as a weight for calculating metric"."""
    assert rings("wrandom", {"anna": {"penalty": 0}, "bob": {"penalty": 3}}, draw=draws(0.9, 0.1)) == ("bob",)


def test_longest_idle(ranked):
    """mod_callcenter: "longest-idle-agent: Rings the agent who has been idle the longest taking into account tier
    level".
    """
    agents = {"anna": {"idle_since": 500}, "bob": {"idle_since": 400}, "cora": {"idle_since": 100, "penalty": 2}}
    assert ranked("longest-idle", agents) == ["bob", "anna", "cora"]


def test_agent_with_least_talk_time(ranked):
    """mod_callcenter: "agent-with-least-talk-time"; tier level, then talk time, then position."""
    agents = {"anna": {"talk_s": 50}, "bob": {"talk_s": 20}, "cora": {"talk_s": 20, "order": -1}, "dan": {"penalty": 1}}
    assert ranked("agent-with-least-talk-time", agents) == ["cora", "bob", "anna", "dan"]


PROGRESSIVE = QueueSettings("q", strategy=Strategy.RING_PROGRESSIVELY, ring_progressively_delay_s=10)


@pytest.mark.parametrize(
    ("rang", "expected"), [((), [("anna",)]), ((995,), []), ((990,), [("bob",)]), ((980, 990), [("cora",)])]
)
def test_ring_progressively(agent, snapshot, now, rang, expected):
    """mod_callcenter: "Rings agents in the same way as top-down, but keeping the previous members ringing"; ring-
    progressively-delay is "the delay to wait before starting call to the next agent"."""
    agents = [agent(name, order=place) for place, name in enumerate(["anna", "bob", "cora"])]
    offers = [Offer(f"o{place}", "c1", "q", agents[place].name, made, made + 60) for place, made in enumerate(rang)]
    agents = [a if place >= len(rang) else replace(a, state="ringing") for place, a in enumerate(agents)]
    found = decide(snapshot(PROGRESSIVE, agents, [CALL], offers), now, lambda: 0.0)
    assert [decision.offers for decision in found] == expected


def test_skill_score_rings_who_lacks_least_and_would_be_wasted_least(ranked):
    """Ours: first who lacks least of what was asked, then the fewest levels to spare and other skills."""
    call = replace(CALL, skills={"cards": 3}, joined=900.0)
    agents = {
        "exact": {"skills": {"cards": 3}},
        "expert": {"skills": {"cards": 5}},
        "linguist": {"skills": {"cards": 3, "zh": 5}},
        "novice": {"skills": {"cards": 1}},
        "stranger": {},
    }
    relaxed = {"relax": (Relax(60, levels=2),)}
    assert ranked("skill-score", agents, call) == ["exact", "expert", "linguist"]
    assert ranked("skill-score", agents, call, settings=relaxed) == ["exact", "expert", "linguist", "novice"]


def test_skill_score_takes_the_longest_idle_of_equals(ranked):
    agents = {"anna": {"idle_since": 500}, "bob": {"idle_since": 400}}
    assert ranked("skill-score", agents) == ["bob", "anna"]


ORDERED = [strategy for strategy in Strategy if strategy is not Strategy.WRANDOM]


@pytest.mark.parametrize("strategy", ORDERED)
def test_a_lower_penalty_rings_first_in_every_strategy(rings, strategy):
    """queues.conf: "entries with higher penalties are considered last"; here they are worse in nothing else."""
    agents = {
        "anna": {"penalty": 1},
        "bob": {"penalty": 0, "order": 9, "calls": 9, "last_call": 999, "idle_since": 999},
    }
    assert rings(strategy, agents) == ("bob",)


@pytest.mark.parametrize("strategy", ORDERED)
def test_penaltymemberslimit(rings, strategy):
    """queues.conf: "No penalty will be weighed in if there are only X or fewer queue members"."""
    agents = {"anna": {"penalty": 1}, "bob": {"order": 9, "calls": 9, "last_call": 999, "idle_since": 999, "talk_s": 9}}
    draw = iter([0.1, 0.9]).__next__
    assert "anna" in rings(strategy, agents, draw=draw, settings={"penaltymemberslimit": 2})
