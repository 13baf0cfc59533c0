"""A call's line to control, with a bus that is away now and then."""

import asyncio
from typing import Any

import pytest

from ivr.acdline import TARGET, AcdLine
from ivr.bus import BusError


class Away:
    """A bus that notes what is asked; `up` lets answers through."""

    name = "w1"

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.up = asyncio.Event()
        self.refuse = ""

    async def request(self, target: str, data: dict[str, Any], timeout_s: float = 5.0) -> dict[str, Any]:
        assert target == TARGET
        await self.up.wait()
        self.asked.append(data)
        if self.refuse:
            raise BusError(self.refuse, "no")
        return {"position": 1}

    def serve(self, *_: object) -> None: ...
    def listen(self, *_: object) -> None: ...


async def test_what_is_told_arrives_in_order_and_a_refusal_holds_up_nothing() -> None:
    bus = Away()
    line = AcdLine(bus, "c1")
    bus.refuse = "offer.gone"
    line.tell("offer", offer="o1", outcome="ringing")
    line.tell("talk", state="over")
    bus.up.set()
    await line.close(5)
    assert [(data["command"], data["call_id"]) for data in bus.asked] == [("offer", "c1"), ("talk", "c1")]


async def test_an_answer_and_a_refusal_reach_who_asked() -> None:
    bus = Away()
    bus.up.set()
    line = AcdLine(bus, "c1")
    assert await line.ask("join", queue="cards") == {"position": 1}
    assert bus.asked == [{"command": "join", "call_id": "c1", "queue": "cards"}]
    bus.refuse = "queue.full"
    with pytest.raises(BusError) as refused:
        await line.ask("join", queue="cards")
    assert refused.value.code == "queue.full"
    await line.close()


async def test_a_bus_that_is_away_does_not_keep_a_call_from_ending() -> None:
    line = AcdLine(Away(), "c1")
    line.tell("leave", reason="abandoned")
    async with asyncio.timeout(10):
        await line.close(0.05)
