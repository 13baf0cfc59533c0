"""Broker, control and store killed in the middle of calls: every call is whole in the store afterwards."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from ivr import messages
from ivr.acd.model import QueueSettings
from ivr.acdboard import Caller as Waits
from ivr.bus import Bus
from ivr.busaddress import address_finder
from ivr.config import Config, IvrSettings, StoreSettings
from ivr.store import acdtables as tables
from ivr.store.acdstate import AcdState
from ivr.store.errors import StoreError
from ivr.store.store import Store, StoredCall
from recordings.bundle import Bundle
from recordings.callid import new_call_id
from recordings.read import State, call_ids, read
from recordings.termination import Termination

pytestmark = [pytest.mark.net, pytest.mark.timeout(120)]
Eventually = Callable[..., Awaitable[None]]

CALLER = """
    # A call's process: 40 events a second until a line comes in, then it ends the call.
    import asyncio, sys, time
    from pathlib import Path
    from random import Random
    from ivr.bus import Bus
    from ivr.busaddress import read_address
    from recordings.bundle import Bundle
    from recordings.callid import new_call_id
    from recordings.termination import Termination
    folder, bus_file = Path(sys.argv[1]), Path(sys.argv[2])

    async def call():
        line = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        about = {"caller": "1001", "called": "hotline", "flow": "bank-en"}
        bundle = Bundle.create(folder, new_call_id(time.time(), Random()), about)
        async with Bus(lambda: read_address(bus_file), "worker") as bus:
            def tell(*event):
                bus.publish_event(bundle.call_id, bundle.event(*event))
            tell("call.started", None, None, about)
            print(bundle.call_id, flush=True)
            number = 0
            while not line.done():
                number += 1
                bundle.leg("caller").write(bytes(400))
                tell("utterance", number * 200, "caller", {"text": f"word {number}", "confidence": 0.5})
                await asyncio.sleep(0.025)
            bus.publish_event(bundle.call_id, bundle.close(Termination.CALLER_HANGUP, "caller"))
    asyncio.run(call())
"""


class Caller:
    """A call that can be ended or killed."""

    def __init__(self, config: Config) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                textwrap.dedent(CALLER),
                str(config.recordings_folder),
                str(config.run_folder / "bus.json"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.call_id = self.process.stdout.readline().strip()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.communicate("end\n", timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture
def make_caller(config: Config) -> Iterator[Callable[[], Caller]]:
    callers: list[Caller] = []

    def make() -> Caller:
        callers.append(Caller(config))
        return callers[-1]

    yield make
    for caller in callers:
        caller.kill()


@pytest.fixture
def mosquitto(make_process):
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    process = make_process("broker")
    process.start()
    return process


async def stored_call(url: str, call_id: str) -> StoredCall | None:
    store = Store(url)
    try:
        return await store.call(call_id)
    except StoreError:
        return None
    finally:
        await store.close()


async def wait_for_call(url: str, call_id: str, condition: Callable[[StoredCall], object]) -> StoredCall:
    """Waits until the store's picture of a call satisfies `condition`."""
    async with asyncio.timeout(40):
        while True:
            call = await stored_call(url, call_id)
            if call is not None and condition(call):
                return call
            await asyncio.sleep(0.05)


async def waiting(store: Store) -> list[str]:
    """The calls that have a place in a queue."""
    async with store.database.reading() as connection:
        return list((await connection.execute(sa.select(tables.waiting.c.call_id))).scalars())


async def check_whole(config: Config, call_id: str, termination: str) -> None:
    """The archive's copy in the store is the bundle, event by event."""
    stored = await wait_for_call(config.store_url, call_id, lambda call: call.archived)
    record = read(config.recordings_folder, call_id)
    assert record.state is State.SEALED
    assert stored.events == record.events
    assert [event.seq for event in stored.events] == list(range(1, len(stored.events) + 1))
    assert stored.summary.termination == termination
    assert (record.path / "call.flac").exists()


async def test_a_call_is_in_the_store_while_it_is_up(mosquitto, make_process, make_caller, config: Config) -> None:
    make_process("control").start()
    caller = await asyncio.to_thread(make_caller)
    call = await wait_for_call(config.store_url, caller.call_id, lambda call: len(call.events) > 5)
    assert call.summary.ended is None
    assert call.summary.caller == "1001"
    assert call.archived is False
    await asyncio.to_thread(caller.end)
    await check_whole(config, caller.call_id, "caller_hangup")


async def test_the_broker_killed_in_mid_call_loses_nothing(
    mosquitto, make_process, make_caller, config: Config
) -> None:
    make_process("control").start()
    caller = await asyncio.to_thread(make_caller)
    before = await wait_for_call(config.store_url, caller.call_id, lambda call: len(call.events) > 5)
    mosquitto.kill()
    await asyncio.to_thread(mosquitto.start)
    await wait_for_call(config.store_url, caller.call_id, lambda call: len(call.events) > len(before.events) + 20)
    mosquitto.kill()
    await asyncio.to_thread(caller.end)
    await check_whole(config, caller.call_id, "caller_hangup")


async def test_control_killed_in_mid_call_loses_nothing(mosquitto, make_process, make_caller, config: Config) -> None:
    control = make_process("control")
    control.start()
    caller, ends_meanwhile = await asyncio.to_thread(make_caller), await asyncio.to_thread(make_caller)
    await wait_for_call(config.store_url, caller.call_id, lambda call: len(call.events) > 5)
    control.kill()
    await asyncio.to_thread(ends_meanwhile.end)
    begins_meanwhile = await asyncio.to_thread(make_caller)
    await asyncio.to_thread(control.start)
    call = await wait_for_call(config.store_url, begins_meanwhile.call_id, lambda call: len(call.events) > 5)
    assert call.events[0].seq == 1
    for each in (caller, begins_meanwhile):
        await asyncio.to_thread(each.end)
    for each in (caller, ends_meanwhile, begins_meanwhile):
        await check_whole(config, each.call_id, "caller_hangup")
    assert control.kill(signal.SIGTERM) == 0


async def test_a_killed_call_is_closed_told_and_archived(
    mosquitto, make_process, make_caller, config: Config, eventually: Eventually
) -> None:
    make_process("control").start()
    told: list[dict] = []
    async with Bus(address_finder(config), "watcher") as watcher:
        watcher.listen(messages.CALL_EVENTS, lambda _topic, envelope: told.append(envelope.data))
        await asyncio.wait_for(watcher.connected.wait(), 20)
        caller = await asyncio.to_thread(make_caller)
        await wait_for_call(config.store_url, caller.call_id, lambda call: len(call.events) > 5)
        caller.kill()
        await eventually(lambda: told[-1]["kind"] == "call.ended")
    assert told[-1]["data"]["termination"] == "worker_died"
    await check_whole(config, caller.call_id, "worker_died")


async def test_a_queued_call_that_ended_while_nobody_listened_holds_no_place(make_process, config: Config) -> None:
    bundle = Bundle.create(config.recordings_folder, new_call_id(time.time(), Random()), {"caller": "1001"})
    waits = Waits(bundle.call_id, 1, "cards", time.time())
    store = Store(config.store_url)
    try:
        await store.migrate()
        state = AcdState(store.database, {"cards": QueueSettings("cards")})
        await state.turn(lambda board, _answers: board.put_caller(waits), [], time.time())
        assert await waiting(store) == [bundle.call_id]
        bundle.event("call.started", None, None, {"caller": "1001"})
        bundle.close(Termination.CALLER_HANGUP, "caller")

        make_process("control").start()  # without a broker: nobody tells it that the call is over
        async with asyncio.timeout(40):
            while True:
                if not await waiting(store):
                    break
                await asyncio.sleep(0.05)
    finally:
        await store.close()


async def test_the_database_crashing_in_mid_call_loses_nothing(
    mosquitto, make_process, make_caller, config: Config, postgres
) -> None:
    config = config.model_copy(update={"ivr": IvrSettings(data=Path("var"), store=StoreSettings(url=postgres.url))})
    make_process("control", config).start()
    caller, ends_meanwhile = await asyncio.to_thread(make_caller), await asyncio.to_thread(make_caller)
    await wait_for_call(config.store_url, caller.call_id, lambda call: len(call.events) > 5)
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(ends_meanwhile.end)
    begins_meanwhile = await asyncio.to_thread(make_caller)
    await asyncio.to_thread(postgres.start)
    await wait_for_call(config.store_url, begins_meanwhile.call_id, lambda call: len(call.events) > 5)
    for each in (caller, begins_meanwhile):
        await asyncio.to_thread(each.end)
    for each in (caller, ends_meanwhile, begins_meanwhile):
        await check_whole(config, each.call_id, "caller_hangup")


async def test_the_database_deleted_in_mid_call_is_made_again_with_every_call(
    mosquitto, make_process, make_caller, config: Config
) -> None:
    make_process("control").start()
    before, caller = await asyncio.to_thread(make_caller), await asyncio.to_thread(make_caller)
    await asyncio.to_thread(before.end)
    await check_whole(config, before.call_id, "caller_hangup")
    (config.data_folder / "hotline.db").unlink()
    await check_whole(config, before.call_id, "caller_hangup")
    await asyncio.to_thread(caller.end)
    await check_whole(config, caller.call_id, "caller_hangup")


async def test_with_neither_bus_nor_store_calls_are_archived_and_stored_later(
    make_process, make_caller, config: Config, free_port: int, eventually: Eventually
) -> None:
    nowhere = config.model_copy(
        update={
            "ivr": IvrSettings(
                data=Path("var"), store=StoreSettings(url=f"postgresql+asyncpg://x@127.0.0.1:{free_port}/x")
            )
        }
    )
    control = make_process("control", nowhere)
    control.start()
    caller = await asyncio.to_thread(make_caller)
    await asyncio.to_thread(caller.end)
    await eventually(lambda: read(config.recordings_folder, caller.call_id).state is State.SEALED)
    assert control.kill(signal.SIGTERM) == 0
    make_process("control", config).start()
    await check_whole(config, caller.call_id, "caller_hangup")
    assert list(call_ids(config.recordings_folder)) == [caller.call_id]
    assert json.loads((read(config.recordings_folder, caller.call_id).path / "transcript.json").read_text())["lines"]
