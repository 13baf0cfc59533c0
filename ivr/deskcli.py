"""`ivr hangup`, `ivr move` and `ivr top`: what a supervisor does at the terminal."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable

from rich.console import Console, Group
from rich.live import Live

from ivr import callview, topview
from ivr.bus import Bus, BusError
from ivr.busaddress import address_finder
from ivr.config import Config
from ivr.desk import Desk, Present
from ivr.messages import GONE, Envelope
from ivr.opendesk import open_desk
from ivr.store.errors import StoreError

_EACH_S = 1.0
_CONTROLS = "hotline/control/+/state"
_TOLD_WITHIN_S = 0.5


def add_hangup_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr hangup`."""
    parser.add_argument("call", metavar="CALL", help="a call from `ivr calls --live`")


def add_move_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr move`."""
    parser.add_argument("call", metavar="CALL", help="a call that waits, from `ivr top`")
    parser.add_argument("queue", metavar="QUEUE", help="where it is to wait")


def add_top_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr top`."""
    parser.add_argument(
        "--once", action="store_true", help="print the board once and end (in a pipe this is always so)"
    )


def hangup(options: argparse.Namespace, config: Config) -> int:
    """`ivr hangup CALL`: 0 when its process was told."""

    async def work(desk: Desk) -> str:
        await desk.hang_up(options.call, me())
        return f"hung up {options.call}"

    return _do("hangup", config, work)


def move(options: argparse.Namespace, config: Config) -> int:
    """`ivr move CALL QUEUE`: 0 when it waits there."""

    async def work(desk: Desk) -> str:
        place = await desk.move(options.call, options.queue, me())
        return f"moved {options.call} to {options.queue}, place {place['position']}"

    return _do("move", config, work)


def top(options: argparse.Namespace, config: Config) -> int:
    """`ivr top`: the board until Ctrl-C, or once."""
    out = callview.console()
    try:
        return asyncio.run(_top(config, out, once=options.once or not out.is_terminal))
    except KeyboardInterrupt:
        return 0


def _do(command: str, config: Config, work: Callable[[Desk], Awaitable[str]]) -> int:
    async def at_desk() -> str:
        async with open_desk(config) as desk:
            return await work(desk)

    try:
        print(asyncio.run(at_desk()))
    except (BusError, StoreError) as error:
        print(f"ivr {command}: {error}", file=sys.stderr)
        return 1
    return 0


async def _top(config: Config, out: Console, *, once: bool) -> int:
    controls: set[str] = set()

    def heard(topic: str, envelope: Envelope) -> None:
        (controls.discard if envelope.data.get("state") == GONE else controls.add)(topic)

    bus = Bus(address_finder(config), "top")
    bus.listen(_CONTROLS, heard)
    present: Present | None = None
    trouble = ""

    def shown(height: int | None) -> Group:
        return topview.board(present, len(controls) if bus.connected.is_set() else None, trouble, out.width, height)

    async with open_desk(config, bus) as desk:
        await asyncio.sleep(_TOLD_WITHIN_S if bus.connected.is_set() else 0.0)  # for what is retained
        present, trouble = await _look(desk, None)
        if once:
            out.print(shown(None))
            return 1 if present is None else 0
        with Live(shown(out.height), console=out, screen=True, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(_EACH_S)
                present, trouble = await _look(desk, present)
                live.update(shown(out.height), refresh=True)


async def _look(desk: Desk, last: Present | None) -> tuple[Present | None, str]:
    try:
        return await desk.present(), ""
    except StoreError as error:
        return last, f"the store cannot be reached, this is old: {error}"


def me() -> str:
    return f"user {getpass.getuser()}"
