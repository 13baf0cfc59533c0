"""`ivr why CALL`: each decision about a call, with everybody who was weighed, and what became of it."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ivr.acd.router import explain
from ivr.config import Config
from ivr.openstore import with_database
from ivr.queuesettings import settings_of
from ivr.store.database import Database
from ivr.store.errors import StoreError
from ivr.store.live import Live
from recordings.callid import is_call_id

_NOTHING = "{0}: no agent was sought for such a call; `ivr show {0}` tells whether a queue took it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr why`."""
    parser.add_argument("call", metavar="CALL", help='a call of `ivr calls`, a callback\'s ticket, or "last"')
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(options: argparse.Namespace, config: Config) -> int:
    """`ivr why CALL`: 1 when nothing was decided about it."""

    async def work(database: Database) -> int:
        live = Live(database, settings_of(config.queues))
        call = await live.last_decided() if options.call == "last" else options.call
        told = await _about(live, call) if call and is_call_id(call) else None
        if told is None:
            print(_NOTHING.format(options.call), file=sys.stderr)
            return 1
        print(json.dumps(told, ensure_ascii=False, indent=1) if options.json else "\n".join(lines_of(told)))
        return 0

    try:
        return asyncio.run(with_database(config, work))
    except StoreError as error:
        print(f"ivr why: {error}", file=sys.stderr)
        return 1


async def _about(live: Live, call: str) -> dict[str, Any] | None:
    """{call_id, decisions, waits}: `waits` as a decision, where the caller waits now and is rung by nobody."""
    decisions = await live.decisions(call)
    offers = await live.offers(call)
    board = await live.board()
    snapshot = board.snapshot()
    waits = None
    if call in snapshot.waiting and snapshot.waiting[call].queue in snapshot.queues and not any(board.offers_for(call)):
        now = time.time()
        waits = {"at": now, **asdict(explain(snapshot, call, now, lambda: 0.0))}
    if not decisions and waits is None:
        return None
    for decision in decisions:
        decision["rang"] = [offer for offer in offers if offer["made"] == decision["at"]]
    return {"call_id": call, "decisions": decisions, "waits": waits}


def lines_of(told: Mapping[str, Any]) -> list[str]:
    """As people read it."""
    lines = [f"call {told['call_id']}"]
    for decision in told["decisions"]:
        lines += ["", f"{_clock(decision['at'])}  {decision['why']}", *_weighed(decision["candidates"])]
        for offer in decision["rang"]:
            lines.append(f"  -> {offer['agent']}: {_became(offer)}")
    if told["waits"] is not None:
        lines += ["", f"now       {told['waits']['why']}", *_weighed(told["waits"]["candidates"])]
    return lines


def _weighed(candidates: Sequence[Mapping[str, Any]]) -> list[str]:
    wide = max((len(str(each["agent"])) for each in candidates), default=0)
    lines = []
    for each in candidates:
        word = "rung" if each["rung"] else "could" if each["score"] is not None else "not"
        lines.append(f"  {each['agent']:<{wide}}  {word:<5}  {each['why']}".rstrip())
    return lines


def _became(offer: Mapping[str, Any]) -> str:
    if not offer["outcome"]:
        return "rings" if offer["ringing"] else "was told to ring"
    return f"{offer['outcome']} after {offer['ended'] - offer['made']:.1f} s"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%H:%M:%S}"
