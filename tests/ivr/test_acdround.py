"""Rounds of the ACD without store, bus or clock: what comes late, twice, in the wrong order, or never."""

from random import Random
from typing import Any

from ivr.acd.model import Agent, AgentState, Membership, QueueSettings
from ivr.acdboard import Board, CallerState
from ivr.acdcommands import AcdRefusal, parse
from ivr.acdround import GONE_AFTER_S, World, ask, play

T0 = 1000.0


class Desk:
    """A board with agents of the queue cards, a clock, and a number for each command."""

    def __init__(self, *agents: str, **settings: Any) -> None:
        self.board = Board({"cards": QueueSettings("cards", **{"joinempty": frozenset(), **settings})})
        self.now = T0
        self.world = World(listening_since=0.0)
        self.number = 0
        for name in agents:
            self.board.agents[name] = Agent(name, AgentState.READY, memberships=(Membership("cards"),))

    def say(self, command: str, **data: Any) -> Any:
        """One command, one round; the answer or the refusal."""
        self.number += 1
        self.board.settle()
        asked = ask(f"c{self.number}", parse({"command": command, **data}))
        (reply,) = play(self.board, [asked], {}, self.world, self.now, Random(self.number))
        return reply

    def join(self, call_id: str, **more: Any) -> Any:
        fields = {"call_id": call_id, "worker": "w1", "queue": "cards", "joined": self.now}
        return self.say("join", **{**fields, **more})

    def renew(self, call_id: str, **more: Any) -> Any:
        fields = {"call_id": call_id, "worker": "w1", "queue": "cards", "joined": T0, "sent": self.now}
        return self.say("renew", **{**fields, **more})

    def wait(self, seconds: float) -> None:
        """Time passes, and a round."""
        self.now += seconds
        self.board.settle()
        play(self.board, [], {}, self.world, self.now, Random(1))

    def offer(self, call_id: str) -> str:
        """The one offer in force for the call."""
        (live,) = self.board.offers_for(call_id)
        return live.offer.offer

    def state(self, name: str) -> str:
        return self.board.agents[name].state

    def told(self, command: str) -> list[str]:
        return [told.call_id for told in self.board.told if told.data["command"] == command]


def test_an_answer_after_the_lease_counts_and_the_next_offer_is_withdrawn() -> None:
    desk = Desk("anna")
    desk.world = World(heard={"one": 2 * T0})
    desk.join("one")
    late = desk.offer("one")
    desk.wait(60.0)
    assert desk.board.offers == {}
    desk.join("two")
    desk.wait(30.0)
    desk.say("offer", offer=late, call_id="one", agent="anna", outcome="answered")
    assert desk.board.callers["one"].agent == "anna"
    assert (desk.state("anna"), desk.board.agents["anna"].call_id) == ("answered", "one")
    assert desk.board.offers == {}


def test_a_lease_that_ends_without_a_word_is_not_the_agents_fault() -> None:
    desk = Desk("anna", autopause_after=1)
    desk.join("one")
    desk.wait(25.0)
    assert (desk.state("anna"), desk.board.agents["anna"].missed) == ("ready", 0)


def test_what_was_lost_is_restored_in_its_place_by_a_renewal() -> None:
    desk = Desk()
    desk.join("young", joined=T0 + 50)
    assert desk.renew("old", joined=T0 - 50)["position"] == 1
    assert desk.renew("talks", agent="carl", joined=T0)["position"] is None
    assert desk.board.callers["talks"].state is CallerState.TALKING


def test_a_renewal_finds_an_agent_talking_whom_we_believed_free() -> None:
    desk = Desk("anna")
    desk.join("other")
    assert desk.state("anna") == "ringing"
    desk.renew("one", agent="anna")
    assert desk.board.agents["anna"].call_id == "one"
    assert desk.told("withdraw") == ["other"]


def test_a_renewal_written_before_the_answer_does_not_undo_it() -> None:
    desk = Desk("anna")
    desk.join("one")
    desk.now += 1
    desk.say("offer", offer=desk.offer("one"), call_id="one", agent="anna", outcome="answered")
    desk.renew("one", sent=T0 + 0.5)
    assert desk.state("anna") == "answered"
    desk.now += 1
    desk.renew("one")
    assert desk.board.callers["one"].state is CallerState.WAITING


def test_a_caller_who_is_not_heard_of_is_gone_but_not_while_the_bus_was_away() -> None:
    desk = Desk()
    desk.join("one")
    desk.world = World(listening_since=None)
    desk.wait(3 * GONE_AFTER_S)
    desk.world = World(listening_since=desk.now)
    desk.wait(GONE_AFTER_S - 1)
    assert "one" in desk.board.callers
    desk.wait(2)
    assert desk.board.callers == {}


def test_nothing_is_decided_while_the_bus_is_away() -> None:
    desk = Desk("anna")
    desk.world = World(listening_since=None)
    desk.join("one")
    assert desk.board.offers == {}
    desk.world = World(listening_since=desk.now)
    desk.wait(0.0)
    assert desk.offer("one")


def test_an_agent_who_leaves_while_the_phone_rings_takes_the_offer_along() -> None:
    desk = Desk("anna", "bert", strategy="linear")
    desk.join("one")
    assert desk.state("anna") == "ringing"
    desk.say("agent", agent="anna", do="logout")
    assert desk.told("withdraw") == ["one"]
    assert desk.state("bert") == "ringing"


def test_an_agent_in_a_call_that_nobody_knows_is_freed() -> None:
    desk = Desk("anna")
    desk.say("offer", offer="lost", call_id="lost", agent="anna", outcome="answered")
    assert desk.state("anna") == "answered"
    desk.wait(30.0)
    assert desk.state("anna") == "ready"


def test_words_about_what_is_over_change_nothing() -> None:
    desk = Desk("anna")
    desk.join("one")
    offer = desk.offer("one")
    desk.say("leave", call_id="one", reason="hangup")
    assert desk.state("anna") == "ready"
    for outcome in ("ringing", "declined", "no_answer", "cancelled"):
        assert desk.say("offer", offer=offer, call_id="one", agent="anna", outcome=outcome) == {}
    assert desk.say("talk", call_id="one", agent="anna", state="over") == {}
    assert desk.say("leave", call_id="one", reason="hangup") == {}
    assert (desk.state("anna"), desk.board.agents["anna"].missed) == ("ready", 0)


def test_a_command_whose_answer_is_known_is_not_carried_out_again() -> None:
    desk = Desk("anna")
    asked = ask("c", parse({"command": "agent", "agent": "anna", "do": "pause"}))
    (first,) = play(desk.board, [asked], {}, desk.world, T0, Random(1))
    answers = dict(desk.board.changes.answers)
    desk.say("agent", agent="anna", do="ready")
    (second,) = play(desk.board, [asked], answers, desk.world, T0, Random(1))
    assert second == first
    assert desk.state("anna") == "ready"
    refused = ask("d", parse({"command": "agent", "agent": "nobody", "do": "pause"}))
    play(desk.board, [refused], {}, desk.world, T0, Random(1))
    (again,) = play(desk.board, [refused], dict(desk.board.changes.answers), desk.world, T0, Random(1))
    assert isinstance(again, AcdRefusal)
    assert again.code == "agent.unknown"


def test_a_full_queue_and_an_unknown_one_refuse_callers() -> None:
    desk = Desk(maxlen=1)
    desk.join("one")
    assert desk.join("two").code == "queue.full"
    assert desk.join("three", queue="nope").code == "queue.unknown"
    assert set(desk.board.callers) == {"one"}


def test_staffing_counts_who_is_there() -> None:
    desk = Desk("anna", "bert")
    desk.join("one")
    staff = desk.say("staffing", queue="cards")
    assert (staff["logged_in"], staff["ready"], staff["waiting"]) == (2, 1, 1)
