"""`ivr queues`: the queues now and today."""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict
from datetime import datetime

from ivr import callview
from ivr.config import Config
from ivr.liveboard import queue_lines
from ivr.openstore import with_database
from ivr.queuesettings import settings_of
from ivr.store.database import Database
from ivr.store.errors import StoreError
from ivr.store.live import Live
from ivr.topview import queues_table


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
            console = callview.console()
            console.print(queues_table(lines, console.width))
        return 0

    try:
        return asyncio.run(with_database(config, work))
    except StoreError as error:
        print(f"ivr queues: {error}", file=sys.stderr)
        return 1
