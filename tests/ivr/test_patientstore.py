"""Leaving a store in peace that is away, and finding it again."""

import pytest

from ivr.patientstore import PatientStore
from ivr.store.errors import StoreUnavailableError


class FakeStore:
    """Counts; `away` and `new` are how it is."""

    def __init__(self) -> None:
        self.away = False
        self.new = True
        self.tries = self.saves = self.migrations = self.fills = 0
        self.now = 0.0

    async def migrate(self) -> bool:
        self.tries += 1
        if self.away:
            raise StoreUnavailableError("away")
        self.migrations += 1
        return self.new

    async def save(self, batch) -> None:
        if self.away:
            raise StoreUnavailableError("away")
        self.saves += 1

    async def fill(self) -> None:
        self.fills += 1


@pytest.fixture
def fake() -> FakeStore:
    return FakeStore()


@pytest.fixture
def store(fake: FakeStore) -> PatientStore:
    return PatientStore(fake, fake.fill, lambda: fake.now)


async def test_it_is_migrated_once_and_filled_when_new(fake: FakeStore, store: PatientStore) -> None:
    await store.save([])
    await store.save([])
    assert (fake.migrations, fake.fills, fake.saves) == (1, 1, 2)


async def test_a_store_that_is_not_new_is_not_filled(fake: FakeStore, store: PatientStore) -> None:
    fake.new = False
    await store.save([])
    assert fake.fills == 0


async def test_while_it_is_away_it_is_asked_ever_more_rarely(fake: FakeStore, store: PatientStore) -> None:
    fake.away = True
    for _ in range(600):  # a minute
        with pytest.raises(StoreUnavailableError):
            await store.save([])
        fake.now += 0.1
    assert 50 <= fake.tries <= 63  # 0.2, 0.4, 0.8, then each second
    fake.away, fake.new = False, False
    fake.now += 5
    await store.save([])
    assert (fake.saves, fake.fills) == (1, 0)


async def test_when_it_comes_back_it_is_migrated_again(fake: FakeStore, store: PatientStore) -> None:
    await store.save([])
    fake.away = True
    with pytest.raises(StoreUnavailableError):
        await store.save([])
    fake.away = False
    fake.now = 1
    await store.save([])
    assert fake.migrations == 2
