"""A caller waits, an agent's phone rings and is answered, both hear each other: real phones, tones, a recording."""

from collections.abc import Callable

import numpy as np
import pytest

from recordings import wav
from tests.people.conftest import Host, Party, tones_in

pytestmark = [pytest.mark.net, pytest.mark.timeout(120)]
Call = tuple[Host, Party]


def test_an_agent_answers_both_hear_each_other_and_each_is_recorded_on_one_clock(
    call: Call, party: Callable[..., Party]
) -> None:
    host, caller = call
    anna = party("anna", "ring")
    host.ask("queue", queue="cards", skills={"cards": 2}, priority=5, language="en", context={"card_type": "gold"})
    host.until(news="joined", data={"position": 1, "expected_wait_s": 20.0})
    assert host.asked("join", queue="cards", priority=5, skills={"cards": 2}, caller="party")
    host.offer(anna)
    assert host.until(command="offer")["answer"] == {"accepted": True}
    rung = anna.until(event="incoming")
    assert rung["caller"] == "party"
    assert rung["headers"]["x-hotline-queue"] == "cards"
    assert rung["headers"]["x-hotline-caller"] == "party"
    assert rung["headers"]["x-hotline-card-type"] == "gold"
    assert rung["headers"]["x-hotline-call"]
    host.until(news="offered")
    host.asked("offer", outcome="ringing", offer="o1")
    anna.tell(do="answer")
    host.asked("offer", outcome="answered", offer="o1")
    host.until(news="answered", data={"agent": anna.uri, "display": "anna"})
    host.asked("talk", state="talking")
    caller.hears("anna")
    anna.hears("caller")
    caller.listen(1.5)
    anna.tell(do="hang_up")
    host.asked("talk", state="over")
    assert host.until(replied=True)["outcome"] == "answered"
    caller.hears()
    caller.tell(do="hang_up")
    bundle = host.closed()
    with (bundle / "agent-1.wav").open("rb") as file:
        agent = np.frombuffer(file.read()[wav.HEADER_BYTES :], np.int16) / 32768
    with (bundle / "hotline.wav").open("rb") as file:
        played = np.frombuffer(file.read()[wav.HEADER_BYTES :], np.int16) / 32768
    loud = np.flatnonzero(np.abs(played) > 0.05)
    assert tones_in(played[loud[0] + 800 : loud[-1] - 800]) == {"anna"}, "the caller's recording has what was heard"
    assert tones_in(agent[loud[0] + 1600 : loud[0] + 9600]) == {"anna"}
    assert abs(np.flatnonzero(np.abs(agent) > 0.05)[0] - loud[0]) <= 320, "the agent's own is on the same clock"


def test_the_first_of_two_who_answer_gets_the_caller_and_the_other_rings_no_more(
    call: Call, party: Callable[..., Party]
) -> None:
    host, caller = call
    anna, ben = party("anna", "ring"), party("ben", "ring")
    host.ask("queue", queue="cards")
    host.until(news="joined")
    host.offer(anna, 1)
    host.offer(ben, 2)
    anna.until(event="incoming")
    ben.until(event="incoming")
    ben.tell(do="answer")
    host.until(news="answered")
    caller.hears("ben")
    ben.hears("caller")
    assert anna.until(event="ended")["by_far_end"]
    host.asked("offer", offer="o1", outcome="cancelled")
    caller.tell(do="hang_up")
    assert ben.until(event="ended")["by_far_end"]
    host.asked("talk", state="over")
    host.closed()


@pytest.mark.parametrize(("manner", "outcome"), [("busy", "busy"), ("decline", "declined"), ("silent", "no_answer")])
def test_an_agent_who_does_not_take_the_call_leaves_the_caller_waiting(
    call: Call, party: Callable[..., Party], manner: str, outcome: str
) -> None:
    host, caller = call
    anna, ben = party("anna", manner), party("ben")
    host.ask("queue", queue="cards")
    host.until(news="joined")
    host.offer(anna, 1, ring_timeout_s=1.0)
    host.asked("offer", offer="o1", outcome=outcome)
    host.offer(ben, 2)
    host.until(news="answered")
    caller.hears("ben")


def test_a_phone_that_is_not_there_is_unreachable_and_early_media_is_not_an_answer(
    call: Call, party: Callable[..., Party]
) -> None:
    host, caller = call
    anna = party("anna", "early")
    host.ask("queue", queue="cards")
    host.until(news="joined")
    host.tell(command={"command": "offer", "offer": "o1", "agent": "sip:nobody@", "ring_timeout_s": 3})
    host.asked("offer", offer="o1", outcome="unreachable")
    host.offer(anna, 2)
    anna.until(event="incoming")
    caller.hears()
    assert not [line for line in host.lines if line.get("news") == "answered"]
    anna.tell(do="answer")
    caller.hears("anna")


def test_a_caller_to_whom_agents_are_offered_again_and_again_still_hears_the_last(
    call: Call, party: Callable[..., Party]
) -> None:
    """A process has 64 ports on its bridge: what ended must give its own back."""
    host, caller = call
    anna, ben = party("anna"), party("ben")
    host.ask("queue", queue="cards", whisper=["refused.wav"])
    host.until(news="joined")
    for number in range(40):
        rung, seen = len(anna.lines), len(host.lines)
        host.offer(anna, number)
        host.asked("offer", after=seen, outcome="answered")
        anna.tell(do="hang_up")
        host.asked("talk", after=seen, state="over")
        anna.until(after=rung, event="ended")
    host.offer(ben, 99)
    caller.hears("ben")
    ben.hears("caller")


def test_a_caller_who_hangs_up_while_a_phone_rings_stops_the_ringing(call: Call, party: Callable[..., Party]) -> None:
    host, caller = call
    anna = party("anna", "ring")
    host.ask("queue", queue="cards")
    host.until(news="joined")
    host.offer(anna)
    anna.until(event="incoming")
    caller.tell(do="hang_up")
    assert anna.until(event="ended")["status"] == 487
    host.asked("leave", reason="abandoned")
    host.closed()


def test_the_agent_alone_hears_the_whisper_and_then_both_talk(call: Call, party: Callable[..., Party]) -> None:
    host, caller = call
    anna = party("anna")
    host.ask("queue", queue="cards", whisper=["audio/music.wav"], language="en", voice="")
    host.until(news="joined")
    host.offer(anna)
    anna.hears("music")
    caller.hears()
    assert not [line for line in host.lines if line.get("news") == "answered"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"refuse": "queue.full"}, "full"),
        ({"refuse": "queue.no_agents"}, "no_agents"),
        ({"refuse": "queue.unknown"}, "unavailable"),
        (None, "unavailable"),
    ],
)
def test_a_queue_that_takes_nobody_is_told_to_the_flow(call: Call, answer: dict | None, outcome: str) -> None:
    host, _caller = call
    host.tell(answer={"join": answer})
    host.ask("queue", queue="cards")
    assert host.until(replied=False)["outcome"] == outcome
    host.tell(command={"command": "position", "position": 2})
    assert host.until(command="position")["refused"] == "call.not_waiting"
