"""The bus with real brokers that are killed."""

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from ivr import messages
from ivr.bus import Bus, BusError, CommandRefusedError, _Outgoing
from ivr.busaddress import address_finder
from ivr.config import BusSettings, Config, IvrSettings
from ivr.messages import Envelope

pytestmark = pytest.mark.net
CALL = "20261121-031500-7f3a9c"
Eventually = Callable[..., Awaitable[None]]


def event(seq: int) -> dict[str, Any]:
    return {"seq": seq, "kind": "note", "sample": None, "wall": 1.0, "leg": None, "data": {}}


class Ear:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Envelope]] = []

    def __call__(self, topic: str, envelope: Envelope) -> None:
        self.heard.append((topic, envelope))

    @property
    def numbers(self) -> list[int]:
        return [envelope.data["seq"] for _, envelope in self.heard]


async def test_events_arrive_in_order(broker, config: Config, eventually: Eventually) -> None:
    ear = Ear()
    async with Bus(address_finder(config), "control") as control, Bus(address_finder(config), "worker") as worker:
        control.listen(messages.CALL_EVENTS, ear)
        await asyncio.wait_for(control.connected.wait(), 20)
        await asyncio.wait_for(control.drained(), 20)
        for seq in range(1, 101):
            worker.publish_event(CALL, event(seq))
        await eventually(lambda: len(ear.heard) == 100)
    assert ear.numbers == list(range(1, 101))
    assert ear.heard[0][0] == f"hotline/call/{CALL}/event"


async def test_a_broker_that_was_killed_is_found_again(broker, config: Config, eventually: Eventually) -> None:
    ear = Ear()
    async with Bus(address_finder(config), "control") as control, Bus(address_finder(config), "worker") as worker:
        control.listen(messages.CALL_EVENTS, ear)
        await asyncio.wait_for(control.connected.wait(), 20)
        broker.kill()
        await eventually(lambda: not control.connected.is_set())
        worker.publish_event(CALL, event(1))
        port = broker.ready["port"]
        assert broker.start()["port"] == port
        await asyncio.wait_for(control.connected.wait(), 20)
        await asyncio.wait_for(control.drained(), 20)
        worker.publish_event(CALL, event(2))
        await eventually(lambda: 2 in ear.numbers)


async def test_state_is_retained_repeated_and_cleared_at_the_end(
    broker, config: Config, eventually: Eventually
) -> None:
    async with Bus(address_finder(config), "watcher") as watcher:
        ear = Ear()
        watcher.listen(messages.STATES, ear)
        async with Bus(address_finder(config), "worker") as worker:
            worker.set_state({"state": "busy"})
            await eventually(
                lambda: len([1 for _, item in ear.heard if item.data == {"state": "busy", "name": worker.name}]) >= 3
            )
        await eventually(lambda: ear.heard[-1][1].data == {"state": "gone"})
    late = Ear()
    async with Bus(address_finder(config), "watcher") as watcher:
        watcher.listen(messages.STATES, late)
        watcher.listen(messages.CALL_EVENTS, late)
        watcher.publish_event(CALL, event(1))
        await eventually(lambda: late.heard)
    assert late.numbers == [1]


async def test_processes_that_come_and_go_tell_their_state_in_one_place(
    broker, config: Config, eventually: Eventually
) -> None:
    """mosquitto never forgets a topic that had a retained message: one for each worker would fill its memory."""
    ear = Ear()
    async with Bus(address_finder(config), "watcher") as watcher:
        watcher.listen(messages.STATES, ear)
        names = []
        for _ in range(2):
            async with Bus(address_finder(config), "worker", place="here-30000") as worker:
                worker.set_state({"state": "idle"})
                names.append(worker.name)
                await eventually(lambda: ear.heard and ear.heard[-1][1].data == {"state": "idle", "name": names[-1]})
            await eventually(lambda: ear.heard[-1][1].data == {"state": "gone", "name": names[-1]})
    assert {topic for topic, _ in ear.heard} == {"hotline/worker/here-30000/state"}


async def test_a_killed_process_is_told_to_be_gone(broker, config: Config, eventually: Eventually) -> None:
    code = """
        import asyncio, sys
        from ivr.bus import Bus
        async def run():
            bus = Bus(lambda: ("127.0.0.1", int(sys.argv[1])), "worker")
            bus.set_state({"state": "busy"})
            async with bus:
                await asyncio.sleep(60)
        asyncio.run(run())
    """
    ear = Ear()
    async with Bus(address_finder(config), "watcher") as watcher:
        watcher.listen(messages.STATES, ear)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", textwrap.dedent(code), str(broker.ready["port"])
        )
        await eventually(lambda: ear.heard)
        process.kill()
        await process.wait()
        await eventually(lambda: ear.heard[-1][1].data["state"] == "gone")
        assert ear.heard[-1][0].startswith(f"hotline/worker/{process.pid}-")


async def test_a_command_is_answered_or_refused_or_times_out(broker, config: Config) -> None:
    async def serve(data: dict[str, Any]) -> dict[str, Any]:
        if data["n"] < 0:
            raise CommandRefusedError("negative", "only up from here")
        return {"n": data["n"] + 1}

    async with Bus(address_finder(config), "control") as control, Bus(address_finder(config), "cli") as client:
        control.serve("control", serve)
        assert await client.request("control", {"n": 1}, timeout_s=20) == {"n": 2}
        with pytest.raises(BusError, match="only up from here") as refused:
            await client.request("control", {"n": -1}, timeout_s=20)
        assert refused.value.code == "negative"
        with pytest.raises(BusError, match="nobody") as late:
            await client.request("nobody", {}, timeout_s=0.2)
        assert late.value.code == "bus.timeout"


async def test_commands_are_carried_out_once_through_two_kills_of_the_broker(broker, config: Config) -> None:
    done: dict[int, int] = {}

    async def serve(data: dict[str, Any]) -> dict[str, Any]:
        done[data["n"]] = done.get(data["n"], 0) + 1
        return {"n": data["n"]}

    async with Bus(address_finder(config), "control") as control, Bus(address_finder(config), "cli") as client:
        control.serve("control", serve)
        async with asyncio.TaskGroup() as group:
            for n in range(100):
                group.create_task(client.request("control", {"n": n}, timeout_s=40))
                await asyncio.sleep(0.01)
                if n in {30, 60}:
                    broker.kill()
                    await asyncio.to_thread(broker.start)
    assert done == dict.fromkeys(range(100), 1)


async def test_a_command_that_arrives_twice_is_carried_out_once(broker, config: Config) -> None:
    done: list[str] = []

    async def serve(data: dict[str, Any]) -> dict[str, Any]:
        done.append(data["name"])
        return {}

    async with Bus(address_finder(config), "control") as control, Bus(address_finder(config), "cli") as client:
        control.serve("control", serve)
        await client.request("control", {"name": "first"}, timeout_s=20)
        command = Envelope("one-id", time.time(), {"name": "twice"}, messages.reply_topic(client.client)).encode()
        for _ in range(2):
            client._put(_Outgoing(messages.command_topic("control"), command))
        await client.request("control", {"name": "last"}, timeout_s=20)
    assert done == ["first", "twice", "last"]


async def test_a_command_outlives_a_broker_that_hangs(make_process, config: Config, eventually: Eventually) -> None:
    """It is sent again and again meanwhile, and all of that goes out at once when the broker is back."""
    broker = make_process("broker")
    await asyncio.to_thread(broker.start)

    async def serve(data: dict[str, Any]) -> dict[str, Any]:
        return data

    async with Bus(address_finder(config), "control") as control, Bus(address_finder(config), "cli") as client:
        control.serve("control", serve)
        assert await client.request("control", {"n": 1}, timeout_s=20) == {"n": 1}
        os.killpg(broker.process.pid, signal.SIGSTOP)
        try:
            asked = asyncio.create_task(client.request("control", {"n": 2}, timeout_s=40))
            await eventually(lambda: not client.connected.is_set())
        finally:
            os.killpg(broker.process.pid, signal.SIGCONT)
        assert await asked == {"n": 2}
        assert await client.request("control", {"n": 3}, timeout_s=20) == {"n": 3}


async def test_the_queue_is_bounded_and_keeps_the_newest(broker, config: Config, eventually: Eventually) -> None:
    ear = Ear()
    bus = Bus(address_finder(config), "worker")
    for seq in range(1, 2502):
        bus.publish_event(CALL, event(seq))
    assert bus.dropped == 501
    async with Bus(address_finder(config), "control") as control:
        control.listen(messages.CALL_EVENTS, ear)
        await asyncio.wait_for(control.connected.wait(), 20)
        await asyncio.wait_for(control.drained(), 20)
        async with bus:
            await eventually(lambda: len(ear.heard) == 2000, 50)
    assert ear.numbers == list(range(502, 2502))


async def test_strangers_payloads_are_counted_and_ignored(broker, config: Config, eventually: Eventually) -> None:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto_pub is not installed")
    ear = Ear()
    async with Bus(address_finder(config), "control") as control:
        control.listen(messages.CALL_EVENTS, ear)
        await asyncio.wait_for(control.connected.wait(), 20)
        await asyncio.wait_for(control.drained(), 20)
        topic, port = messages.call_event_topic(CALL), str(broker.ready["port"])
        await asyncio.to_thread(
            subprocess.run, ["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-t", topic, "-m", "{"], check=True
        )
        await eventually(lambda: control.refused == 1)
        control.publish_event(CALL, event(7))
        await eventually(lambda: ear.numbers == [7])


async def test_without_a_broker_nothing_blocks_and_leaving_is_quick(config: Config) -> None:
    async with Bus(address_finder(config), "worker") as bus:
        bus.publish_event(CALL, event(1))
        assert not bus.connected.is_set()


def test_the_broker_ends_on_sigterm(broker) -> None:
    assert broker.kill(signal.SIGTERM) == 0


def test_with_a_bus_elsewhere_no_broker_is_started(make_process, config: Config) -> None:
    elsewhere = config.model_copy(update={"ivr": IvrSettings(bus=BusSettings(url="mqtt://example.org:1999"))})
    process = make_process("broker", elsewhere)
    assert process.start() == {"ready": "broker", "url": "mqtt://example.org:1999"}
    assert address_finder(elsewhere)() == ("example.org", 1999)


async def test_clients_that_come_while_others_come_are_all_heard(broker, config: Config, caplog) -> None:
    """amqtt cut a client off when another subscribed while it looked for what to tell the first."""
    random = Random(5)
    caplog.set_level(logging.INFO, "ivr.bus")

    async def echo(data: dict[str, Any]) -> dict[str, Any]:
        return data

    async def come_and_go(after_s: float) -> None:
        await asyncio.sleep(after_s)
        async with Bus(address_finder(config), "worker") as bus:
            for name in ("a", "b", "c"):
                bus.serve(f"{name}/{bus.name}", echo)
            bus.set_state({"state": "idle"})
            assert await bus.request(f"c/{bus.name}", {"n": 1}, timeout_s=20) == {"n": 1}

    async with Bus(address_finder(config), "control") as control:
        control.listen(messages.STATES, lambda _topic, _envelope: None)
        for number in range(30):
            control.keep(f"hotline/registration/{number}", {"registered": True})
        control.listen("hotline/registration/+", lambda _topic, _envelope: None)
        async with asyncio.TaskGroup() as group:
            for _ in range(60):
                group.create_task(come_and_go(random.uniform(0, 1)))
        await asyncio.wait_for(control.drained(), 20)
    assert [record.message for record in caplog.records] == []  # "bus away: ..."
