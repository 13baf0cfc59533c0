"""Kills a part of the ACD under waiting callers, and looks at what became of them."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from bench.acdserver import AcdServer
from bench.acdworkers import Call, Workers

Kill = Callable[[], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Survival:
    """`recovery_s`: from the kill to the next offer, an agent being free all the while. `order`: the callers by the
    number of their joining, as they were rung for. `lost`: callers who never came to an agent. `stuck`: agents who
    were not ready at the end. `wrong`: agents with two callers.
    """

    recovery_s: float
    order: list[int]
    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def survive(server: AcdServer, names: list[str], kill: Kill, callers: int = 50) -> Survival:
    """Some agents talk, the others are not there when `kill` kills something and starts it again. Meanwhile two callers
    give up and an agent becomes free. Afterwards all agents come and serve everybody.
    """
    talking = len(names) // 2
    async with Workers(server.find, ring_s=0.02) as workers:
        calls = [await workers.join("cards") for _ in range(callers)]
        for name in names[:talking]:
            await workers.agent(name, "login")
        await workers.until(lambda: workers.assigned == talking)
        offered = {call.call_id for call in calls if call.offers}
        began = time.time()
        killing = asyncio.create_task(kill())
        ends = next(call for call in calls if call.agent is not None)
        gives_up = [call for call in calls if call.agent is None][3:5]
        meanwhile = [workers.hang_up(ends), *(workers.leave(call) for call in gives_up)]
        await asyncio.gather(killing, *meanwhile)
        await workers.until(lambda: any(call.offers and call.call_id not in offered for call in calls), 60)
        first = min(min(call.offers.values()) for call in calls if call.offers and call.call_id not in offered)
        for name in names[talking:]:
            await workers.agent(name, "login")
        await _serve_all(workers, calls)
        stuck = [name for name in names if await workers.agent(name, "ready") != "ready"]
        rung = sorted((call for call in calls if call.offers), key=lambda call: min(call.offers.values()))
        lost = [call.call_id for call in calls if not call.offers and call not in gives_up]
        order = [calls.index(call) for call in rung]
        return Survival(first - began, order, lost, stuck, list(workers.wrong))


async def _serve_all(workers: Workers, calls: list[Call]) -> None:
    """Hangs up on whoever talks, until nobody is left."""
    while workers.calls:
        await workers.until(lambda: any(call.agent for call in workers.calls.values()), 60)
        talks = [call for call in workers.calls.values() if call.agent]
        await asyncio.gather(*(workers.hang_up(call) for call in talks))
    assert all(call.state == "over" for call in calls)
