"""Keeps what the dial plan's rules have spent today over a restart of the door."""

import json
import logging
from pathlib import Path

from ivr.privatefile import write_private
from telephony.edge.events import Spent, SpentBefore

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
