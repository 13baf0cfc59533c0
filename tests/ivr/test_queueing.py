"""A caller's place in a queue, as the worker keeps it, with control and phones that do as they are told."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ivr import queueing
from ivr.acdline import AcdLine
from ivr.bus import BusError, CommandRefusedError
from ivr.messages import GONE, Envelope
from ivr.outleg import Outcome
from ivr.queueing import MOST_RINGING, QueueWait

CONTROL = "hotline/control/7/state"


class Control:
    """The bus, with control at its other end: notes what is asked, answers or refuses."""

    name = "w1"

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refuse = ""
        self.news = asyncio.Condition()
        self.states: Callable[[str, Envelope], None] = lambda _topic, _envelope: None

    async def request(self, _target: str, data: dict[str, Any], timeout_s: float = 5.0) -> dict[str, Any]:
        async with self.news:
            self.asked.append(data)
            self.news.notify_all()
        if self.refuse:
            raise BusError(self.refuse, "no")
        return {"position": 1, "expected_wait_s": 9.0}

    def serve(self, *_: object) -> None: ...

    def listen(self, _topics: str, handler: Callable[[str, Envelope], None]) -> None:
        self.states = handler

    def of(self, command: str) -> list[dict[str, Any]]:
        return [data for data in self.asked if data["command"] == command]

    async def until(self, command: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """Waits for the command, so many of them with these fields."""

        def found() -> list[dict[str, Any]]:
            return [data for data in self.of(command) if fields.items() <= data.items()]

        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(lambda: len(found()) >= count)
        return found()[-1]


class Leg:
    """A phone: `ring` returns when the test says so."""

    status = 0
    ended = False

    def __init__(self, target: str, headers: Mapping[str, str]) -> None:
        self.target, self.headers = target, headers
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.rings = asyncio.Event()
        self.hung_up = False

    async def ring(self, _timeout_s: float) -> Outcome:
        self.rings.set()
        return await self.outcome

    def cancel(self) -> None:
        if not self.outcome.done():
            self.outcome.set_result(Outcome.CANCELLED)

    def hang_up(self) -> None:
        self.hung_up = True


class Parts:
    """Notes what is written down."""

    caller, called, call_id = "0301", "hotline", "c1"

    def __init__(self) -> None:
        self.noted: list[str] = []

    def note(self, kind: str, party: str | None = None, **_data: Any) -> None:
        self.noted.append(kind)


class Bench:
    def __init__(self) -> None:
        self.control = Control()
        self.legs: list[Leg] = []
        self.news: list[tuple[str, dict[str, Any]]] = []
        place = {"queue": "cards", "skills": {"zh": 2}, "joined": 1000.0, "context": {"card_type": "gold"}}
        acd = AcdLine(self.control, "c1")
        self.wait = QueueWait(Parts(), acd, place, self.dial, lambda kind, data: self.news.append((kind, data)))  # type: ignore[arg-type]

    def dial(self, target: str, headers: Mapping[str, str], track: str) -> Leg:
        self.legs.append(Leg(target, headers))
        return self.legs[-1]

    def offer(self, number: int, **more: Any) -> None:
        self.wait.take_offer({"offer": f"o{number}", "agent": f"agent{number}", "ring_timeout_s": 20, **more})

    def tell_state(self, state: str, topic: str = CONTROL) -> None:
        self.control.states(topic, Envelope("", 0.0, {"state": state}))


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    assert await made.wait.join() is None
    return made


async def test_the_place_is_asked_for_with_all_that_control_keeps_and_told_to_the_flow(bench: Bench) -> None:
    joined = bench.control.of("join")[0]
    assert joined["queue"] == "cards"
    assert joined["skills"] == {"zh": 2}
    assert joined["joined"] == 1000.0
    assert (joined["call_id"], joined["caller"]) == ("c1", "0301")
    assert bench.news == [("joined", {"position": 1, "expected_wait_s": 9.0})]


async def test_a_control_that_comes_or_goes_has_the_call_renewed_at_once(bench: Bench) -> None:
    bench.tell_state("up")
    renewed = await bench.control.until("renew")
    assert renewed["joined"] == 1000.0
    assert renewed["agent"] is None
    assert renewed["offer"] == []
    bench.tell_state("up")  # a heartbeat
    bench.tell_state(GONE)
    await bench.control.until("renew", 2)
    bench.tell_state("up", "hotline/control/8/state")
    await bench.control.until("renew", 3)
    assert len(bench.control.of("renew")) == 3, "a heartbeat changes nothing"


async def test_without_any_control_the_caller_waits_on_for_a_while_and_then_the_flow_has_the_call(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queueing, "RENEW_AGAIN_S", 0.01)
    monkeypatch.setattr(queueing, "CONTROL_AWAY_S", 0.1)
    bench.control.refuse = "bus.timeout"
    bench.tell_state("up")
    async with asyncio.timeout(20):
        end = await bench.wait.end()
    assert end.outcome == "unavailable"
    assert len(bench.control.of("renew")) > 2


async def test_a_queue_that_is_gone_meanwhile_is_unavailable_at_once(bench: Bench) -> None:
    bench.control.refuse = "queue.unknown"
    bench.tell_state("up")
    async with asyncio.timeout(20):
        assert (await bench.wait.end()).outcome == "unavailable"


async def test_an_agent_who_answers_ends_the_wait_and_renewals_say_who_it_is(bench: Bench) -> None:
    bench.offer(1, display="Anna", headers={"X-Hotline-Note": "vip"})
    await bench.control.until("offer", outcome="ringing")
    assert bench.legs[0].headers["X-Hotline-Note"] == "vip"
    assert bench.legs[0].headers["X-Hotline-Card-Type"] == "gold"
    bench.tell_state("up")
    assert (await bench.control.until("renew"))["offer"] == ["o1"]
    bench.legs[0].outcome.set_result(Outcome.ANSWERED)
    end = await bench.wait.end()
    assert end.outcome == "answered"
    assert end.offer is not None
    assert end.offer.display == "Anna"
    await bench.control.until("offer", outcome="answered")
    bench.tell_state(GONE)
    renewed = await bench.control.until("renew", 2)
    assert renewed["agent"] == "agent1"
    assert renewed["offer"] == []


async def test_more_phones_than_a_process_can_ring_wait_for_their_turn(bench: Bench) -> None:
    for number in range(1, MOST_RINGING + 3):
        bench.offer(number)
    for leg in bench.legs[:MOST_RINGING]:
        await asyncio.wait_for(leg.rings.wait(), 20)
    assert not any(leg.rings.is_set() for leg in bench.legs[MOST_RINGING:])
    bench.legs[0].outcome.set_result(Outcome.BUSY)
    await asyncio.wait_for(bench.legs[MOST_RINGING].rings.wait(), 20)
    bench.legs[1].outcome.set_result(Outcome.ANSWERED)
    assert (await bench.wait.end()).leg is bench.legs[1]
    for number in (3, MOST_RINGING + 1, MOST_RINGING + 2):
        await bench.control.until("offer", offer=f"o{number}", outcome="cancelled")
    assert not bench.legs[-1].rings.is_set()


async def test_an_offer_that_comes_again_rings_once_and_its_outcome_is_told_again(bench: Bench) -> None:
    bench.offer(1)
    bench.offer(1)
    await asyncio.wait_for(bench.legs[0].rings.wait(), 20)
    bench.legs[0].outcome.set_result(Outcome.DECLINED)
    await bench.control.until("offer", outcome="declined")
    bench.offer(1)
    await bench.control.until("offer", 2, outcome="declined")
    assert len(bench.legs) == 1


async def test_an_offer_taken_back_stops_ringing(bench: Bench) -> None:
    bench.offer(1)
    await asyncio.wait_for(bench.legs[0].rings.wait(), 20)
    bench.wait.withdraw("o1")
    bench.wait.withdraw("o9")
    await bench.control.until("offer", outcome="cancelled")


async def test_who_leaves_stops_every_phone_and_control_is_told_why(bench: Bench) -> None:
    bench.offer(1)
    await asyncio.wait_for(bench.legs[0].rings.wait(), 20)
    bench.wait.leave("exit_key")
    assert (await bench.wait.end()).outcome == "left"
    bench.wait.over()
    left = await bench.control.until("leave")
    assert (left["reason"], left["queue"]) == ("exit_key", "cards")
    await bench.control.until("offer", outcome="cancelled")


async def test_an_agent_who_is_gone_before_the_bridge_leaves_the_caller_waiting(bench: Bench) -> None:
    bench.offer(1)
    bench.legs[0].outcome.set_result(Outcome.ANSWERED)
    await bench.wait.end()
    assert bench.wait.has_agent
    bench.wait.wait_on()
    assert (await bench.control.until("renew"))["agent"] is None
    bench.offer(2)
    bench.legs[1].outcome.set_result(Outcome.ANSWERED)
    assert (await bench.wait.end()).leg is bench.legs[1]


async def test_a_queue_without_agents_is_left_and_a_place_is_told_when_it_changes(bench: Bench) -> None:
    bench.wait.where({"position": 1, "expected_wait_s": 9.0})
    bench.wait.where({"position": 2, "expected_wait_s": 30.0})
    assert [kind for kind, _ in bench.news] == ["joined", "position"]
    bench.wait.no_agents()
    assert (await bench.wait.end()).outcome == "no_agents"


async def test_what_is_no_offer_is_refused(bench: Bench) -> None:
    with pytest.raises(CommandRefusedError) as refused:
        bench.wait.take_offer({"offer": "o1"})
    assert refused.value.code == "offer.bad"
