"""Keeps over a restart of the door what the dial plan's rules have spent today, and which calls out are up."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ivr.privatefile import write_private
from telephony.edge.events import CallOut, CallsOut, CallsOutBefore, Hop, Spent, SpentBefore

log = logging.getLogger(__name__)


class Spending:
    """The file `<data>/spending.json`; written at each minute that a call by a rule with a price begins."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> SpentBefore:
        """What was spent on the last day that anything was."""
        try:
            kept = json.loads(self._path.read_text())
            return SpentBefore(int(kept["day"]), {str(name): float(sum_) for name, sum_ in kept["spent"].items()})
        except FileNotFoundError:
            return SpentBefore(0, {})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("%s cannot be read (%s); today's costs are counted from now", self._path, error)
            return SpentBefore(0, {})

    def note(self, spent: Spent) -> None:
        """Writes it down."""
        try:
            write_private(self._path, json.dumps({"day": spent.day, "spent": dict(spent.amounts)}))
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)


class CallsKept:
    """The file `<data>/calls-out.json`; their ends are in Unix seconds."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._path, self._wall = path, wall

    def load(self) -> CallsOutBefore:
        """The calls out that were up."""
        try:
            return CallsOutBefore(tuple(self._read(row) for row in json.loads(self._path.read_text())))
        except FileNotFoundError:
            return CallsOutBefore(())
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s cannot be read (%s); calls out of before are not ended by the door", self._path, error)
            return CallsOutBefore(())

    def note(self, now_up: CallsOut) -> None:
        """Writes them down."""
        rows = [{**asdict(call), "left_s": None, "ends": self._wall() + call.left_s} for call in now_up.calls]
        try:
            write_private(self._path, json.dumps(rows))
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)

    def _read(self, row: dict[str, Any]) -> CallOut:
        fields = dict(row)
        hops = {name: Hop(*fields[name]) for name in ("caller", "callee")}
        routes = {name: tuple(fields[name]) for name in ("caller_routes", "callee_routes")}
        left_s = float(fields.pop("ends")) - self._wall()
        return CallOut(**{**fields, **hops, **routes, "left_s": left_s})
