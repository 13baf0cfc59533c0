"""The archivist with fakes for the store: nothing is forgotten, nothing holds up the rest."""

import os
from pathlib import Path
from random import Random

import pytest

from ivr.archivist import Archivist
from ivr.store.errors import StoreRefusedError, StoreUnavailableError
from ivr.store.rows import CallRows
from recordings.bundle import Bundle
from recordings.callid import new_call_id
from recordings.event import Event
from recordings.read import State, find
from recordings.termination import Termination


class FakeStore:
    """Keeps rows; `away` and `refuses` (call ids) are how it misbehaves."""

    def __init__(self) -> None:
        self.kept: dict[str, CallRows] = {}
        self.away = False
        self.refuses: set[str] = set()
        self.now = 0.0

    async def save(self, batch: list[CallRows]) -> None:
        if self.away:
            raise StoreUnavailableError("away")
        if any(rows.call_id in self.refuses for rows in batch):
            raise StoreRefusedError("bad rows")
        self.kept.update({rows.call_id: rows for rows in batch})


class Scene:
    """An archivist at a folder with a clock to turn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FakeStore()
        self.repaired: list[tuple[str, Event]] = []
        self.stored: list[str] = []
        self.random = Random(3)
        self.archivist = Archivist(
            folder, self.store, lambda *item: self.repaired.append(item), self.stored.append, lambda: self.store.now
        )

    def call(self, end: bool = True) -> str:
        bundle = Bundle.create(self.folder, new_call_id(1795230000, self.random), {"caller": "1001"})
        bundle.leg("caller").write(bytes(1600))
        bundle.event("call.started", None, None, {})
        if end:
            bundle.close(Termination.COMPLETED, "hotline")
        else:
            os.close(bundle._lock_fd)  # its process dies
        return bundle.call_id

    async def work(self) -> None:
        while await self.archivist.look():
            pass


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


async def test_ended_and_torn_calls_reach_archive_and_store(scene: Scene) -> None:
    ended, torn = scene.call(), scene.call(end=False)
    await scene.work()
    assert {find(scene.folder, call_id)[0] for call_id in (ended, torn)} == {State.SEALED}
    assert [call_id for call_id, _ in scene.repaired] == [torn]
    assert scene.store.kept[torn].call["termination"] == "worker_died"
    assert scene.store.kept[ended].call["archived"] is True
    assert sorted(scene.stored) == sorted([ended, torn])
    assert list((scene.folder / "unstored").iterdir()) == []


async def test_a_call_that_is_up_is_left_alone(scene: Scene) -> None:
    bundle = Bundle.create(scene.folder, "20261121-031500-7f3a9c", {})
    await scene.work()
    assert find(scene.folder, bundle.call_id)[0] is State.OPEN
    bundle.close(Termination.COMPLETED, "hotline")
    await scene.work()
    assert bundle.call_id in scene.store.kept


async def test_without_a_store_calls_are_sealed_and_stored_later(scene: Scene) -> None:
    scene.store.away = True
    call_id = scene.call()
    await scene.work()
    assert find(scene.folder, call_id)[0] is State.SEALED
    assert scene.stored == []
    scene.store.away = False
    await scene.work()
    assert scene.stored == [call_id]


async def test_a_refused_call_does_not_hold_up_the_others(scene: Scene) -> None:
    bad, good = sorted([scene.call(), scene.call()])
    scene.store.refuses = {bad}
    await scene.work()
    assert scene.stored == [good]
    scene.store.refuses = set()
    await scene.work()
    assert scene.stored == [good]
    scene.store.now = 6
    await scene.work()
    assert scene.stored == [good, bad]


async def test_a_call_that_cannot_be_sealed_waits_and_is_tried_again(scene: Scene) -> None:
    bad, good = sorted([scene.call(), scene.call()])
    wav = scene.folder / "closed" / bad / "caller.wav"
    content = wav.read_bytes()
    wav.write_bytes(b"RIFF" + bytes(100))
    await scene.work()
    assert scene.stored == [good]
    wav.write_bytes(content)
    scene.store.now = 6
    await scene.work()
    assert scene.stored == [good, bad]


async def test_a_mark_without_a_call_is_removed(scene: Scene) -> None:
    mark = scene.folder / "unstored" / "20261121-031500-7f3a9c"
    mark.parent.mkdir()
    mark.touch()
    await scene.work()
    assert not mark.exists()
