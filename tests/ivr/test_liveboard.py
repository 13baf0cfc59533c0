"""What the board says in one look: waits, service level, who is there."""

from dataclasses import replace

from ivr.acd.model import Agent, AgentState, Membership, QueueSettings
from ivr.acdboard import Board, Caller, CallerState, Ticket
from ivr.liveboard import agent_lines, call_lines, queue_lines, waiting_lines
from ivr.store.live import CallUp, Served

NOW = 10_000.0


def board(*agents: Agent, callers: tuple[Caller, ...] = ()) -> Board:
    made = Board({"cards": QueueSettings("cards", servicelevel_s=20.0), "support": QueueSettings("support")})
    made.agents = {agent.name: agent for agent in agents}
    made.callers = {caller.call_id: caller for caller in callers}
    return made


def agent(name: str, state: AgentState, **more) -> Agent:
    return Agent(name, state, NOW - 60, memberships=(Membership("cards"),), **more)


def test_a_queue_counts_who_waits_and_how_today_went() -> None:
    waiting = Caller("w", "w1", "cards", NOW - 50)
    talking = Caller("t", "w1", "cards", NOW - 100, state=CallerState.TALKING, agent="anna", since=NOW - 90)
    looked = board(
        agent("anna", AgentState.ANSWERED, call_id="t", queue="cards", answered_at=NOW - 90),
        agent("bert", AgentState.PAUSED, pause_reason="lunch"),
        agent("carl", AgentState.OFFLINE),
        callers=(waiting, talking),
    )
    looked.tickets["k"] = Ticket("k", "old", "+49301", "cards", NOW - 500, NOW - 400)
    cards, support = queue_lines(looked, {"cards": Served(3, 2, 4, 1)}, NOW)
    assert (cards.waiting, cards.longest_wait_s, cards.callbacks) == (1, 50.0, 1)
    assert (cards.logged_in, cards.ready, cards.busy, cards.paused) == (2, 0, 1, 1)
    # Three answered earlier, two of them in time; the one who talks now waited 10 s of the 20.
    assert (cards.answered, cards.service_level) == (4, 3 / 4)
    assert cards.service_level_2 == (3 + 1) / (4 + 4)
    assert (support.waiting, support.service_level, support.expected_wait_s) == (0, None, None)


def test_those_who_wait_stand_in_the_order_of_their_turn() -> None:
    late = Caller("late", "w1", "cards", NOW - 5, caller="2", priority=9)
    early = Caller("early", "w1", "cards", NOW - 50, caller="1")
    elsewhere = Caller("gone", "w1", "closed", NOW - 70)
    lines = waiting_lines(board(callers=(early, late, elsewhere)), NOW)
    assert [(line.call_id, line.position, line.caller) for line in lines] == [("late", 1, "2"), ("early", 2, "1")]


def test_an_agent_tells_what_comes_after_the_call() -> None:
    busy = agent("anna", AgentState.ANSWERED, pause_next="lunch")
    anna, bert = agent_lines(board(busy, replace(busy, name="bert", logout_next=True)))
    assert (anna.state, anna.next, anna.reason, anna.display) == ("answered", "pause", "lunch", "anna")
    assert bert.next == "logout"


def test_who_was_never_there_is_offline_since_nobody_knows_when() -> None:
    (line,) = agent_lines(board(Agent("carl", AgentState.OFFLINE)))
    assert line.since is None


def test_a_call_names_its_agent() -> None:
    talking = Caller("t", "w1", "cards", NOW, state=CallerState.TALKING, agent="anna", since=NOW)
    lines = call_lines(
        board(callers=(talking,)),
        [CallUp("t", NOW, "1", "2", "bank", "en", "human"), CallUp("u", NOW, "1", "2", "bank", "en", "")],
    )
    assert [(line.call_id, line.queue, line.agent) for line in lines] == [("t", "cards", "anna"), ("u", None, None)]
