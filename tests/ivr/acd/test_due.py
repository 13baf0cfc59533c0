"""What time brings, and when to look again."""

from dataclasses import replace

import pytest

from ivr.acd.due import rung_out, wake, wrapped_up
from ivr.acd.model import AgentState, Offer, QueueSettings, Relax, Strategy, Waiting

S = AgentState
Q = QueueSettings("q", relax=(Relax(20, levels=1), Relax(40, levels=2)))
CALL = Waiting("c1", "q", 990.0)


def test_a_wrap_up_that_has_lasted_long_enough_is_over(agent, snapshot, now):
    agents = [agent("anna", state=S.WRAP_UP, wrap_up_until=now), agent("bob", state=S.WRAP_UP, wrap_up_until=now + 1)]
    assert [a.name for a in wrapped_up(snapshot(Q, agents), now)] == ["anna"]


def test_an_offer_whose_lease_has_ended_is_missed(snapshot, now):
    offers = [Offer("o1", "c1", "q", "anna", 0, now), Offer("o2", "c2", "q", "bob", 0, now + 1)]
    assert [o.offer for o in rung_out(snapshot(Q, [], [], offers), now)] == ["o1"]


def test_nothing_is_due_where_nothing_can_change_by_time(agent, snapshot, now):
    assert wake(snapshot(Q, [agent("anna", retry_at=now + 5)]), now) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 1010.0),
        ({"state": S.WRAP_UP, "wrap_up_until": 1004.0}, 1004.0),
        ({"retry_at": 1003.0}, 1003.0),
        ({"state": S.PAUSED, "retry_at": 1003.0}, 1010.0),
    ],
)
def test_the_next_look_is_when_a_need_relaxes_a_wrap_up_or_a_retry_ends(agent, snapshot, now, fields, expected):
    assert wake(snapshot(Q, [agent("anna", **fields)], [CALL]), now) == expected


def test_the_second_relaxation_comes_after_the_first(snapshot, now):
    assert wake(snapshot(Q, [], [CALL]), 1010) == 1030
    assert wake(snapshot(Q, [], [CALL]), 1030) is None


def test_leases_and_more_phones_are_waited_for(agent, snapshot, now):
    progressive = replace(Q, strategy=Strategy.RING_PROGRESSIVELY, ring_progressively_delay_s=4)
    offer = Offer("o1", "c1", "q", "anna", now, now + 15)
    anna = agent("anna", state=S.RINGING)
    assert wake(snapshot(progressive, [anna], [CALL], [offer]), now) == now + 4
    assert wake(snapshot(Q, [anna], [CALL], [offer]), now) == now + 15


def test_a_ticket_is_waited_for(snapshot, now):
    assert wake(snapshot(QueueSettings("q"), [], [replace(CALL, not_before=now + 7)]), now) == now + 7
