"""The running front door of either kind, with stand-in workers and phones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.telephony.edge.conftest import Stage

DOORS = [
    pytest.param("embedded", id="embedded"),
    pytest.param("kamailio", id="kamailio", marks=pytest.mark.needs("kamailio")),
]


class EitherStage(Stage):
    """A stage whose door is of the kind asked for."""

    def __init__(self, folder: Path, kind: str) -> None:
        super().__init__(folder)
        self.kind = kind

    async def open(self, *users: str, **settings: object):
        return await super().open(*users, door=f'"{self.kind}"', **settings)

    @asynccontextmanager
    async def quiet_door(self) -> AsyncIterator[None]:
        """Waits until the door has surely read all that was sent to it: it then has answered or never will."""
        for _ in range(3):
            await self.door.status()
            await asyncio.sleep(0.1)
        yield


@pytest.fixture(params=DOORS)
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[EitherStage]:
    stage = EitherStage(tmp_path, request.param)
    yield stage
    await stage.close()
