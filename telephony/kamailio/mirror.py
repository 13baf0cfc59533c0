"""Kamailio's hash tables as they shall be. What it has been told is remembered, so that only changes are sent."""

import asyncio

from telephony.kamailio.errors import RpcError
from telephony.kamailio.rpc import Rpc

Place = tuple[str, str]


class Mirror:
    """Tables that only this sidecar writes. Event loop only."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._wanted: dict[Place, str | int | None] = {}
        self._told: dict[Place, str | int] = {}
        self._news = asyncio.Event()
        self._settled = asyncio.Event()

    def want(self, table: str, key: str, value: str | int | None) -> None:
        """Says what an entry shall be; None: it shall not be there."""
        self._wanted.pop((table, key), None)
        if self._told.get((table, key)) != value:
            self._ask((table, key), value)

    def forget(self, table: str, key: str) -> None:
        """Has an entry deleted that Kamailio made itself."""
        self._ask((table, key), None)

    def keys(self, table: str) -> set[str]:
        """The keys of a table that Kamailio has been told."""
        return {key for name, key in self._told if name == table}

    async def settled(self) -> None:
        """Returns when Kamailio knows all that is wanted."""
        if self._wanted:
            await self._settled.wait()

    async def run(self) -> None:
        """Tells Kamailio what is new, in the order in which it was said. Raises RpcError when it does not answer."""
        while True:
            while self._wanted:
                place = next(iter(self._wanted))
                await self._tell(place, self._wanted.pop(place))
            self._settled.set()
            await self._news.wait()

    async def delete(self, table: str, key: str) -> None:
        """Deletes an entry now, be it there or not. Raises RpcError when Kamailio does not answer."""
        try:
            await self._rpc.call("htable.delete", table, key)
        except RpcError as error:
            if not error.status:
                raise

    def _ask(self, place: Place, value: str | int | None) -> None:
        self._wanted[place] = value
        self._settled.clear()
        self._news.set()

    async def _tell(self, place: Place, value: str | int | None) -> None:
        self._news.clear()
        if value is None:
            self._told.pop(place, None)
            await self.delete(*place)
        else:
            await self._rpc.call("htable.seti" if isinstance(value, int) else "htable.sets", *place, value)
            self._told[place] = value
