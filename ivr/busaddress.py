"""Where the bus is: a fixed address from the settings, or that of the own broker, from `<data>/run/bus.json`."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ivr.config import Config

Address = tuple[str, int]
DEFAULT_PORT = 1883


def bus_file(config: Config) -> Path:
    """The file in which the broker says where it listens."""
    return config.run_folder / "bus.json"


def address_finder(config: Config) -> Callable[[], Address | None]:
    """A function that says where the bus is now; None while no broker has said so."""
    if config.ivr.bus.url != "auto":
        parts = urlsplit(config.ivr.bus.url)
        fixed = (parts.hostname or "127.0.0.1", parts.port or DEFAULT_PORT)
        return lambda: fixed
    path = bus_file(config)
    return lambda: read_address(path)


def read_address(path: Path) -> Address | None:
    """What the broker wrote; None where the file is missing or unreadable."""
    try:
        value = json.loads(path.read_text())
        return str(value["host"]), int(value["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_address(path: Path, address: Address, pid: int) -> None:
    """Tells the other processes where the broker listens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"host": address[0], "port": address[1], "pid": pid}) + "\n")
    temporary.rename(path)
