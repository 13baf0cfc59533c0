"""joinempty, leavewhenempty and maxlen, against the words of queues.conf's "Queue Empty Options"."""

from dataclasses import replace

import pytest

from ivr.acd.empty import is_empty, joinempty, leavers, leavewhenempty, refusal
from ivr.acd.errors import EmptyRuleError
from ivr.acd.model import AgentState, Empty, Offer, QueueSettings, Relax, Waiting

S, E = AgentState, Empty
CALL = Waiting("c1", "q", 990.0)


@pytest.mark.parametrize(
    ("text", "join", "leave"),
    [
        ("yes", set(), {E.PENALTY, E.PAUSED, E.INVALID}),
        ("no", {E.PENALTY, E.PAUSED, E.INVALID}, set()),
        ("strict", {E.PENALTY, E.PAUSED, E.INVALID, E.UNAVAILABLE}, {E.PENALTY, E.PAUSED, E.INVALID, E.UNAVAILABLE}),
        ("loose", {E.PENALTY, E.INVALID}, {E.PENALTY, E.INVALID}),
        ("paused, inuse,invalid", {E.PAUSED, E.INUSE, E.INVALID}, {E.PAUSED, E.INUSE, E.INVALID}),
        ("wrapup", {E.WRAPUP}, {E.WRAPUP}),
    ],
)
def test_the_short_words_stand_for_what_queues_conf_says(text, join, leave):
    """queues.conf: "yes - (empty) for joinempty; penalty,paused,invalid for leavewhenempty", "no -
    penalty,paused,invalid for joinempty; (empty) for leavewhenempty", "strict - penalty,paused,invalid,unavailable",
    "loose - penalty,invalid".
    """
    assert (joinempty(text), leavewhenempty(text)) == (join, leave)


@pytest.mark.parametrize("text", ["", "maybe", "paused,strict", "paused,,inuse"])
def test_an_unknown_word_is_refused_and_told(text):
    with pytest.raises(EmptyRuleError, match="is not known here: write one of strict, loose, yes, no, or a list of"):
        joinempty(text)


CASES = [
    ("penalty", {"penalty": 3}),
    ("paused", {"state": S.PAUSED}),
    ("paused", {"paused": True}),
    ("inuse", {"state": S.ANSWERED}),
    ("inuse", {"state": S.HOLD}),
    ("ringing", {"state": S.RINGING}),
    ("unavailable", {"state": S.OFFLINE}),
    ("invalid", {"registered": False}),
    ("unknown", {"registered": None}),
    ("wrapup", {"state": S.WRAP_UP}),
]


@pytest.mark.parametrize("word", list(Empty))
@pytest.mark.parametrize(("matching", "fields"), CASES)
def test_a_member_counts_as_not_there_for_exactly_its_word(agent, snapshot, now, word, matching, fields):
    """queues.conf: "paused: a member is not considered available if he is paused", and so on for each word."""
    snap = snapshot(QueueSettings("q", max_penalty=2), [agent("anna", **fields)])
    assert is_empty(snap, CALL, frozenset({word}), now) == (word == matching)


def test_one_available_member_is_enough(agent, snapshot, now):
    """queues.conf: "If all members are deemed to be unavailable ... the caller will be unable to enter the queue"."""
    settings = QueueSettings("q", joinempty=joinempty("strict"))
    assert refusal(snapshot(settings, [agent("anna", state=S.PAUSED)]), CALL, now) == "queue.no_agents"
    assert refusal(snapshot(settings, [agent("anna", state=S.PAUSED), agent("bob")]), CALL, now) is None
    assert refusal(snapshot(settings, []), CALL, now) == "queue.no_agents"
    assert refusal(snapshot(replace(settings, joinempty=joinempty("yes")), []), CALL, now) is None


def test_an_agent_who_talks_is_there_unless_inuse_is_said(agent, snapshot, now):
    settings = QueueSettings("q", joinempty=joinempty("strict"))
    assert refusal(snapshot(settings, [agent("anna", state=S.ANSWERED)]), CALL, now) is None


def test_a_member_who_never_has_the_skill_is_not_there(agent, snapshot, now):
    chinese = replace(CALL, skills={"zh": 3})
    settings = QueueSettings("q", joinempty=joinempty("strict"), relax=(Relax(60, levels=1),))
    for level, expected in [(1, "queue.no_agents"), (2, None)]:
        assert refusal(snapshot(settings, [agent("anna", skills={"zh": level})]), chinese, now) == expected


def test_maxlen_counts_callers_on_line(agent, snapshot, now):
    """queues.conf: "Maximum number of people waiting in the queue (0 for unlimited)"."""
    settings = QueueSettings("q", maxlen=2)
    waiting = [Waiting("a", "q", 1), Waiting("b", "q", 2), Waiting("ticket", "q", 3, virtual=True)]
    full = snapshot(settings, [agent("anna")], waiting)
    assert refusal(full, CALL, now) == "queue.full"
    assert refusal(full, replace(CALL, virtual=True), now) is None
    assert refusal(snapshot(settings, [agent("anna")], waiting[1:]), CALL, now) is None
    assert refusal(snapshot(replace(settings, maxlen=0), [agent("anna")], waiting), CALL, now) is None


def test_an_unknown_queue_is_refused(snapshot, now):
    assert refusal(snapshot([], []), CALL, now) == "queue.unknown"


def test_leavewhenempty_removes_callers_but_neither_tickets_nor_those_whom_a_phone_rings_for(agent, snapshot, now):
    """queues.conf: "If all of the members are unavailable ... the caller will be removed from the queue"."""
    settings = QueueSettings("q", leavewhenempty=leavewhenempty("strict"))
    waiting = [CALL, Waiting("rung", "q", 1), Waiting("ticket", "q", 2, virtual=True)]
    offer = Offer("o", "rung", "q", "anna", 0, now + 9)
    away, there = [agent("anna", state=S.PAUSED)], [agent("anna", state=S.RINGING)]
    assert leavers(snapshot(settings, away, waiting, [offer]), now) == ["c1"]
    assert leavers(snapshot(settings, there, waiting, [offer]), now) == []
    assert leavers(snapshot(replace(settings, leavewhenempty=frozenset()), away, waiting), now) == []
