"""The ACD's service on a real bus and a real store, with workers that have no telephone."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bench.acdworkers import Workers
from ivr.__main__ import main
from ivr.accounts import Account, Role, hash_pin
from ivr.acdservice import AcdService, Readiness
from ivr.bus import Bus, BusError, CommandRefusedError
from ivr.busaddress import address_finder
from ivr.config import Config
from ivr.messages import Envelope
from ivr.patientstore import PatientStore
from ivr.queuesettings import QueueTable
from ivr.store.accounts import Accounts
from ivr.store.acdstate import load
from ivr.store.database import Database
from ivr.store.errors import StoreUnavailableError
from ivr.store.store import Store

pytestmark = [pytest.mark.net, pytest.mark.needs("mosquitto")]
Eventually = Callable[..., Awaitable[None]]


async def nothing() -> None:
    return None


class Acd:
    """A service in this process, and the store to look into."""

    def __init__(self, config: Config, url: str, queues: dict[str, QueueTable]) -> None:
        self.config, self.queues, self.url = config, queues, url
        self.store = Store(url)
        self.database: Database = self.store.database
        self.accounts = Accounts(self.database)

    @asynccontextmanager
    async def serving(self, readiness: Readiness | None = None) -> AsyncIterator[AcdService]:
        bus = Bus(address_finder(self.config), "control")
        bus.set_state({"state": "up"})
        readiness = readiness or PatientStore(self.store, nothing)
        service = AcdService(self.queues, self.database, readiness, bus)
        async with bus:
            task = asyncio.create_task(service.run())
            await asyncio.wait_for(bus.connected.wait(), 20)
            try:
                yield service
            finally:
                assert not task.done(), task
                task.cancel()
                await asyncio.wait([task])

    async def board(self):
        async with self.database.reading() as connection:
            return await load(connection, {})

    async def add(self, *names: str, queues: dict[str, int] | None = None) -> None:
        for name in names:
            await self.accounts.put(Account(name, Role.AGENT, "hotline", "0" * 32, "0" * 64, name.title()), 1.0)
            await self.accounts.assign(name, queues or {"cards": 0}, {"cards": 3})


class Later:
    """A way to the store that is barred until it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def prepare(self) -> None:
        await self.open.wait()

    def lost(self, error: StoreUnavailableError) -> None:
        raise error


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


async def test_a_control_that_comes_late_to_the_store_brings_nobody_back(make_acd, config: Config) -> None:
    """It has heard a renewal that the other one answered, and afterwards that the talk was over."""
    acd = await make_acd()
    late = await make_acd()
    await acd.add("anna")
    way = Later()
    async with late.serving(way), Workers(address_finder(config)) as workers:
        async with acd.serving():
            await workers.agent("anna", "login")
            call = await workers.join("cards")
            await workers.until(lambda: call.agent == "anna")
            while (await acd.board()).agents["anna"].state != "answered":  # noqa: ASYNC110 - a row
                await asyncio.sleep(0.02)
            await workers.ask("renew", call, offer=None, agent="anna")
            await workers.hang_up(call)
        way.open.set()
        again = await workers.join("cards")
        assert set((await acd.board()).callers) == {again.call_id}
        await workers.until(lambda: again.agent == "anna")
    assert workers.wrong == []


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


async def test_why_tells_who_was_rung_and_why_not_the_others(make_acd, config: Config, capsys) -> None:
    acd = await make_acd(cards=QueueTable(joinempty="yes", strategy="linear"))
    await acd.add("anna", "bert", "carl")
    file = config.root / "config.toml"
    file.write_text(f'[ivr]\ndata = "var"\n[ivr.store]\nurl = "{acd.url}"\n[queues.cards]\nstrategy = "linear"\n')

    async def ivr(*arguments: str) -> str:
        assert await asyncio.to_thread(main, [*arguments, "--config", str(file)]) == 0
        return capsys.readouterr().out

    async with acd.serving(), Workers(address_finder(config), answers=lambda name: name == "bert") as workers:
        for name in ("anna", "bert"):
            await ivr("agents", "login", name)
        first = await workers.join("cards")
        await workers.until(lambda: first.ringing)
        (offer,) = first.ringing
        await workers.tell("offer", offer=offer, call_id=first.call_id, agent="anna", outcome="declined")
        workers._stop_ringing(first, offer)
        await workers.until(lambda: first.agent == "bert")
        assert "paused: lunch" in await ivr("agents", "pause", "anna", "--reason", "lunch")
        second = await workers.join("cards")
        told = await ivr("why", first.call_id)
        assert "-> anna: declined after" in told
        assert "-> bert: answered after" in told
        assert "carl  not" in told
        assert "not logged in" in told
        told = await ivr("why", second.call_id)
        assert "nobody can be rung" in told
        assert "paused: lunch" in told
        assert f"talks in call {first.call_id}" in told
        assert json.loads(await ivr("why", "last", "--json"))["call_id"] == first.call_id
        (queue,) = json.loads(await ivr("queues", "--json"))
        assert (queue["queue"], queue["waiting"], queue["busy"], queue["paused"]) == ("cards", 1, 1, 1)
        assert "cards" in await ivr("queues")
        agents = {each["name"]: each for each in json.loads(await ivr("agents", "list", "--json"))}
        assert [agents[name]["state"] for name in ("anna", "bert", "carl")] == ["paused", "answered", "offline"]
        assert "paused: lunch" in await ivr("agents", "list")


async def test_a_callback_keeps_the_place_and_rings_the_agent_first(make_acd, config: Config) -> None:
    acd = await make_acd()
    await acd.add("anna")
    async with acd.serving() as service, Workers(address_finder(config)) as workers:
        first, second = await workers.join("cards"), await workers.join("cards")
        booked = await workers.tell(
            "callback", call_id=first.call_id, number="+4930123", queue="cards", joined=first.joined, at=None
        )
        again = await workers.tell("callback", call_id=first.call_id, number="+4930123", queue="cards", joined=9e9)
        assert again["ticket"] == booked["ticket"]
        await workers.leave(first, "exit_key")
        await workers.until(lambda: second.position == 2)
        given: asyncio.Queue[dict] = asyncio.Queue()

        async def originate(data: dict) -> dict:
            given.put_nowait(data)
            return {"accepted": True}

        async with Bus(address_finder(config), "worker") as idle:
            idle.serve(f"worker/{idle.name}", originate)
            idle.set_state({"state": "idle"})
            await workers.until(lambda: service._idle)
            await workers.agent("anna", "login")
            task = await asyncio.wait_for(given.get(), 20)
            facts = {"offer": task["offer"], "call_id": task["call_id"], "agent": task["agent"]}
            assert (task["number"], task["agent"], task["from_call"]) == ("+4930123", "anna", first.call_id)
            assert not second.offers
            await workers.tell("offer", **facts, outcome="answered")
            board = await acd.board()
            assert board.callers[task["call_id"]].agent == "anna"
            await workers.tell("ticket", ticket=task["ticket"], outcome="answered")
            await workers.tell("talk", call_id=task["call_id"], agent="anna", state="over")
        await workers.until(lambda: second.agent == "anna")
        assert (await acd.board()).tickets == {}


async def test_a_number_that_is_not_reached_is_tried_again_later(make_acd, config: Config) -> None:
    acd = await make_acd()
    await acd.add("anna")
    async with acd.serving(), Workers(address_finder(config)) as workers:
        booked = await workers.tell("callback", call_id="20261121-031500-7f3a9c", number="+4930123", queue="cards")
        for attempts in (1, 2):
            await workers.tell("ticket", ticket=booked["ticket"], outcome="no_answer")
            ticket = (await acd.board()).tickets[booked["ticket"]]
            assert (ticket.state, ticket.attempts) == ("open", attempts)
            assert ticket.not_before > ticket.since
        await workers.tell("ticket", ticket=booked["ticket"], outcome="no_answer")
        assert (await acd.board()).tickets == {}


async def test_a_pin_is_checked_and_guessing_is_stopped(make_acd, config: Config) -> None:
    acd = await make_acd()
    account = Account("boss", Role.SUPERVISOR, "hotline", "0" * 32, "0" * 64, pin_hash=hash_pin("4711"))
    await acd.accounts.put(account, 1.0)
    async with acd.serving(), Workers(address_finder(config)) as workers:
        assert await workers.tell("pin", user="boss", pin="4711") == {"ok": True, "role": "supervisor"}
        assert await workers.tell("pin", user="nobody", pin="4711") == {"ok": False, "role": ""}
        for number in range(5):
            assert not (await workers.tell("pin", user="boss", pin=f"000{number}"))["ok"]
        assert not (await workers.tell("pin", user="boss", pin="4711"))["ok"]


async def test_a_command_that_is_no_command_is_refused_with_a_reason(make_acd, config: Config) -> None:
    acd = await make_acd()
    async with acd.serving(), Workers(address_finder(config)) as workers:
        for data, complaint in (
            ({"command": "dance"}, "no command"),
            ({"command": "join", "call_id": 7}, "call_id"),
            ({"command": "agent", "agent": "nobody", "do": "login"}, "no agent nobody"),
        ):
            with pytest.raises(BusError, match=complaint):
                await workers.bus.request("acd", data)


async def test_a_command_that_breaks_something_does_not_stop_the_others(make_acd, config: Config, caplog) -> None:
    acd = await make_acd()
    await acd.add("anna")
    async with acd.serving() as service, Workers(address_finder(config)) as workers:

        def breaks(_board, _now) -> None:
            raise ZeroDivisionError

        service._do(breaks)
        await workers.agent("anna", "login")
        call = await workers.join("cards")
        await workers.until(lambda: call.agent == "anna")
    assert "ZeroDivisionError" in caplog.text


async def test_a_renewal_that_comes_after_the_end_of_its_call_brings_no_ghost(make_acd, config: Config) -> None:
    acd = await make_acd()
    await acd.add("anna")
    async with acd.serving() as service, Workers(address_finder(config)) as workers:
        await workers.agent("anna", "login")
        for end in (workers.hang_up, workers.leave):
            call = await workers.join("cards")
            await workers.until(lambda call=call: call.agent == "anna")
            sent = time.time() - 0.01
            await end(call)
            data = {"command": "renew", "call_id": call.call_id, "worker": "w1", "queue": "cards"}
            data["joined"] = call.joined
            with pytest.raises(CommandRefusedError) as refused:
                await service._serve(Envelope("late", sent, {**data, "agent": "anna"}))
            assert refused.value.code == "call.over"
            assert (await acd.board()).callers == {}
