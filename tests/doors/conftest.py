"""The running front door of either kind, with stand-in workers and phones."""

from collections.abc import AsyncIterator
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

    async def open(self, **settings: object):
        return await super().open(door=f'"{self.kind}"', **settings)


@pytest.fixture(params=DOORS)
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[EitherStage]:
    stage = EitherStage(tmp_path, request.param)
    yield stage
    await stage.close()
