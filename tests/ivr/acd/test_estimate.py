"""Position, expected wait, and a queue at a glance."""

from dataclasses import replace

import pytest

from ivr.acd.estimate import HANDLE_S, Place, Staffing, learned, place, places, staffing
from ivr.acd.model import AgentState, Membership, Offer, QueueSettings, Waiting

S = AgentState
Q = QueueSettings("q")


def test_each_caller_ahead_costs_one_agent_s_turn(agent, snapshot, now):
    agents = [agent(name, state=S.ANSWERED) for name in "abcd"]
    waiting = [Waiting("c2", "q", 20), Waiting("c1", "q", 10), Waiting("c3", "q", 30, virtual=True)]
    found = places(snapshot(Q, agents, waiting, handle_s={"q": 120}), now)
    assert found == {"c1": Place(1, 30.0), "c2": Place(2, 60.0), "c3": Place(3, 90.0)}


def test_who_is_rung_for_waits_no_more_and_costs_nobody_a_turn(agent, snapshot, now):
    agents = [agent("anna", state=S.RINGING), agent("bob", state=S.ANSWERED)]
    waiting = [Waiting("c1", "q", 10), Waiting("c2", "q", 20)]
    offers = [Offer("o1", "c1", "q", "anna", now, now + 15)]
    found = places(snapshot(Q, agents, waiting, offers, handle_s={"q": 120}), now)
    assert found == {"c1": Place(1, 0.0), "c2": Place(2, 60.0)}


def test_with_a_free_agent_there_is_no_wait(agent, snapshot, now):
    agents = [agent("anna"), agent("bob", state=S.ANSWERED)]
    assert place(snapshot(Q, agents), Waiting("new", "q", now), now) == Place(1, 0.0)


def test_only_agents_who_can_take_the_caller_count(agent, snapshot, now):
    agents = [
        agent("anna", state=S.ANSWERED, skills={"zh": 2}),
        agent("bob", state=S.ANSWERED),
        agent("cora", state=S.PAUSED),
    ]
    snap = snapshot(Q, agents, [Waiting("en", "q", 1), Waiting("zh", "q", 2, skills={"zh": 1})])
    assert places(snap, now)["zh"].expected_wait_s == pytest.approx(1.5 * HANDLE_S)
    assert place(snap, Waiting("fr", "q", 3, skills={"fr": 1}), now) == Place(3, None)


def test_callers_of_another_queue_count_as_far_as_they_want_the_same_agents(agent, snapshot, now):
    both = (Membership("q"), Membership("r"))
    agents = [agent("anna", state=S.ANSWERED, memberships=both), agent("bob", "r", S.ANSWERED)]
    snap = snapshot([Q, QueueSettings("r")], agents, [Waiting("other", "r", 1), Waiting("mine", "q", 2)])
    assert places(snap, now)["mine"] == Place(1, 1.5 * HANDLE_S)


def test_a_heavier_queue_goes_first(agent, snapshot, now):
    both = (Membership("q"), Membership("r"))
    snap = snapshot(
        [Q, QueueSettings("r", weight=1)], [agent("anna", state=S.ANSWERED, memberships=both)],
        [Waiting("mine", "q", 1), Waiting("other", "r", 2)], handle_s={"q": 100, "r": 100},
    )  # fmt: skip
    assert places(snap, now) == {"other": Place(1, 100), "mine": Place(1, 200)}


def test_who_has_talked_longest_is_expected_to_be_free_first_and_a_wrap_up_ends_when_it_ends(agent, snapshot, now):
    agents = [
        agent("anna", state=S.ANSWERED, answered_at=now - 9, skills={"zh": 1}),
        agent("bob", state=S.HOLD, answered_at=now - 99),
        agent("cora", state=S.WRAP_UP, wrap_up_until=now + 7, answered_at=None),
    ]  # fmt: skip
    snap = snapshot(Q, agents, [Waiting("c1", "q", 1), Waiting("c2", "q", 2)], handle_s={"q": 100})
    assert places(snap, now) == {"c1": Place(1, 7.0), "c2": Place(2, 50.0)}
    assert place(snap, Waiting("zh", "q", 3, skills={"zh": 1}), now).expected_wait_s == 100


def test_who_talks_has_the_wrap_up_still_to_come(agent, snapshot, now):
    settings = replace(Q, wrapuptime_s=40)
    agents = [agent("anna", state=S.ANSWERED, answered_at=1.0), agent("bob", state=S.ANSWERED, answered_at=2.0)]
    snap = snapshot(settings, agents, [Waiting("c1", "q", 1), Waiting("c2", "q", 2)], handle_s={"q": 100})
    assert [place.expected_wait_s for place in places(snap, now).values()] == [70, 100]


def test_staffing(agent, snapshot, now):
    agents = [
        agent("anna"),
        agent("bob", state=S.PAUSED),
        agent("cora", state=S.OFFLINE),
        agent("dan", retry_at=now + 1),
    ]
    snap = snapshot(Q, agents, [Waiting("c1", "q", 1)])
    assert staffing(snap, "q", now) == Staffing(logged_in=3, ready=1, waiting=1, expected_wait_s=1.0)
    nobody = replace(snap, agents={})
    assert staffing(nobody, "q", now) == Staffing(0, 0, 1, None)
    with pytest.raises(KeyError):
        staffing(snap, "gone", now)


def test_a_ticket_for_later_has_a_place_as_if_its_hour_had_come(agent, snapshot, now):
    ticket = Waiting("t", "q", now, virtual=True, not_before=now + 3600)
    assert place(snapshot(Q, [agent("anna")], [Waiting("c1", "q", 1)]), ticket, now) == Place(2, HANDLE_S)


def test_the_average_handle_time_follows_the_calls():
    average = None
    for took in [100.0] * 5 + [200.0] * 500:
        average = learned(average, took)
    assert learned(None, 100.0) == 100.0
    assert average == pytest.approx(200, abs=0.1)
