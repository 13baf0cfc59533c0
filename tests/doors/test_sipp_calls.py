"""SIPp, a stranger's SIP stack, against the running front door of either kind."""

import asyncio
from pathlib import Path

import pytest

pytestmark = [pytest.mark.net, pytest.mark.needs("sipp")]

CALLER = Path(__file__).parents[1] / "telephony/edge/sipp/caller.xml"


async def sipp(folder: Path, door: tuple[str, int], *options: str) -> None:
    """Runs SIPp as a caller; every call must come to its end."""
    process = await asyncio.create_subprocess_exec(
        "sipp", f"{door[0]}:{door[1]}", "-i", "127.0.0.1", "-nostdin",
        "-max_socket", "1000", "-timeout", "50", "-timeout_error",
        "-trace_err", "-error_file", str(folder / "sipp.err"), *options,
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await process.communicate()
    told = folder / "sipp.err"
    assert process.returncode == 0, (told.read_text() if told.exists() else "") + errors.decode()


async def staffed(stage, workers: int):
    door = await stage.open()
    for _ in range(workers):
        await stage.worker(100, 180, 200, again=True)
    await door.until("idle", workers)
    return door


@pytest.mark.parametrize("transport", ["u1", "t1", "tn"])
async def test_a_hundred_calls(stage, tmp_path: Path, transport: str) -> None:
    door = await staffed(stage, 30)
    await sipp(tmp_path, door.sip, "-sf", str(CALLER), "-t", transport, "-m", "100", "-r", "50", "-l", "60")
    await door.until("calls", 0)
    assert sum(worker.calls for worker in stage.workers) == 100


async def test_a_caller_that_ignores_the_route_set_is_served_too(stage, tmp_path: Path) -> None:
    door = await staffed(stage, 5)
    await sipp(tmp_path, door.sip, "-sn", "uac", "-m", "20", "-r", "20", "-d", "100")
    await door.until("calls", 0)


async def test_lost_packets_are_made_good(stage, tmp_path: Path) -> None:
    door = await staffed(stage, 40)
    # Not the ACK: SIPp would take the 200 that is then repeated for the answer to its BYE.
    lossy = CALLER.read_text().replace('retrans="500"', 'retrans="500" lost="25"')
    scenario = tmp_path / "lossy.xml"
    scenario.write_text(lossy.replace('<recv response="200"', '<recv response="200" lost="25"'))
    await sipp(tmp_path, door.sip, "-sf", str(scenario), "-m", "30", "-r", "30")
    await door.until("calls", 0)
    assert sum(worker.calls for worker in stage.workers) == 30
