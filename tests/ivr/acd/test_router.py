"""Who goes first, who is considered, and what the decision says about it."""

from dataclasses import replace

import pytest

from ivr.acd.model import AgentState, Membership, Offer, QueueSettings, Relax, Strategy, Waiting
from ivr.acd.router import decide, explain

Q = QueueSettings("q")
S = AgentState


def no_draw() -> float:
    raise AssertionError("nothing is drawn here")


@pytest.fixture
def pairs(now):
    """(call, agents) of each decision."""
    return lambda snap, at=now: [(d.call_id, d.offers) for d in decide(snap, at, no_draw)]


def test_nobody_waits_or_nobody_is_free(agent, snapshot, pairs):
    assert pairs(snapshot(Q, [agent("anna")])) == []
    assert pairs(snapshot(Q, [agent("anna", state=S.PAUSED)], [Waiting("c1", "q", 1)])) == []


def test_first_come_first_served(agent, snapshot, pairs):
    calls = [Waiting("late", "q", 30), Waiting("early", "q", 10), Waiting("middle", "q", 20)]
    agents = [agent("anna", idle_since=1), agent("bob", idle_since=2)]
    assert pairs(snapshot(Q, agents, calls)) == [("early", ("anna",)), ("middle", ("bob",))]


def test_a_higher_priority_goes_first(agent, snapshot, pairs):
    calls = [Waiting("c1", "q", 10), Waiting("c2", "q", 20, priority=5)]
    assert pairs(snapshot(Q, [agent("anna")], calls)) == [("c2", ("anna",))]


@pytest.mark.parametrize(("joined", "first"), [(700, "old"), (701, "urgent")])
def test_ageing_lets_a_long_wait_overtake_a_higher_priority(agent, snapshot, pairs, joined, first):
    """60 seconds of waiting are one step: at 1000, 300 s are as much as priority 5 just now, and older wins."""
    settings = replace(Q, ageing_s=60)
    calls = [Waiting("old", "q", joined), Waiting("urgent", "q", 1000, priority=5)]
    assert pairs(snapshot(settings, [agent("anna")], calls))[0][0] == first


def test_weight_decides_between_queues(agent, snapshot, pairs):
    """queues.conf: "higher weights get first shot at available channels when the same channel is included in more than
    one queue"."""
    both = (Membership("q"), Membership("vip"))
    queues = [Q, QueueSettings("vip", weight=1)]
    calls = [Waiting("c1", "q", 10, priority=9), Waiting("c2", "vip", 20)]
    agents = [agent("anna", memberships=both), agent("bob", idle_since=1)]
    assert pairs(snapshot(queues, agents, calls)) == [("c2", ("anna",)), ("c1", ("bob",))]


def test_queues_of_the_same_weight_share_an_agent_first_come_first_served(agent, snapshot, pairs):
    calls = [Waiting("c1", "q", 20), Waiting("c2", "r", 10)]
    anna = agent("anna", memberships=(Membership("q"), Membership("r")))
    assert pairs(snapshot([Q, QueueSettings("r")], [anna], calls)) == [("c2", ("anna",))]


def test_a_caller_whom_nobody_can_serve_holds_nobody_up(agent, snapshot, pairs):
    calls = [Waiting("c1", "q", 10, skills={"zh": 1}), Waiting("c2", "q", 20)]
    assert pairs(snapshot(Q, [agent("anna")], calls)) == [("c2", ("anna",))]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"state": S.OFFLINE}, "not logged in"),
        ({"state": S.PAUSED, "pause_reason": "lunch"}, "paused: lunch"),
        ({"state": S.PAUSED}, "paused"),
        ({"state": S.RINGING, "call_id": "c9"}, "rings for call c9"),
        ({"state": S.ANSWERED, "call_id": "c9"}, "talks in call c9"),
        ({"state": S.HOLD, "call_id": "c9"}, "has call c9 on hold"),
        ({"state": S.WRAP_UP, "wrap_up_until": 1012.0}, "in wrap-up for 12 s more"),
        ({"registered": False}, "no phone is registered"),
        ({"retry_at": 1004.0}, "did not take the last offer, next one in 4 s"),
        ({"paused": True}, "paused in this queue after missed offers"),
        ({"penalty": 6}, "penalty 6 is above 5"),
        ({"skills": {"zh": 2, "cards": 1}}, "skill zh 2 of 3, loans 0 of 1"),
    ],
)
def test_an_agent_who_cannot_have_the_caller_is_not_rung_and_it_says_why(agent, snapshot, now, fields, why):
    fields = {"skills": {"zh": 3, "cards": 1, "loans": 1}} | fields
    call = Waiting("c1", "q", 990, skills={"zh": 3, "cards": 1, "loans": 1})
    good = {"skills": {"zh": 3, "cards": 1, "loans": 1}}
    snap = snapshot(replace(Q, max_penalty=5), [agent("anna", **fields), agent("bob", **good)], [call])
    [decision] = decide(snap, now, no_draw)
    assert decision.offers == ("bob",)
    assert {c.agent: (c.score, c.rung, c.why) for c in decision.candidates}["anna"] == (None, False, why)


def test_a_decision_tells_of_everybody(agent, snapshot, now):
    calls = [Waiting("c1", "q", 970, priority=2), Waiting("c2", "q", 980)]
    agents = [agent("anna", idle_since=900), agent("bob", idle_since=800), agent("cora", state=S.OFFLINE)]
    first, second = decide(snapshot(replace(Q, ring_timeout_s=20), agents, calls), now, no_draw)
    assert [(c.agent, c.rung, c.why) for c in first.candidates] == [
        ("bob", True, "idle for 200 s"), ("anna", False, "idle for 100 s"), ("cora", False, "not logged in"),
    ]  # fmt: skip
    assert first.why == "caller of queue q, priority 2, waited 30 s; longest-idle of 2 free among 3 members; rings bob"
    assert (first.ring_timeout_s, second.offers) == (20, ("anna",))
    assert second.candidates[1].why == "rings for call c1, which goes first"


def test_a_decision_can_be_asked_for_one_who_waits(agent, snapshot, now):
    snap = snapshot(Q, [agent("anna", state=S.PAUSED)], [Waiting("c1", "q", 970)])
    decision = explain(snap, "c1", now, no_draw)
    assert (decision.offers, decision.candidates[0].why) == ((), "paused")
    assert decision.why.endswith("nobody can be rung")


def test_a_decision_about_one_for_whom_a_phone_rings_says_whose(agent, snapshot, now):
    offer = Offer("o1", "c1", "q", "anna", now, now + 15)
    agents = [agent("anna", state=S.RINGING, call_id="c1"), agent("bob")]
    decision = explain(snapshot(Q, agents, [Waiting("c1", "q", 970)], [offer]), "c1", now, no_draw)
    assert decision.offers == ()
    assert decision.why.endswith("1 free among 2 members; anna rings already")


@pytest.mark.parametrize("strategy", [Strategy.RINGALL, Strategy.RING_PROGRESSIVELY])
def test_for_a_ticket_one_phone_rings_whatever_the_strategy(agent, snapshot, pairs, now, strategy):
    settings = replace(Q, strategy=strategy, ring_progressively_delay_s=1)
    ticket = Waiting("t", "q", 10, virtual=True)
    agents = [agent("anna"), agent("bob")]
    assert pairs(snapshot(settings, agents, [ticket])) == [("t", ("anna",))]
    ringing = [replace(agents[0], state=S.RINGING), agents[1]]
    assert pairs(snapshot(settings, ringing, [ticket], [Offer("o1", "t", "q", "anna", 1, now + 9)])) == []


RELAX = replace(Q, max_penalty=0, relax=(Relax(10, levels=1), Relax(20, levels=1, max_penalty=5), Relax(30, levels=9)))


STAGES = [
    (9, {"zh": 3}, 0, True), (9, {"zh": 2}, 0, False), (10, {"zh": 2}, 0, True), (19, {"zh": 2}, 5, False),
    (20, {"zh": 2}, 5, True), (20, {"zh": 2}, 6, False), (29, {"zh": 1}, 0, False), (30, {}, 5, True),
    (30, {}, 6, False),
]  # fmt: skip


@pytest.mark.parametrize(("waited", "skills", "penalty", "rung"), STAGES)
def test_skills_and_penalty_relax_with_the_wait(agent, snapshot, pairs, now, waited, skills, penalty, rung):
    caller = Waiting("c1", "q", now - waited, skills={"zh": 3})
    assert bool(pairs(snapshot(RELAX, [agent("anna", skills=skills, penalty=penalty)], [caller]))) == rung


def test_without_autofill_a_queue_rings_for_one_caller_at_a_time(agent, snapshot, pairs, now):
    """queues.conf, the old behaviour: all waiting callers wait "until the head caller is connected"."""
    serial = replace(Q, autofill=False)
    agents = [agent("anna", idle_since=1), agent("bob", idle_since=2)]
    calls = [Waiting("c1", "q", 10), Waiting("c2", "q", 20)]
    assert pairs(snapshot(serial, agents, calls)) == [("c1", ("anna",))]
    ringing = [replace(agents[0], state=S.RINGING), agents[1]]
    offer = Offer("o1", "c1", "q", "anna", now, now + 15)
    assert pairs(snapshot(serial, ringing, calls, [offer])) == []
    assert pairs(snapshot(Q, ringing, calls, [offer])) == [("c2", ("bob",))]


def test_ringall_adds_who_becomes_free_while_it_rings(agent, snapshot, pairs, now):
    everyone = replace(Q, strategy=Strategy.RINGALL)
    agents = [agent("anna", state=S.RINGING), agent("bob"), agent("cora", penalty=1)]
    offer = Offer("o1", "c1", "q", "anna", now, now + 15)
    waiting = [Waiting("c1", "q", 10)]
    assert pairs(snapshot(everyone, agents, waiting, [offer])) == [("c1", ("bob",))]
    others = snapshot(everyone, agents, [*waiting, Waiting("c2", "q", 20)], [offer])
    assert pairs(others) == [("c2", ("bob",))]


def test_a_ticket_is_served_at_its_place_and_not_before_its_hour(agent, snapshot, pairs, now):
    calls = [
        Waiting("later", "q", 1, virtual=True, not_before=now + 60), Waiting("ticket", "q", 10, virtual=True),
        Waiting("c1", "q", 20),
    ]  # fmt: skip
    snap = snapshot(Q, [agent("anna")], calls)
    assert pairs(snap) == [("ticket", ("anna",))]
    assert pairs(snap, now + 60) == [("later", ("anna",))]
    assert decide(snap, now, no_draw)[0].why.startswith("ticket of queue q")


def test_an_agent_with_an_offer_gets_no_second_one_whatever_the_state_says(agent, snapshot, pairs, now):
    offer = Offer("o1", "c1", "q", "anna", now, now + 15)
    assert pairs(snapshot(Q, [agent("anna")], [Waiting("c1", "q", 1), Waiting("c2", "q", 2)], [offer])) == []


def test_a_call_of_a_queue_that_is_gone_is_left_alone(agent, snapshot, pairs):
    assert pairs(snapshot(Q, [agent("anna")], [Waiting("c1", "gone", 1)])) == []


def test_a_phone_that_the_door_has_not_told_of_is_tried(agent, snapshot, pairs):
    assert pairs(snapshot(Q, [agent("anna", registered=None)], [Waiting("c1", "q", 1)])) == [("c1", ("anna",))]
