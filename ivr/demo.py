"""`ivr demo`: a synthetic caller calls a hotline of its own, and the conversation is printed as it happens.

The hotline is a real one, on loopback and on free ports, with its own folder `demo` below the data folder, where the
recording stays to be listened to. Needs nothing but what `make run` needs.
"""

import asyncio
import json
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from functools import partial
from pathlib import Path

from rich.console import Console

from ivr import callview, messages
from ivr.bus import Bus
from ivr.busaddress import address_finder
from ivr.callsource import CallSource, FoundCall
from ivr.config import Config, load
from ivr.liveview import LiveView
from ivr.process import signal_when_parent_dies
from recordings.errors import CallNotFoundError

READY_WITHIN_S = 60.0
SEALED_WITHIN_S = 10.0
VOICE = "en-us+m7"  # of the espeak-ng voices the one that the starter recogniser understands best
# What the caller does: speaks into the first prompt, presses keys, speaks again, says goodbye.
TURNS = (
    "--wait", "5.5", "--say", "balance", "--wait", "2.5", "--keys", "1234",
    "--say", "opening hours", "--say", "no thank you",
)  # fmt: skip
SETTINGS = """\
[ivr]
data = "."

[telephony]
address = "127.0.0.1"
port = 0
rtp_ports = [39200, 39999]
max_calls = 4
idle_workers = 2

[rest]
port = 0

[flows]
folder = {flows}
"""


def main(config: Config) -> int:
    """Runs the demonstration; exit code 0 when the call came to its proper end."""
    folder = config.data_folder / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "config.toml"
    flows = Path(__file__).parents[1] / "flows" / "library"
    settings.write_text(SETTINGS.format(flows=json.dumps(str(flows))), encoding="utf-8")
    return asyncio.run(_run(settings))


async def _run(settings: Path) -> int:
    config = load(settings)
    out = callview.console()
    out.print("Starting a hotline of its own for this demonstration ...")
    hotline = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ivr",
        "serve",
        "--config",
        str(settings),
        stdout=PIPE,
        start_new_session=True,
        preexec_fn=partial(signal_when_parent_dies, signal.SIGINT),
    )
    try:
        uri = await _uri(hotline)
        if not uri:
            return 1
        out.print(f"{uri} answers; a synthetic caller calls it and speaks by espeak-ng. Times are minutes:seconds.\n")
        call_id = await _call(config, uri, LiveView(out))
        found = await _sealed(config, call_id)
    finally:
        if hotline.returncode is None:
            hotline.send_signal(signal.SIGINT)
        await hotline.wait()
    if found is None:
        out.print("The call did not reach the archive.")
        return 1
    _sum_up(found, out)
    return 0 if found.summary.termination == "completed" else 1


async def _uri(hotline: Process) -> str:
    assert hotline.stdout is not None
    try:
        line = (await asyncio.wait_for(hotline.stdout.readline(), READY_WITHIN_S)).decode()
    except TimeoutError:
        return ""
    match = re.match(r"ready (sip:\S+)", line)
    return match[1] if match else ""


async def _call(config: Config, uri: str, view: LiveView) -> str:
    """Has the test phone call, shows what the bus tells, and returns the call's id."""
    call_ids: list[str] = []

    def heard(topic: str, envelope: messages.Envelope) -> None:
        call_ids.append(topic.split("/")[2])
        view.heard(topic, envelope)

    async with Bus(address_finder(config), "demo") as bus:
        bus.listen(messages.CALL_EVENTS, heard)
        await bus.connected.wait()
        phone = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ivr", "dial", uri, "--voice", VOICE, *TURNS, "--json", stdout=PIPE
        )
        await phone.communicate()
        await asyncio.sleep(0.5)  # the last events
    return call_ids[0] if call_ids else ""


async def _sealed(config: Config, call_id: str) -> FoundCall | None:
    """The archive's entry, once the recording is sealed."""
    found: FoundCall | None = None
    try:
        async with asyncio.timeout(SEALED_WITHIN_S):
            while found is None or not any(path.suffix == ".flac" for path in found.audio):
                await asyncio.sleep(0.2)
                found = await CallSource(config).find(call_id)
    except (TimeoutError, CallNotFoundError):
        pass
    return found


def _sum_up(found: FoundCall, out: Console) -> None:
    call = found.summary
    rtp: dict[str, int] = next((event.data.get("rtp", {}) for event in found.events if event.kind == "call.ended"), {})
    out.print("\nIn the archive:")
    out.print(callview.calls_table([call], out.width))
    out.print(f"reply after      {callview.milliseconds(call.latency_median_ms)} (median of {call.turns} turns)")
    out.print(f"RTP              {rtp.get('rx_packets', 0)} packets received, {rtp.get('rx_lost', 0)} lost")
    for path in found.audio:
        out.print(f"listen           {_from_here(path)}   (left: caller, right: hotline)", soft_wrap=True)
    settings = _from_here(found.audio[0].parents[4].parent / "config.toml")
    out.print(f"the whole call   ./ivr.sh show {call.call_id} --config {settings}", soft_wrap=True)


def _from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
