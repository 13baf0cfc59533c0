"""The broker process: an own mosquitto where it is on PATH, else amqtt in Python; both on loopback only.

It writes where it listens to `<data>/run/bus.json` and takes the same port again after a restart. With a bus elsewhere
(`url = "mqtt://..."`) there is nothing to start.
"""

import asyncio
import logging
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

from ivr.busaddress import Address, bus_file, read_address, write_address
from ivr.config import Config
from ivr.process import say_ready, signal_when_parent_dies

log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_START_S = 10.0
# Saved once a second: with autosave_on_changes each message waits for the disk, which allows some ten assignments of
# callers a second. What a killed broker forgets is told again: commands until they are answered, states each second,
# events from the bundles.
_MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
set_tcp_nodelay true
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes false
max_queued_messages 100000
user {user}
log_dest stderr
log_type error
log_type warning
"""


def main(config: Config) -> int:
    """Runs the broker until SIGTERM; prints the ready line when it listens. Returns the process's exit status."""
    if config.ivr.bus.url != "auto":
        say_ready("broker", url=config.ivr.bus.url)
        return 0
    address = (_HOST, _free_port(read_address(bus_file(config))))
    program = shutil.which("mosquitto")
    return asyncio.run(_mosquitto(config, address, program) if program else _amqtt(config, address))


async def _mosquitto(config: Config, address: Address, program: str) -> int:
    folder = config.data_folder / "bus"
    folder.mkdir(parents=True, exist_ok=True)
    settings = config.run_folder / "mosquitto.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    user = pwd.getpwuid(os.geteuid()).pw_name  # as root it would become another user, who may not write here
    settings.write_text(_MOSQUITTO.format(host=address[0], port=address[1], folder=folder.resolve(), user=user))
    with (folder / "mosquitto.log").open("wb") as log_file:
        process = await asyncio.create_subprocess_exec(
            program, "-c", str(settings),
            stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, preexec_fn=_end_with_parent,
        )  # fmt: skip
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, process.terminate)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, process.terminate)
    if await _listening(address, process):
        write_address(bus_file(config), address, os.getpid())
        say_ready("broker", program="mosquitto", port=address[1])
    status = await process.wait()
    if status:
        log.error("mosquitto ended with status %s; see %s", status, folder / "mosquitto.log")
    return 1 if status else 0


async def _amqtt(config: Config, address: Address) -> int:
    from amqtt.broker import Broker  # noqa: PLC0415 - half a second, and only where mosquitto is missing

    logging.getLogger("amqtt").setLevel(logging.ERROR)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{address[0]}:{address[1]}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    broker._subscriptions = _Steady()  # noqa: SLF001 - see there
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    await broker.start()
    write_address(bus_file(config), address, os.getpid())
    say_ready("broker", program="amqtt", port=address[1])
    await done.wait()
    await broker.shutdown()
    return 0


class _Steady(dict[str, Any]):
    """A dict that may change while somebody goes through it: amqtt 0.12 awaits in the middle of its subscriptions.

    Without this a client that connects while another subscribes is cut off by a RuntimeError (seen with 8 clients).
    """

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(super().keys()))

    def items(self) -> Any:  # noqa: ANN401 - a list would do for amqtt, a view is what dict says
        return tuple(super().items())


async def _listening(address: Address, process: asyncio.subprocess.Process) -> bool:
    """Waits until the program answers on its port; False when it ended instead."""
    async with asyncio.timeout(_START_S):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(*address)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return True
    return False


def _free_port(before: Address | None) -> int:
    """The port of the last run if nobody took it, else any free one."""
    for port in (before[1] if before else 0, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((_HOST, port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    raise OSError("no free port on loopback")


def _end_with_parent() -> None:
    signal_when_parent_dies(signal.SIGTERM)
