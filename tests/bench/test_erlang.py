"""The simulation that measures the ACD: it knows Erlang's numbers, and the ACD serves like the textbook's queue."""

import pytest

from bench.erlang import erlang_c, shared
from bench.traffic import Textbook, lognormal, one_queue, poisson, simulate
from ivr.acd.model import Strategy


@pytest.mark.parametrize(("agents", "service_level", "asa_s"), [(14, 0.888, 7.84), (13, 0.796, 17.1)])
def test_erlang_c_of_ten_erlangs(agents, service_level, asa_s):
    expected = erlang_c(10, agents, 180)
    assert expected.service_level == pytest.approx(service_level, abs=0.0005)
    assert expected.asa_s == pytest.approx(asa_s, abs=0.05)


def test_one_agent_is_the_m_m_1_queue():
    """There the share of callers who wait is the load, and the mean wait load / (1 - load) talks."""
    expected = erlang_c(0.8, 1, 100)
    assert (expected.waits, expected.asa_s) == (pytest.approx(0.8), pytest.approx(400))


@pytest.mark.parametrize("strategy", [strategy for strategy in Strategy if strategy is not Strategy.RINGALL])
def test_with_equal_agents_every_strategy_serves_first_come_first_served_without_losing_a_second(strategy):
    run = simulate(one_queue(6, strategy), poisson(5, 180, 1500, seed=2), Textbook(6))
    assert run.calls == 1500
    assert run.asa_s > 5
    assert run.strayed_s < 1e-6


def test_the_service_level_of_many_callers_is_erlang_c_s():
    run = simulate(one_queue(14), poisson(10, 180, 20_000, seed=14))
    theory = erlang_c(run.load, 14)
    assert run.service_level == pytest.approx(theory.service_level, rel=0.03)


def test_the_expected_wait_of_a_busy_centre_is_right_within_a_third_for_most():
    guesses = shared(4000).guesses
    near = sum(abs(expected - waited) < waited / 3 for expected, waited in guesses)
    assert len(guesses) > 1000
    assert near > len(guesses) / 2


def test_talks_have_the_mean_and_the_share_of_queues_that_are_asked_for():
    calls = list(lognormal({"a": 6, "b": 2}, 150, 0.7, 20_000, seed=5))
    assert sum(call.talk_s for call in calls) / len(calls) == pytest.approx(150, rel=0.03)
    assert sum(call.queue == "a" for call in calls) / len(calls) == pytest.approx(0.75, rel=0.03)
    assert sum(call.talk_s for call in calls) / calls[-1].at == pytest.approx(8, rel=0.03)
