"""The ACD's service on a real bus and a real store, with workers that have no telephone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bench.acdworkers import Workers
from ivr.accounts import Account, Role
from ivr.acdservice import AcdService
from ivr.bus import Bus, BusError
from ivr.busaddress import address_finder
from ivr.config import Config
from ivr.patientstore import PatientStore
from ivr.queuesettings import QueueTable
from ivr.store.accounts import Accounts
from ivr.store.acdstate import load
from ivr.store.database import Database
from ivr.store.store import Store

pytestmark = [pytest.mark.net, pytest.mark.needs("mosquitto")]
Eventually = Callable[..., Awaitable[None]]


async def nothing() -> None:
    return None


class Acd:
    """A service in this process, and the store to look into."""

    def __init__(self, config: Config, url: str, queues: dict[str, QueueTable]) -> None:
        self.config, self.queues = config, queues
        self.store = Store(url)
        self.database: Database = self.store.database
        self.accounts = Accounts(self.database)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[AcdService]:
        bus = Bus(address_finder(self.config), "control")
        bus.set_state({"state": "up"})
        service = AcdService(self.queues, self.database, PatientStore(self.store, nothing), bus)
        async with bus:
            task = asyncio.create_task(service.run())
            await asyncio.wait_for(bus.connected.wait(), 20)
            try:
                yield service
            finally:
                task.cancel()
                await asyncio.wait([task])

    async def board(self):
        async with self.database.reading() as connection:
            return await load(connection, {})

    async def add(self, *names: str, queues: dict[str, int] | None = None) -> None:
        for name in names:
            await self.accounts.put(Account(name, Role.AGENT, "hotline", "0" * 32, "0" * 64, name.title()), 1.0)
            await self.accounts.assign(name, queues or {"cards": 0}, {"cards": 3})


@pytest.fixture
async def make_acd(config: Config, make_process, store_url: str) -> AsyncIterator[Callable[..., Awaitable[Acd]]]:
    await asyncio.to_thread(make_process("broker").start)
    made: list[Acd] = []

    async def make(**queues: QueueTable) -> Acd:
        made.append(Acd(config, store_url, queues or {"cards": QueueTable(joinempty="yes")}))
        await made[-1].store.migrate()
        return made[-1]

    yield make
    for acd in made:
        await acd.store.close()


async def test_a_caller_comes_to_a_ready_agent_and_the_agent_wraps_up(make_acd, config: Config) -> None:
    acd = await make_acd(cards=QueueTable(wrapuptime="60s"))
    await acd.add("anna")
    async with acd.serving(), Workers(address_finder(config)) as workers:
        with pytest.raises(BusError) as refused:
            await workers.join("cards")
        assert refused.value.code == "queue.no_agents"
        assert await workers.agent("anna", "login") == "ready"
        call = await workers.join("cards")
        assert call.position == 1
        await workers.until(lambda: call.agent == "anna")
        await workers.hang_up(call)
        board = await acd.board()
        assert board.agents["anna"].state == "wrap_up"
        assert board.callers == {}
        assert await workers.agent("anna", "wrapped_up", disposition="sold") == "ready"
    assert workers.wrong == []


async def test_callers_keep_their_order_and_hear_their_places(make_acd, config: Config) -> None:
    acd = await make_acd()
    await acd.add("anna")
    async with acd.serving(), Workers(address_finder(config)) as workers:
        calls = [await workers.join("cards") for _ in range(4)]
        assert [call.position for call in calls] == [1, 2, 3, 4]
        await workers.leave(calls[0])
        await workers.until(lambda: calls[1].position == 1)
        await workers.agent("anna", "login")
        for call in calls[1:]:
            await workers.until(lambda call=call: call.agent == "anna")
            await workers.hang_up(call)
    assert workers.wrong == []


async def test_an_agent_who_does_not_answer_is_paused_and_the_next_one_rings(make_acd, config: Config) -> None:
    acd = await make_acd(cards=QueueTable(strategy="linear", autopause="all", joinempty="yes"))
    await acd.add("anna", "bert")
    async with acd.serving(), Workers(address_finder(config), answers=lambda name: name == "bert") as workers:
        for name in ("anna", "bert"):
            await workers.agent(name, "login")
        call = await workers.join("cards")
        await workers.until(lambda: call.ringing)
        (offer,) = call.ringing
        await workers.tell("offer", offer=offer, call_id=call.call_id, agent="anna", outcome="no_answer")
        workers._stop_ringing(call, offer)
        await workers.until(lambda: call.agent == "bert")
        board = await acd.board()
        assert (board.agents["anna"].state, board.agents["anna"].pause_reason) == ("paused", "autopause")
    assert workers.wrong == []


async def test_ringall_rings_all_and_the_others_stop_when_one_answers(make_acd, config: Config) -> None:
    acd = await make_acd(cards=QueueTable(strategy="ringall"))
    await acd.add("anna", "bert", "carl")
    async with acd.serving(), Workers(address_finder(config), answers=lambda name: name == "carl") as workers:
        for name in ("anna", "bert", "carl"):
            await workers.agent(name, "login")
        call = await workers.join("cards")
        await workers.until(lambda: call.agent == "carl")
        await workers.until(lambda: call.news.count("withdraw") == 2)
        board = await acd.board()
        assert [board.agents[name].state for name in ("anna", "bert", "carl")] == ["ready", "ready", "answered"]
        assert board.offers == {}


async def test_a_worker_that_is_gone_frees_its_agent(make_acd, config: Config) -> None:
    acd = await make_acd()
    await acd.add("anna")
    async with acd.serving() as service, Workers(address_finder(config)) as workers:
        await workers.agent("anna", "login")
        call = await workers.join("cards")
        await workers.until(lambda: call.agent == "anna")
        workers.forget(call)
        service.call_ended(call.call_id, 2e9)
        workers._quiet(call)
        again = await workers.join("cards")
        await workers.until(lambda: again.agent == "anna")
    assert workers.wrong == []


async def test_an_agent_whose_phone_is_gone_gets_no_offer(make_acd, config: Config) -> None:
    acd = await make_acd()
    await acd.add("anna")
    async with acd.serving(), Workers(address_finder(config)) as workers:
        await workers.agent("anna", "login")
        workers.bus.publish("hotline/registration/anna", {"user": "anna", "contacts": [], "registered": False})
        while (await acd.board()).agents["anna"].registered is not False:  # noqa: ASYNC110 - a row
            await asyncio.sleep(0.02)
        call = await workers.join("cards")
        assert (await workers.ask("renew", call))["position"] == 1
        assert not call.offers
        workers.bus.publish("hotline/registration/anna", {"user": "anna", "contacts": [], "registered": True})
        await workers.until(lambda: call.agent == "anna")


async def test_leavewhenempty_sends_callers_away_when_the_last_agent_leaves(make_acd, config: Config) -> None:
    acd = await make_acd(cards=QueueTable(leavewhenempty="strict"))
    await acd.add("anna")
    async with acd.serving(), Workers(address_finder(config)) as workers:
        await workers.agent("anna", "login")
        await workers.agent("anna", "pause", reason="lunch")
        with pytest.raises(BusError):
            await workers.join("cards")
        await workers.agent("anna", "ready")
        talking = await workers.join("cards")
        await workers.until(lambda: talking.agent == "anna")
        waits = await workers.join("cards")
        await workers.agent("anna", "logout")
        await workers.hang_up(talking)
        await workers.until(lambda: "no_agents" in waits.news)
        assert (await acd.board()).agents["anna"].state == "offline"
    assert not waits.offers


async def test_two_controls_make_one_offer_and_carry_out_each_command_once(make_acd, config: Config) -> None:
    acd = await make_acd()
    other = await make_acd()
    await acd.add(*(f"a{number}" for number in range(5)))
    async with (
        acd.serving(),
        other.serving(),
        Workers(address_finder(config), talk_s=lambda: 0.02, ring_s=0.01) as workers,
    ):
        for number in range(5):
            await workers.agent(f"a{number}", "login")
        await asyncio.gather(*(workers.join("cards") for _ in range(60)))
        await workers.until(lambda: not workers.calls)
        first = await workers.tell("audit", who="boss", what="listen", agent="a1", call_id="")
        assert first == {}
        async with acd.database.reading() as connection:
            counted = await connection.exec_driver_sql("SELECT count(*) FROM audit")
            assert counted.scalar_one() == 1
    assert workers.wrong == []
    assert workers.assigned == 60
