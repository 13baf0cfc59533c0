"""`ivr queues`: the queues now and today."""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict
from datetime import datetime

from rich import box
from rich.table import Table

from ivr import callview
from ivr.config import Config
from ivr.liveboard import QueueLine, queue_lines
from ivr.openstore import with_database
from ivr.queuesettings import settings_of
from ivr.store.database import Database
from ivr.store.errors import StoreError
from ivr.store.live import Live

_COLUMNS = ("queue", "strategy", "waiting", "longest", "expected", "callbacks", "logged in", "ready", "busy", "wrap-up",
            "paused", "answered", "gave up", "in time")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr queues`."""
    parser.add_argument("--json", action="store_true", help="a JSON array instead of a table")


def run(options: argparse.Namespace, config: Config) -> int:
    """`ivr queues`: who waits, who is there, and how today went since midnight."""

    async def work(database: Database) -> int:
        live = Live(database, settings_of(config.queues))
        now = time.time()
        midnight = datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        lines = queue_lines(await live.board(), await live.served(midnight.timestamp()), now)
        if options.json:
            print(json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1))
        else:
            callview.console().print(_table(lines))
        return 0

    try:
        return asyncio.run(with_database(config, work))
    except StoreError as error:
        print(f"ivr queues: {error}", file=sys.stderr)
        return 1


def _table(lines: list[QueueLine]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, title in enumerate(_COLUMNS):
        table.add_column(title, justify="left" if number < 2 else "right")
    for line in lines:
        level = "" if line.service_level is None else f"{100 * line.service_level:.0f}%"
        table.add_row(
            line.queue, line.strategy, str(line.waiting), _seconds(line.longest_wait_s), _seconds(line.expected_wait_s),
            *(str(count) for count in (line.callbacks, line.logged_in, line.ready, line.busy, line.wrap_up)),
            *(str(count) for count in (line.paused, line.answered, line.abandoned)), level,
        )  # fmt: skip
    return table


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes}:{seconds:02}"
