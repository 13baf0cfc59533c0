"""The agents' state machine: every pair of state and signal, what is kept for later, and that nothing stays behind."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ivr.acd
from ivr.acd.agents import AUTOPAUSE, OUTCOMES, TABLE, Event, Signal, step
from ivr.acd.errors import RefusedError
from ivr.acd.model import Agent, AgentState, Autopause, Membership, QueueSettings

S, A = Signal, AgentState
CARDS = QueueSettings("cards", wrapuptime_s=10, retry_s=5)
QUEUES = {"cards": CARDS, "loans": QueueSettings("loans")}
OFFER = Event(S.OFFER, call_id="c1", queue="cards", offer="o1")
ANNA = Agent("anna", memberships=(Membership("cards"), Membership("loans")))


def run(agent: Agent, *signals: Signal | Event, at: float = 100.0, queues: dict[str, QueueSettings] = QUEUES) -> Agent:
    """The agent after the signals, one second apart, the first at `at`."""
    for place, signal in enumerate(signals):
        agent = step(agent, signal if isinstance(signal, Event) else Event(signal), at + place, queues)
    return agent


IN = {
    A.OFFLINE: ANNA,
    A.READY: run(ANNA, S.LOGIN),
    A.RINGING: run(ANNA, S.LOGIN, OFFER),
    A.ANSWERED: run(ANNA, S.LOGIN, OFFER, S.ANSWER),
    A.HOLD: run(ANNA, S.LOGIN, OFFER, S.ANSWER, S.HOLD),
    A.WRAP_UP: run(ANNA, S.LOGIN, OFFER, S.ANSWER, S.OVER),
    A.PAUSED: run(ANNA, S.LOGIN, Event(S.PAUSE, reason="lunch")),
}

#                 offline     ready       ringing     answered    hold        wrap_up     paused
NEXT = {
    S.LOGIN: (A.READY, A.READY, A.RINGING, A.ANSWERED, A.HOLD, A.WRAP_UP, A.PAUSED),
    S.LOGOUT: (A.OFFLINE, A.OFFLINE, A.OFFLINE, A.ANSWERED, A.HOLD, A.OFFLINE, A.OFFLINE),
    S.READY: (None, A.READY, A.RINGING, A.ANSWERED, A.HOLD, A.READY, A.READY),
    S.PAUSE: (None, A.PAUSED, A.RINGING, A.ANSWERED, A.HOLD, A.PAUSED, A.PAUSED),
    S.UNPAUSE: (None, A.READY, A.RINGING, A.ANSWERED, A.HOLD, A.WRAP_UP, A.READY),
    S.WRAPPED_UP: (None, A.READY, A.RINGING, A.ANSWERED, A.HOLD, A.READY, A.PAUSED),
    S.OFFER: (None, A.RINGING, None, None, None, None, None),
    S.ANSWER: (None, None, A.ANSWERED, None, None, None, None),
    S.DECLINE: (None, None, A.READY, None, None, None, None),
    S.MISS: (None, None, A.READY, None, None, None, None),
    S.UNREACHABLE: (None, None, A.READY, None, None, None, None),
    S.CANCEL: (None, None, A.READY, None, None, None, None),
    S.FOUND: (A.ANSWERED,) * 4 + (A.HOLD, A.ANSWERED, A.ANSWERED),
    S.HOLD: (None, None, None, A.HOLD, A.HOLD, None, None),
    S.RESUME: (None, None, None, A.ANSWERED, A.ANSWERED, None, None),
    S.OVER: (None, None, None, A.WRAP_UP, A.WRAP_UP, None, None),
}
PAIRS = [(state, signal, NEXT[signal][column]) for signal in S for column, state in enumerate(A)]


@pytest.mark.parametrize(("state", "signal", "expected"), PAIRS)
def test_every_pair_of_state_and_signal_is_a_move_or_a_refusal(state, signal, expected):
    agent = IN[state]
    event = Event(signal, call_id="c1", queue="cards", offer="o2") if signal in {S.OFFER, S.FOUND} else Event(signal)
    assert agent.state is state
    if expected is None:
        with pytest.raises(RefusedError, match=f"anna .*{signal} in state {state}"):
            step(agent, event, 200.0, QUEUES)
    else:
        after = step(agent, event, 200.0, QUEUES)
        assert after.state is expected
        assert after.since == (agent.since if expected is state else 200.0)


def test_the_table_has_no_hole():
    assert set(TABLE) == set(Signal)
    assert all(len(row) == len(AgentState) for row in TABLE.values())
    assert set(OUTCOMES.values()) <= set(Signal)


@pytest.mark.parametrize("state", [A.RINGING, A.ANSWERED, A.HOLD])
def test_a_pause_during_a_call_takes_effect_after_it(state):
    during = run(IN[state], Event(S.PAUSE, reason="lunch"))
    assert during.state is state
    rest = {A.RINGING: (S.ANSWER, S.OVER), A.ANSWERED: (S.OVER,), A.HOLD: (S.OVER,)}[state]
    wrapping = run(during, *rest)
    assert (wrapping.state, wrapping.pause_next) == (A.WRAP_UP, "lunch")
    after = run(wrapping, S.WRAPPED_UP)
    assert (after.state, after.pause_reason, after.pause_next) == (A.PAUSED, "lunch", None)


def test_a_pause_during_a_ring_that_is_missed_takes_effect_at_once():
    assert run(IN[A.RINGING], Event(S.PAUSE, reason="tea"), S.MISS).pause_reason == "tea"


def test_a_pause_that_was_taken_back_never_comes():
    assert run(IN[A.ANSWERED], Event(S.PAUSE, reason="tea"), S.UNPAUSE, S.OVER, S.WRAPPED_UP).state is A.READY


def test_a_logout_during_a_call_takes_effect_after_the_wrap_up():
    wrapping = run(IN[A.HOLD], S.LOGOUT, S.OVER)
    assert wrapping.state is A.WRAP_UP
    assert run(wrapping, S.WRAPPED_UP).state is A.OFFLINE
    assert run(wrapping, S.LOGIN, S.WRAPPED_UP).state is A.READY


def test_wrap_up_lasts_as_the_queue_says_and_takes_a_disposition():
    wrapping = run(IN[A.ANSWERED], S.OVER, at=300)
    assert wrapping.wrap_up_until == 310
    done = run(wrapping, Event(S.WRAPPED_UP, disposition="sold"), at=304)
    assert (done.state, done.disposition, done.last_call_id, done.wrap_up_until) == (A.READY, "sold", "c1", None)


def test_a_disposition_that_comes_after_the_wrap_up_is_still_taken():
    late = run(IN[A.WRAP_UP], S.WRAPPED_UP, Event(S.WRAPPED_UP, disposition="sold"))
    assert (late.state, late.disposition, late.last_call_id) == (A.READY, "sold", "c1")


def test_without_wrapuptime_the_agent_is_ready_at_once():
    offer = replace(OFFER, queue="loans")
    assert run(ANNA, S.LOGIN, offer, S.ANSWER, S.OVER).state is A.READY


def test_a_call_counts_for_its_queue_and_its_talk_time_includes_hold():
    after = run(ANNA, S.LOGIN, OFFER, S.ANSWER, S.HOLD, S.RESUME, S.OVER)
    cards, loans = after.memberships
    assert (after.talk_s, after.calls, after.idle_since) == (3.0, 1, 105.0)
    assert (cards.calls, cards.last_call, loans.calls, loans.last_call) == (1, 105.0, 0, 0.0)


def test_a_withdrawn_offer_is_no_fault_of_the_agent():
    after = run(IN[A.RINGING], S.CANCEL, at=200)
    assert (after.missed, after.retry_at, after.idle_since) == (0, 0.0, IN[A.READY].idle_since)


@pytest.mark.parametrize("signal", [S.MISS, S.DECLINE, S.UNREACHABLE])
def test_who_did_not_take_an_offer_is_not_rung_again_before_retry(signal):
    assert run(IN[A.RINGING], signal, at=200).retry_at == 205


def missing(autopause: Autopause, after: int, misses: int) -> Agent:
    queues = QUEUES | {"cards": replace(CARDS, autopause=autopause, autopause_after=after)}
    return run(IN[A.READY], *[OFFER, S.MISS] * misses, queues=queues)


def test_autopause_no_member_will_not_be_paused():
    """queues.conf: "no: Member will not be paused"."""
    assert missing(Autopause.NO, 1, 3).state is A.READY


def test_autopause_yes_pauses_the_member_in_that_queue_only():
    """queues.conf: "yes: Member will be paused only in the queue where the timeout took place"."""
    after = missing(Autopause.YES, 1, 1)
    assert (after.state, [m.paused for m in after.memberships]) == (A.READY, [True, False])
    assert not any(m.paused for m in run(after, S.READY).memberships)
    assert not any(m.paused for m in run(after, S.UNPAUSE).memberships)


def test_autopause_all_pauses_the_agent():
    """queues.conf: "all: Member will be paused in all queues he/she is a member"."""
    after = missing(Autopause.ALL, 1, 1)
    assert (after.state, after.pause_reason) == (A.PAUSED, AUTOPAUSE)


def test_autopause_waits_for_so_many_missed_offers_in_a_row():
    assert missing(Autopause.ALL, 3, 2).state is A.READY
    assert missing(Autopause.ALL, 3, 3).state is A.PAUSED
    answered = run(missing(Autopause.ALL, 3, 2), OFFER, S.ANSWER, S.OVER, S.READY)
    assert answered.missed == 0


def test_a_late_word_about_another_offer_or_call_is_refused():
    with pytest.raises(RefusedError, match="another offer: o1, not o0"):
        run(IN[A.RINGING], Event(S.ANSWER, offer="o0"))
    with pytest.raises(RefusedError, match="another call: c1, not c0"):
        run(IN[A.ANSWERED], Event(S.OVER, call_id="c0"))


@pytest.mark.parametrize("state", [A.OFFLINE, A.READY, A.RINGING, A.ANSWERED, A.WRAP_UP, A.PAUSED])
def test_an_agent_found_in_a_call_is_in_it_and_afterwards_what_it_was(state):
    found = run(IN[state], Event(S.FOUND, call_id="c9", queue="loans"), at=400)
    assert (found.state, found.call_id, found.queue, found.offer) == (A.ANSWERED, "c9", "loans", None)
    after = run(found, S.OVER)
    assert after.state is (state if state in {A.OFFLINE, A.PAUSED} else A.READY)
    assert after.pause_reason == ("lunch" if state is A.PAUSED else "")


def test_the_call_that_nobody_said_was_over_counts_when_the_agent_is_found_in_the_next():
    found = run(IN[A.ANSWERED], Event(S.FOUND, call_id="c9", queue="loans"), at=400)
    assert (found.calls, found.memberships[0].calls, found.answered_at) == (1, 1, 400)


EVENTS = st.builds(
    Event, st.sampled_from(Signal), st.sampled_from(["", "c1", "c2"]), st.sampled_from(["", "cards", "loans", "gone"]),
    st.sampled_from(["", "o1"]), st.sampled_from(["", "tea"]), st.sampled_from(["", "sold"]),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=30), st.sampled_from(Autopause))
def test_whatever_happens_the_fields_fit_the_state(events, autopause):
    queues = {"cards": replace(CARDS, autopause=autopause, autopause_after=2), "loans": QUEUES["loans"]}
    agent = ANNA
    for place, event in enumerate(events):
        before = agent
        try:
            agent = step(agent, event, float(place), queues)
        except RefusedError:
            assert agent is before
        in_call, wrapping = agent.state in {A.ANSWERED, A.HOLD}, agent.state is A.WRAP_UP
        assert (agent.offer is not None) == (agent.state is A.RINGING)
        assert (agent.answered_at is not None) == in_call
        assert (agent.wrap_up_until is not None) == wrapping
        assert (agent.call_id is not None) == (in_call or wrapping or agent.state is A.RINGING)
        if agent.state in {A.OFFLINE, A.READY, A.PAUSED}:
            assert (agent.pause_next, agent.logout_next, agent.queue) == (None, False, None)
        assert agent.state is A.PAUSED or not agent.pause_reason


def test_the_acd_imports_nothing_of_ours_but_itself():
    folder = Path(ivr.acd.__file__).parent
    for file in folder.glob("*.py"):
        for line in file.read_text("utf-8").splitlines():
            if line.startswith(("import ", "from ")):
                assert line.split()[1].split(".")[0] != "ivr" or line.startswith("from ivr.acd"), (file.name, line)
