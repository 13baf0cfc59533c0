"""The process `ivr door`: the embedded front door on its sockets, until SIGTERM."""

import asyncio
import errno
import ipaddress
import secrets
import signal
import sys
import time

from ivr import kamailiodoor
from ivr.bus import Bus
from ivr.busaddress import address_finder
from ivr.config import Config, TelephonySettings
from ivr.dooraccounts import DoorAccounts
from ivr.doorkey import door_key
from ivr.doorsettings import networks
from ivr.process import EXIT_CANNOT_START, say_ready
from ivr.registrations import Registrations
from ivr.store.accounts import Accounts
from ivr.store.database import Database
from telephony.address import reachable_address
from telephony.edge.desk import Place
from telephony.edge.events import AccountsAre, Restored
from telephony.edge.guard import GuardSettings
from telephony.edge.server import Door
from telephony.edge.settings import EdgeSettings
from telephony.portholder import in_use

_BURST_S = 4.0  # seconds of the allowed rate that may come at once
_GRACE_S = 60.0  # a call ends by its worker's clock; the door forgets it a little later


def main(config: Config) -> int:
    """Serves until SIGTERM or SIGINT.

    Prints {"ready": "door", "sip": [address, port]} once callers can be taken. 0 after an orderly end, 3 where the
    port is taken or the address cannot be used.
    """
    if config.telephony.door == "kamailio":
        return kamailiodoor.main(config)
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
    inside = outside if private else "127.0.0.1"
    place = Place(outside, inside, settings.port, domains=frozenset(settings.domains))
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    database = Database(config.store_url, answer_s=5.0)
    async with Bus(address_finder(config), "door") as bus:
        registrations = Registrations(config.data_folder / "registrations.json", bus, time.time)
        door = Door(
            outside if private else "0.0.0.0", place, door_key(config.run_folder), settings.max_calls,
            settings.max_call + _GRACE_S, _edge_settings(settings), registrations.note,
        )  # fmt: skip
        address, port = await door.start(config.run_folder / "door.sock")
        accounts = DoorAccounts(
            Accounts(database), config.data_folder / "accounts.json", lambda known: door.feed(AccountsAre(known))
        )
        accounts.load_copy()
        door.feed(Restored(registrations.load()))
        watching = asyncio.create_task(accounts.watch(), name="accounts")
        say_ready("door", sip=[address, port])
        await ended.wait()
        watching.cancel()
        await door.stop()
        registrations.close()
    await database.close()
    return 0


def _edge_settings(settings: TelephonySettings) -> EdgeSettings:
    registrar, guard = settings.registrar, settings.guard
    return EdgeSettings(
        lines=frozenset(settings.lines) - {"*"},
        any_line="*" in settings.lines,
        min_expires_s=int(registrar.min_expires),
        max_expires_s=int(registrar.max_expires),
        default_expires_s=int(registrar.default_expires),
        max_contacts=registrar.max_contacts,
        guard=GuardSettings(
            rate=guard.messages_per_s,
            burst=guard.messages_per_s * _BURST_S,
            failures=guard.failures,
            within_s=guard.within,
            ban_s=guard.ban,
            callers=None if settings.callers == "anyone" else networks(settings.callers),
            trusted=networks(guard.trusted),
        ),
        salt=secrets.token_bytes(16),
    )
