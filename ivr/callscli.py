"""`ivr calls`, `ivr show` and `ivr bundle repair`."""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from ivr import callview
from ivr.bundlerepair import repair_bundles
from ivr.callsource import CallSource, FoundCall
from ivr.config import Config
from ivr.liveboard import CallLine
from ivr.store.errors import StoreError
from recordings.errors import CallNotFoundError
from recordings.transcript import lines_of
from recordings.waterfall import turns_of


def add_calls_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr calls`."""
    parser.add_argument("--last", type=_count, default=20, metavar="N", help="how many, newest first (default: 20)")
    parser.add_argument("--live", action="store_true", help="those that are up, with their steps and agents")
    parser.add_argument("--json", action="store_true", help="a JSON array instead of a table")


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr show`."""
    parser.add_argument("call", metavar="CALL", help='a call from `ivr calls`, or "last"')
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a script")


def add_bundle_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr bundle`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = "close what dead processes left open, seal what is closed, bring to the store what it misses"
    repair = actions.add_parser("repair", help=text, description=text)
    repair.add_argument(
        "path", type=Path, nargs="?", metavar="PATH", help="a recordings folder or one bundle (default: [recordings])"
    )


def calls(options: argparse.Namespace, config: Config) -> int:
    """`ivr calls`: the last calls, newest first; or those that are up, oldest first."""
    if options.live:
        return _live(options, config)
    source = CallSource(config)
    found = asyncio.run(source.newest(options.last))
    _tell_trouble(source)
    if options.json:
        print(json.dumps([asdict(summary) for summary in found], ensure_ascii=False, indent=1))
    elif found:
        out = callview.console()
        out.print(callview.calls_table(found, out.width))
    else:
        print("No calls yet.")
    return 0


def show(options: argparse.Namespace, config: Config) -> int:
    """`ivr show CALL|last`: one call as a script; 1 when there is no such call."""
    source = CallSource(config)
    try:
        found = asyncio.run(source.find(options.call))
    except CallNotFoundError as error:
        _tell_trouble(source)
        print(f"{error}; `ivr calls` lists them", file=sys.stderr)
        return 1
    _tell_trouble(source)
    if options.json:
        print(json.dumps(call_json(found), ensure_ascii=False, indent=1))
    else:
        callview.print_call(callview.console(), found.summary, found.events, found.audio)
    return 0


def bundle(options: argparse.Namespace, config: Config) -> int:
    """`ivr bundle repair [PATH]`: 0 when every bundle is well afterwards."""
    return repair_bundles(config, options.path, lambda line: print(line, flush=True))


def call_json(found: FoundCall) -> dict[str, object]:
    """A call as `ivr show --json` prints it."""
    return {
        "call": asdict(found.summary),
        "lines": [line.to_json() for line in lines_of(found.events)],
        "turns": [
            {"text": turn.text, "step": turn.step, "speech_end_sample": turn.sample, "stages_ms": turn.stages_ms}
            for turn in turns_of(found.events)
        ],
        "events": [event.to_json() for event in found.events],
        "recording": [str(path) for path in found.audio],
        "source": found.source,
    }


def _live(options: argparse.Namespace, config: Config) -> int:
    from ivr import topview  # noqa: PLC0415 - the bus is only for these
    from ivr.opendesk import open_desk  # noqa: PLC0415

    async def look() -> list[CallLine]:
        async with open_desk(config, bus_within_s=0.0) as desk:
            return await desk.calls()

    try:
        found = asyncio.run(look())
    except StoreError as error:
        print(f"ivr calls: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps([asdict(line) for line in found], ensure_ascii=False, indent=1))
    elif found:
        out = callview.console()
        out.print(topview.calls_table(found, time.time(), out.width))
    else:
        print("No call is up.")
    return 0


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100000")
    return int(text)


def _tell_trouble(source: CallSource) -> None:
    if source.trouble:
        print(f"store: {source.trouble}; reading the bundles instead", file=sys.stderr)
