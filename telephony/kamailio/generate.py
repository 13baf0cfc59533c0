"""Writes Kamailio's configuration from settings: one text, ready to run. Pure.

The templates in `cfg/` are Kamailio's own language; `@NAME@` in them is a value from here.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from telephony.edge.desk import (
    ALLOW,
    HOLD_S,
    MAX_TRIES,
    RETRY_AFTER_S,
    SILENT_WORKER_S,
    SUPPORTED,
    WORKER_REPEAT_S,
    Place,
)
from telephony.edge.strict import MAX_MESSAGE_BYTES

TEMPLATES = ("core", "main", "workers", "dialogs")
HOLD_TICK_S = 0.2  # each look is a branch to Kamailio, and there are 30 at most
CLAIM_S = 4  # a worker that was given a call and never came to have it is offered again after this
_FOLDER = Path(__file__).parent / "cfg"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a configuration is made of. `bind` is the address of the sockets, `key` seals Record-Route (hex digits)."""

    place: Place
    bind: str
    key: str
    max_calls: int
    max_call_s: float
    modules: Path
    children: int = 4


def configuration(setup: Setup) -> str:
    """The whole of kamailio.cfg."""
    texts = [(_FOLDER / f"{name}.cfg").read_text(encoding="utf-8") for name in TEMPLATES]
    return "#!KAMAILIO\n" + _filled("\n".join([_listen(setup), *texts]), _values(setup))


def _values(setup: Setup) -> dict[str, object]:
    return {
        "CHILDREN": setup.children,
        "MODULES": setup.modules,
        "INSIDE": setup.place.inside,
        "PORT": setup.place.port,
        "DOOR_KEY": setup.key,
        "MAX_CALLS": setup.max_calls,
        "MAX_CALL_S": int(setup.max_call_s),
        "MAX_MESSAGE": MAX_MESSAGE_BYTES,
        "MAX_TRIES": MAX_TRIES,
        "RETRY_AFTER": RETRY_AFTER_S,
        "CLAIM_S": CLAIM_S,
        "HOLD_TICKS": round(HOLD_S / HOLD_TICK_S),
        "HOLD_TICK_MS": round(HOLD_TICK_S * 1000),
        "SILENT_WORKER_MS": round(SILENT_WORKER_S * 1000),
        "WORKER_REPEAT_MS": round(WORKER_REPEAT_S * 1000),
        "ALLOWED": ALLOW[1],
        "EXTENSIONS": "|".join(sorted(SUPPORTED)),
        "SUPPORTED": ", ".join(sorted(SUPPORTED)),
    }


def _listen(setup: Setup) -> str:
    """The sockets: one for all where the door is on loopback, else one for phones and one for workers.

    One process reads what workers say: with more, a 180 could overtake the 200 that follows it.
    """
    place = setup.place
    lines = ["socket_workers=1", f"listen=udp:{place.inside}:{place.port}"]
    if place.outside == place.inside:
        lines.append(f"listen=tcp:{place.inside}:{place.port}")
    else:
        outside = f"{setup.bind}:{place.port} advertise {place.outside}:{place.port}"
        lines += [f"listen=udp:{outside}", f"listen=tcp:{outside}"]
    return "\n".join(lines) + "\n"


def _filled(text: str, values: dict[str, object]) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda match: str(values[match[1]]), text)
