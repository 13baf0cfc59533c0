"""A worker's one call, as far as it can be tried without a stack: refusals that must never leave a caller ringing."""

import asyncio
import gc
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ivr import callsession
from ivr.config import Config
from ivr.slots import Slot
from ivr.worker import Worker
from telephony.legevents import Frame, Incoming, Refused


class Leg:
    """`status` is what it was hung up with."""

    status = 0

    def hang_up(self, status: int = 0) -> None:
        self.status = status


class Call:
    """Notes what it failed of."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def fail(self, reason: str) -> None:
        self.failures.append(reason)


class Stack:
    """Carries out at once what is posted."""

    def post(self, command: Callable[[], object]) -> None:
        command()


class Line:
    """Stands for door and bus, which need not know more."""

    def say(self, state: str) -> None: ...
    def set_state(self, state: dict[str, Any]) -> None: ...
    def publish_event(self, call_id: str, event: dict[str, Any]) -> None: ...


class Preloaded:
    """Has no flow."""

    def flow(self, _name: str) -> None: ...


@pytest.fixture
def worker(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker on a machine where no disk takes anything."""
    (tmp_path / "full").touch()
    monkeypatch.setattr(callsession, "REFUGES", (tmp_path / "full" / "a",))
    config.recordings_folder.parent.mkdir(parents=True)
    config.recordings_folder.touch()
    hear, tell = os.pipe()
    worker = Worker(config, Preloaded(), Slot(0, 30000, -1), tell)  # type: ignore[arg-type]
    worker._stack, worker._door, worker._bus = Stack(), Line(), Line()  # type: ignore[assignment]
    yield worker
    os.close(hear)
    os.close(tell)


async def test_a_call_whose_recording_no_disk_takes_is_refused_and_the_worker_ends(worker: Worker) -> None:
    leg = Leg()
    worker._on_leg_event(leg, Incoming("ann", "100", "x@y"))  # type: ignore[arg-type]
    assert leg.status == 503
    assert worker._done.is_set()


async def test_a_worker_ends_after_a_refused_call_also_where_no_disk_takes_the_note_of_it(worker: Worker) -> None:
    with pytest.raises(callsession.BundleCreateError):
        worker._on_leg_event(None, Refused(488, "Not Acceptable Here", "ann", "100", "x@y"))
    assert worker._done.is_set()


async def test_a_call_that_this_worker_cannot_take_is_no_call_in_the_archive(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """The stack refuses with 500 where another program has the slot's RTP ports; the next worker takes the call."""
    worker._on_leg_event(None, Refused(500, "Server Internal Error", "ann", "100", "x@y"))
    assert worker._done.is_set()
    assert "Does another program hold some of the UDP ports 30000 to 30015?" in caplog.text


async def test_a_fault_of_bus_or_door_does_not_end_a_call_but_one_in_its_own_events_does(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(worker._failed)
    worker._call = call = Call()  # type: ignore[assignment]
    lost = loop.create_future()
    lost.set_exception(OSError("bus"))
    del lost
    gc.collect()
    assert "bus" in caplog.text
    assert call.failures == []
    line = socket.socket()
    loop.call_soon(loop.add_writer, line.fileno(), print)  # as aiomqtt does when its connection has just ended
    line.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "Bad file descriptor" in caplog.text
    assert call.failures == []
    loop.call_soon(worker._on_leg_event, Leg(), Frame(0, b"", b""))  # this call takes no events
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(call.failures) == 1
