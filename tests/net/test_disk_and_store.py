"""A disk that fills up and a PostgreSQL that is killed, each in the middle of a call."""

import asyncio
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.ivr.conftest import Postgres
from tests.net import sound
from tests.net.hotline import Archived
from tests.net.phones import Phones, Says, keys, packets, quiet

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB where the recordings of the test's first hotline go."""
    folder = tmp_path / "var0/recordings"
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "hotline-test", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leaves not a byte free."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


@pytest.mark.needs("root", "mount")
def test_a_call_outlives_a_full_disk(small_disk, make_hotline):
    hotline = make_hotline()
    with Phones(hotline.address) as phones:
        call = phones.call("patient", Says([*quiet(1.0), *keys("1")]))
        phones.until(lambda: (live := hotline.live_call(call.call_id)) and live.keys == "1")
        filler = fill(small_disk)
        call.talker.add([*packets(sound.tone(900, 2.0)), *keys("4711")])
        phones.until(lambda: call.talker.said)
        phones.loop.run_for(0.5)
        filler.unlink()
        call.talker.add([*packets(sound.tone(1100, 1.0)), *keys("9")])
        phones.at_end([call])
        (one,) = phones.until(lambda: hotline.calls(call.call_id))
    assert call.ended_by_far_end
    assert one.termination == "completed"
    assert one.keys == "147119"
    assert [data["code"] for data in one.data("error")] == ["recording.disk_full"]
    one.assert_recorded_whole()
    assert 1.8 < sound.tone_seconds(one.audio[:, 0], 900) < 2.2
    assert 0.8 < sound.tone_seconds(one.audio[:, 0], 1100) < 1.2
    assert hotline.rows(one) == [event["seq"] for event in one.events]
    assert "Traceback" not in hotline.log()


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL with an empty database."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="hotline-pg-") as name, socket.socket() as trial:
        Path(name).chmod(0o777)
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
        trial.close()
        server = Postgres(Path(name) / "data", port)
        server.create()
        server.start()
        yield server
        server.stop()


async def rows(server: Postgres, call: Archived) -> list[int]:
    """The numbers of a call's events in the store, once it is there from the archive."""
    connection = await asyncpg.connect(server.url.replace("+asyncpg", ""))
    try:
        whole = await connection.fetch("select 1 from calls where call_id = $1 and archived", call.path.name)
        found = await connection.fetch("select seq from events where call_id = $1 order by seq", call.path.name)
    finally:
        await connection.close()
    return [row["seq"] for row in found] if whole else []


def test_a_call_outlives_the_death_of_postgresql(postgres, make_hotline):
    hotline = make_hotline(more=f'[ivr.store]\nurl = "{postgres.url}"\n')
    with Phones(hotline.address) as phones:
        call = phones.call("patient", Says([*quiet(1.0), *keys("1")]))
        during = phones.call("patient", Says([*quiet(1.0), *keys("1")]))
        for one in (call, during):
            phones.until(lambda one=one: (live := hotline.live_call(one.call_id)) and live.keys == "1")
        postgres.stop()
        for one in (call, during):
            one.talker.add(keys("4711"))
        during.talker.add(keys("9", 0.5))
        phones.at_end([during])
        (ended,) = phones.until(lambda: hotline.calls(during.call_id))
        postgres.start()
        call.talker.add(keys("9"))
        phones.at_end([call])
        (outlived,) = phones.until(lambda: hotline.calls(call.call_id))
        for one in (ended, outlived):
            assert one.termination == "completed"
            assert one.keys == "147119"
            numbers = [event["seq"] for event in one.events]
            phones.until(lambda one=one: asyncio.run(rows(postgres, one)), 40)
            assert asyncio.run(rows(postgres, one)) == numbers
    assert "Traceback" not in hotline.log()
