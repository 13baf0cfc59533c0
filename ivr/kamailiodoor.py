"""Kamailio as the front door: `ivr door` where `[telephony] door = "kamailio"`, and the command `ivr kamailio`."""

import argparse
import asyncio
import errno
import secrets
import signal
import sys
import time
from pathlib import Path

from ivr.bus import Bus
from ivr.busaddress import address_finder
from ivr.config import Config
from ivr.dooraccounts import DoorAccounts, LateAccounts
from ivr.dooredge import DoorSettingsError, client_tls, edge_settings, place_and_bind, port_in_use, server_tls
from ivr.doorkey import door_key
from ivr.doorsettings import TlsSettings
from ivr.process import EXIT_CANNOT_START, say_ready, signal_when_parent_dies
from ivr.registrations import Registrations
from ivr.spending import Spending
from ivr.trunknames import follow
from telephony.address import reachable_address
from telephony.edge.events import AccountsAre, Registered, Spent
from telephony.kamailio.errors import KamailioError, MissingError
from telephony.kamailio.generate import Setup, Tls, configuration
from telephony.kamailio.program import Program, find
from telephony.kamailio.server import KamailioDoor

_GRACE_S = 60.0  # a call ends by its worker's clock; the door ends it a little later


def main(config: Config) -> int:
    """Serves until SIGTERM or SIGINT. 0 after an orderly end, 3 where Kamailio or its port cannot be had."""
    try:
        return asyncio.run(_serve(config, find()))
    except (MissingError, DoorSettingsError, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            print(port_in_use(config.telephony), file=sys.stderr)
        else:
            print(error, file=sys.stderr)
        return EXIT_CANNOT_START
    except KamailioError as error:
        print(error, file=sys.stderr)
        return 1


async def _serve(config: Config, program: Program) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = LateAccounts(config.store_url, config.store_file)
    async with Bus(address_finder(config), "door") as bus:
        registrations = Registrations(config.data_folder / "registrations.json", bus, time.time)
        spending = Spending(config.data_folder / "spending.json")

        def keep(change: Registered | Spent) -> None:
            registrations.note(change) if isinstance(change, Registered) else spending.note(change)

        made = setup(config, program, door_key(config.run_folder).hex())
        door = KamailioDoor(program, made, config.run_folder, keep, _die_with_us)
        accounts = DoorAccounts(
            store, config.data_folder / "accounts.json", lambda known: door.feed(AccountsAre(known))
        )
        door.feed(spending.load())
        address, port = await door.start(config.run_folder / "door.sock")
        accounts.load_copy()
        await door.restore(registrations.load())
        say_ready("door", sip=[address, port], tls=door.tls_port)
        tasks = [
            asyncio.create_task(stop.wait(), name="stop"),
            asyncio.create_task(door.ended(), name="kamailio"),
            asyncio.create_task(accounts.watch(), name="accounts"),
            asyncio.create_task(follow(made.edge.plan.trunks, door.trunk_found), name="trunk names"),
        ]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await door.stop()
        registrations.close()
    await store.close()
    if stop.is_set():
        return 0
    for task in done:
        task.result()
    raise KamailioError("Kamailio has ended by itself")


def setup(config: Config, program: Program, key: str) -> Setup:
    """What the configuration is made of. Raises OSError and DoorSettingsError."""
    settings = config.telephony
    place, bind = place_and_bind(settings, reachable_address(settings.address))
    return Setup(
        place=place,
        bind=bind,
        key=key,
        nonce_key=secrets.token_hex(16),
        edge=edge_settings(config),
        max_calls=settings.max_calls,
        max_call_s=settings.max_call + _GRACE_S,
        modules=program.modules,
        tls=_tls(config.root, settings.tls),
    )


def _without_secrets(text: str, made: Setup) -> str:
    """The configuration for a terminal: the file has the keys and the trunks' passwords too."""
    for secret in (made.nonce_key, *(trunk.password for trunk in made.edge.plan.trunks)):
        text = text.replace(secret, "***") if secret else text
    return text


def _tls(root: Path, settings: TlsSettings) -> Tls:
    """Raises DoorSettingsError where the embedded door would not take the files either."""
    server_tls(root, settings)
    client_tls(root, settings)
    files = (
        None if file is None else (root / file).resolve() for file in (settings.certificate, settings.key, settings.ca)
    )
    return Tls(*files)


def _die_with_us() -> None:
    signal_when_parent_dies(signal.SIGTERM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `ivr kamailio`."""
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write kamailio.cfg there (else: to standard output)"
    )


def write(options: argparse.Namespace, config: Config) -> int:
    """Shows or writes the configuration that `[telephony] door = "kamailio"` runs with."""
    try:
        program = find()
    except MissingError:
        program = Program(Path("/usr/sbin/kamailio"), Path("/usr/lib/x86_64-linux-gnu/kamailio/modules"))
    try:
        if options.out is None:
            made = setup(config, program, "***")
            sys.stdout.write(_without_secrets(configuration(made), made))
            return 0
        text = configuration(setup(config, program, door_key(config.run_folder).hex()))
        options.out.mkdir(parents=True, exist_ok=True)
        file = options.out / "kamailio.cfg"
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
    except (DoorSettingsError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CANNOT_START
    sys.stdout.write(f"{file}\n")
    return 0
