"""Finds the addresses of trunks by their names, again and again: carriers move."""

import asyncio
import logging
import socket
from collections.abc import Callable

from telephony.edge.dialplan import Trunk

log = logging.getLogger(__name__)
AGAIN_S = 60.0
LOOKUP_S = 5.0


async def follow(trunks: tuple[Trunk, ...], found: Callable[[Trunk, str], None]) -> None:
    """Tells each trunk's IPv4 address when it is known first and whenever it changes, until cancelled."""
    known: dict[str, str] = {}
    while True:
        for trunk in trunks:
            if trunk.host and (address := await _address(trunk)) not in (None, known.get(trunk.name)):
                known[trunk.name] = address or ""
                found(trunk, known[trunk.name])
        await asyncio.sleep(AGAIN_S)


async def _address(trunk: Trunk) -> str | None:
    try:
        async with asyncio.timeout(LOOKUP_S):
            infos = await asyncio.get_running_loop().getaddrinfo(trunk.host, None, family=socket.AF_INET)
    except (OSError, UnicodeError) as error:
        log.warning("the address of trunk %s (%s) was not found: %s", trunk.name, trunk.host, error)
        return None
    addresses = sorted({str(info[4][0]) for info in infos})
    return addresses[0]
