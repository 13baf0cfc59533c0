"""The embedded front door on its sockets, until SIGTERM."""

import asyncio
import errno
import signal
import sys
import time
from collections.abc import Callable

from ivr.bus import Bus
from ivr.busaddress import address_finder
from ivr.config import Config
from ivr.dooraccounts import DoorAccounts, LateAccounts
from ivr.dooredge import DoorSettingsError, client_tls, edge_settings, place_and_bind, port_in_use, server_tls
from ivr.doorkey import door_key
from ivr.process import EXIT_CANNOT_START, say_ready
from ivr.registrations import Registrations
from ivr.spending import CallsKept, Spending
from ivr.trunknames import follow
from telephony.address import reachable_address
from telephony.edge.events import AccountsAre, CallsOut, Change, Registered, Restored, Spent
from telephony.edge.server import Door
from telephony.edge.settings import EdgeSettings

_GRACE_S = 60.0  # a call ends by its worker's clock; the door forgets it a little later


def main(config: Config) -> int:
    """Serves until SIGTERM or SIGINT.

    Prints {"ready": "door", "sip": [address, port]} once callers can be taken. 0 after an orderly end, 3 where the
    port is taken or the address cannot be used.
    """
    try:
        outside = reachable_address(config.telephony.address)
        return asyncio.run(_serve(config, outside))
    except DoorSettingsError as error:
        print(error, file=sys.stderr)
        return EXIT_CANNOT_START
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            print(port_in_use(config.telephony), file=sys.stderr)
        else:
            print(f"[telephony] address {config.telephony.address!r} cannot be used: {error}", file=sys.stderr)
        return EXIT_CANNOT_START


async def _serve(config: Config, outside: str) -> int:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    store = LateAccounts(config.store_url, config.store_file)
    async with Bus(address_finder(config), "door") as bus:
        registrations = Registrations(config.data_folder / "registrations.json", bus, time.time)
        spending = Spending(config.data_folder / "spending.json")
        edge = edge_settings(config)

        calls_out = CallsKept(config.data_folder / "calls-out.json", time.time)

        def keep(change: Change) -> None:
            match change:
                case Registered():
                    registrations.note(change)
                case Spent():
                    spending.note(change)
                case CallsOut():
                    calls_out.note(change)

        door = _door(config, outside, edge, keep)
        address, port = await door.start(config.run_folder / "door.sock")
        accounts = DoorAccounts(
            store, config.data_folder / "accounts.json", lambda known: door.feed(AccountsAre(known))
        )
        accounts.load_copy()
        door.feed(Restored(registrations.load()))
        door.feed(spending.load())
        door.feed(calls_out.load())
        watching = [
            asyncio.create_task(accounts.watch(), name="accounts"),
            asyncio.create_task(follow(edge.plan.trunks, door.trunk_found), name="trunk names"),
        ]
        say_ready("door", sip=[address, port], tls=door.tls_port)
        await ended.wait()
        for task in watching:
            task.cancel()
        await door.stop()
        registrations.close()
    await store.close()
    return 0


def _door(config: Config, outside: str, edge: EdgeSettings, keep: Callable[[Change], None]) -> Door:
    settings = config.telephony
    place, bind = place_and_bind(settings, outside)
    door = Door(
        bind, place, door_key(config.run_folder), settings.max_calls,
        settings.max_call + _GRACE_S, edge, keep, server_tls(config.root, settings.tls),
    )  # fmt: skip
    if any(trunk.transport == "TLS" for trunk in edge.plan.trunks):
        door.streams.trust(client_tls(config.root, settings.tls))
    return door
