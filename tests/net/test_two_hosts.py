"""Two hosts with a control process each; the second, without broker and database, is cut off and comes back."""

import asyncio
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bench.acdworkers import Call
from bench.postgres import Postgres
from ivr.store.acdtables import acd
from ivr.store.database import Database
from tests.net.hosts import Host
from tests.net.hotline import wait_for
from tests.net.sites import Centre, Site

pytestmark = [pytest.mark.net, pytest.mark.needs("root", "ip", "mosquitto"), pytest.mark.timeout(180)]


@pytest.fixture
def centre() -> Iterator[Centre]:
    if not Postgres.installed():
        pytest.skip("PostgreSQL is not installed")
    try:
        Host("trial").end()
    except OSError as error:
        pytest.skip(str(error))
    with Centre() as both:
        yield both


def both_decide(centre: Centre) -> None:
    """No agent has two callers, whoever of the two controls decides."""
    a, b = centre.a, centre.b
    served = 0
    while served < 10 or not {a.decides, b.decides} <= centre.controls:
        for site in (a, b):
            call = site.comes()
            wait_for(lambda call=call: call.agent)
            site.ends(call)
            served += 1
        assert served < 1000
    assert a.busy == b.busy == []


def serve_all_but_the_last(site: Site, calls: list[Call], agent: str) -> Call:
    """The agent talks to one after the other; gives the last one, who talks on."""
    left = list(calls)
    while True:
        call = wait_for(lambda: next((call for call in left if call.state == "talking"), None))
        assert call.agent == agent
        left.remove(call)
        if not left:
            return call
        site.ends(call)


def nothing_is_left(centre: Centre) -> None:
    """No caller, no agent who is not ready, and no offer was made to two."""
    wait_for(lambda: not centre.board().callers)
    assert {agent.state for agent in centre.board().agents.values()} == {"ready"}
    assert centre.a.busy == centre.b.busy == []
    assert all(len(told) == 1 for told in centre.offers.values())


def decides_again(centre: Centre) -> None:
    """B's control was there all the time, and takes part."""
    b = centre.b
    centre.controls.clear()
    until = time.monotonic() + 60
    while b.decides not in centre.controls:
        assert time.monotonic() < until
        call = b.comes()
        wait_for(lambda call=call: call.agent)
        b.ends(call)
    told = centre.log.read_text()
    assert "store away" in told
    assert "store back" in told
    assert "Traceback" not in told


def test_a_host_that_is_cut_off_loses_nobody_and_finds_its_place_again(centre: Centre) -> None:
    a, b = centre.a, centre.b
    anna, bert, cora = centre.log_in(3)
    both_decide(centre)

    # All three agents are busy, six callers wait, and B is cut off.
    centre.phones.silent = {bert}
    talks = b.comes()
    wait_for(lambda: talks.agent == anna)
    rings = b.comes()
    wait_for(lambda: bert in rings.ringing.values())
    other = a.comes()
    wait_for(lambda: other.agent == cora)
    waits = [site.comes() for _ in range(3) for site in (a, b)]
    of_a, of_b = waits[::2], waits[1::2]
    assert centre.queue() == [call.call_id for call in (rings, *waits)]
    cut = time.monotonic()
    centre.network.cut("b")

    # B's callers leave the queue, their agents are free for A's, who are served in their order.
    b.gives_up(rings)
    centre.phones.silent = set()
    gone = {call.call_id for call in (talks, rings, *of_b)}
    wait_for(lambda: not gone & centre.board().callers.keys(), 40)
    print(f"\nB's callers were out of the queue after {time.monotonic() - cut:.1f} s")
    late = [a.comes() for _ in range(2)]
    last = serve_all_but_the_last(a, of_a, bert)
    assert centre.first_offers([*of_a, *late]) == of_a
    assert talks.agent == anna, "the two have talked on"

    # The cable is plugged in again.
    healed = time.monotonic()
    centre.network.join("b")
    left = [call.call_id for call in (*of_b, *late)]
    wait_for(lambda: centre.queue() == left, 40)
    wait_for(lambda: centre.board().agents[anna].call_id == talks.call_id)
    print(f"they were in the queue again after {time.monotonic() - healed:.1f} s")
    assert centre.board().agents[anna].state == "answered"
    assert {*a.busy, *b.busy} <= {anna}, "the only one who was free by the store's word and not in truth"
    a.busy, b.busy = [], []

    a.ends(last)
    for site, call in ((b, of_b[0]), (b, of_b[1]), (b, of_b[2]), (a, late[0]), (a, late[1])):
        wait_for(lambda call=call: call.agent == bert)
        site.ends(call)
    b.ends(talks)
    a.ends(other)
    nothing_is_left(centre)
    assert all(len(call.offers) == 1 for call in (talks, rings, other, *waits, *late))
    decides_again(centre)


def test_a_host_that_is_cut_off_in_the_middle_of_a_decision_holds_nobody_up(centre: Centre) -> None:
    a, b = centre.a, centre.b
    (anna,) = centre.log_in(1)

    async def begin_to_decide() -> asyncio.Task[None]:
        has_begun = asyncio.Event()
        task = asyncio.create_task(decide(has_begun))
        await has_begun.wait()
        return task

    async def decide(has_begun: asyncio.Event) -> None:
        database = Database(centre.database.url)
        try:
            async with database.writing() as connection:
                await connection.execute(sa.select(acd.c.generation).with_for_update())
                has_begun.set()
                await asyncio.Event().wait()
        finally:
            await database.close()

    deciding = b.host.run(begin_to_decide())
    centre.network.cut("b")
    began = time.monotonic()
    call = a.comes()
    print(f"\nthe caller was in the queue after {time.monotonic() - began:.1f} s")
    wait_for(lambda: call.agent == anna)
    centre.network.join("b")
    b.host.loop.call_soon_threadsafe(deciding.cancel)
    b.host.run(asyncio.wait([deciding]))
