"""Whom control believes to be gone: a broker that ends says it of every worker."""

import asyncio

import pytest

from ivr.acdboard import Board, Caller
from ivr.acdservice import AcdService
from ivr.bus import Bus
from ivr.messages import GONE, Envelope
from ivr.patientstore import PatientStore
from ivr.store.store import Store


class Clock:
    """Unix seconds that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def service(clock: Clock) -> AcdService:
    """On the bus for an hour, with a caller of the worker 77-abc."""

    async def nothing() -> None:
        return None

    store = Store("sqlite+aiosqlite://")
    bus = Bus(lambda: None, "control")
    made = AcdService({}, store.database, PatientStore(store, nothing), bus, clock)
    made._state.board = Board({})
    made._state.board.put_caller(Caller("c1", "77-abc", "cards", 990.0))
    bus.connected.set()
    made._watch_bus()
    clock.now += 3600
    return made


def say(service: AcdService, state: str, name: str = "77-abc") -> None:
    service._worker("hotline/worker/here-30000/state", Envelope("", 0.0, {"state": state, "name": name}))


async def ended(service: AcdService, clock: Clock) -> bool:
    """Whether the caller is taken out of the queue a second later."""
    clock.now += 1.0
    service._watch_bus()
    service._end_missed()
    board = service._state.board
    assert board is not None
    for each in service._pending:
        each.ask.work(board, clock.now)
    await asyncio.sleep(0)
    return "c1" not in board.callers


async def test_a_worker_that_is_gone_and_stays_away_has_no_caller(service: AcdService, clock: Clock) -> None:
    say(service, GONE)
    assert await ended(service, clock)


async def test_a_worker_that_says_that_it_is_there_keeps_its_caller(service: AcdService, clock: Clock) -> None:
    say(service, GONE)
    say(service, "busy")
    assert not await ended(service, clock)


async def test_a_broker_that_ends_is_not_believed(service: AcdService, clock: Clock) -> None:
    say(service, GONE)
    service._bus.connected.clear()
    assert not await ended(service, clock)
    service._bus.connected.set()
    service._watch_bus()
    say(service, GONE)  # what the broker kept, told at once when it is back
    assert not await ended(service, clock)


async def test_a_worker_of_another_host_with_the_same_pid_takes_nobody_with_it(
    service: AcdService, clock: Clock
) -> None:
    say(service, GONE, "77-def")
    assert not await ended(service, clock)


async def test_a_last_will_that_comes_after_the_next_worker_in_its_place_is_of_the_one_before(
    service: AcdService, clock: Clock
) -> None:
    say(service, "idle", "78-def")
    say(service, GONE)
    assert list(service._idle) == ["78-def"]
    assert await ended(service, clock)
