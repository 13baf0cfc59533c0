"""The process `ivr door`: the embedded front door on its sockets, until SIGTERM."""

import asyncio
import errno
import ipaddress
import os
import secrets
import signal
import sys
from pathlib import Path

from ivr.config import Config
from ivr.process import EXIT_CANNOT_START, say_ready
from telephony.address import reachable_address
from telephony.edge.desk import Place
from telephony.edge.server import Door
from telephony.portholder import in_use

_GRACE_S = 60.0  # a call ends by its worker's clock; the door forgets it a little later


def main(config: Config) -> int:
    """Serves until SIGTERM or SIGINT.

    Prints {"ready": "door", "sip": [address, port]} once callers can be taken. 0 after an orderly end, 3 where the
    port is taken or the address cannot be used.
    """
    try:
        outside = reachable_address(config.telephony.address)
        return asyncio.run(_serve(config, outside))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            print(in_use(config.telephony.port), file=sys.stderr)
        else:
            print(f"[telephony] address {config.telephony.address!r} cannot be used: {error}", file=sys.stderr)
        return EXIT_CANNOT_START


async def _serve(config: Config, outside: str) -> int:
    settings = config.telephony
    private = settings.address != "auto" and ipaddress.IPv4Address(outside).is_loopback
    place = Place(outside, inside=outside if private else "127.0.0.1", port=settings.port)
    secret = _secret(config.run_folder)
    bind = outside if private else "0.0.0.0"
    door = Door(bind, place, secret, settings.max_calls, settings.max_call + _GRACE_S)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    address, port = await door.start(config.run_folder / "door.sock")
    say_ready("door", sip=[address, port])
    await ended.wait()
    await door.stop()
    return 0


def _secret(folder: Path) -> bytes:
    """The key that seals Record-Route, kept so that live calls find their way through a restarted door."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "door.key"
    try:
        kept = path.read_bytes()
    except FileNotFoundError:
        kept = b""
    if len(kept) == 32:
        return kept
    fresh = secrets.token_bytes(32)
    part = folder / f"door.key.{os.getpid()}"
    part.touch(mode=0o600)
    part.write_bytes(fresh)
    part.replace(path)
    return fresh
