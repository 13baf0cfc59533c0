"""Control, broker, database killed under 50 waiting callers: nobody is lost, order is kept, no agent is stuck."""

import asyncio
from collections.abc import Iterator

import pytest

from bench import postgres
from bench.acdkill import survive
from bench.acdserver import AcdServer

pytestmark = [pytest.mark.net, pytest.mark.needs("mosquitto"), pytest.mark.timeout(180)]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[postgres.Postgres | None]:
    if request.param == "sqlite":
        yield None
    else:
        yield request.getfixturevalue("postgres")


def check(server: AcdServer, kill) -> None:
    names = asyncio.run(server.add_agents(10))
    found = asyncio.run(survive(server, names, kill))
    print(f"\nrecovered after {found.recovery_s:.2f} s")
    assert found.wrong == []
    assert found.lost == []
    assert found.stuck == []
    assert found.order == sorted(found.order)


def test_control_killed(database) -> None:
    with AcdServer(database.url if database else "auto") as server:
        server.start("broker")
        server.start("control")

        async def kill() -> None:
            server.kill("control")
            await asyncio.to_thread(server.start, "control")

        check(server, kill)


def test_one_of_two_controls_killed() -> None:
    with AcdServer() as server:
        server.start("broker")
        server.start("control")
        server.start("other", "control")

        async def kill() -> None:
            server.kill("control")

        check(server, kill)


def test_broker_killed() -> None:
    with AcdServer() as server:
        server.start("broker")
        server.start("control")

        async def kill() -> None:
            server.kill("broker")
            await asyncio.to_thread(server.start, "broker")

        check(server, kill)


def test_database_killed(postgres: postgres.Postgres) -> None:
    with AcdServer(postgres.url) as server:
        server.start("broker")
        server.start("control")

        async def kill() -> None:
            await asyncio.to_thread(postgres.stop)
            await asyncio.to_thread(postgres.start)

        check(server, kill)
