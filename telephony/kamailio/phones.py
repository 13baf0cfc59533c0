"""Accounts to Kamailio, and its registrations back: what it keeps of phones is told, kept and restored here.

Kamailio proves and registers by itself, from its own tables: neither the store nor this sidecar is asked.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from telephony.edge.accounts import Account
from telephony.edge.errors import MalformedError
from telephony.edge.events import Contact, Hop, Kept, Registered
from telephony.edge.grammar import Uri, read_uri
from telephony.kamailio.errors import RpcError
from telephony.kamailio.mirror import Mirror
from telephony.kamailio.rpc import Rpc

log = logging.getLogger(__name__)
TABLE = "location"
LOOK_S = 0.2
_UNSET = "[not set]"


class Phones:
    """Who may register, and who has. Event loop only."""

    def __init__(self, rpc: Rpc, mirror: Mirror, note: Callable[[Registered], None]) -> None:
        self._rpc, self._mirror, self._note = rpc, mirror, note
        self._users: set[str] = set()
        self._contacts: dict[str, int] = {}
        self._dropped: list[str] = []

    def accounts_are(self, accounts: Mapping[str, Account]) -> None:
        """Takes all accounts that may be used now; the phones of the others are forgotten."""
        for user in self._users - set(accounts):
            self._mirror.want("roles", user, None)
            self._mirror.want("ha1", user, None)
            self._dropped.append(user)
        for user, account in accounts.items():
            self._mirror.want("ha1", user, account.ha1_md5)
            self._mirror.want("roles", user, account.role.value)
        self._users = set(accounts)
        self._mirror.want("door", "accounts", len(accounts))

    async def restore(self, contacts: tuple[Kept, ...]) -> None:
        """Gives Kamailio what an earlier door kept. Raises RpcError."""
        for kept in contacts:
            if kept.nat and kept.hop.transport != "UDP":
                continue  # its connection is gone
            left_s = max(round(kept.left_s), 1)
            await self._rpc.call("ul.add", TABLE, kept.user, kept.uri, left_s, "1.00", "0", 0, 0, 8191)
            if kept.nat:
                self._mirror.want("nat", kept.uri, _uri_of(kept.hop))
        for user in {kept.user for kept in contacts}:
            await self._tell(user)

    def counts(self) -> dict[str, int]:
        """How many accounts there are, and how many contacts have been noted."""
        return {"accounts": len(self._users), "contacts": sum(self._contacts.values())}

    async def run(self) -> None:
        """Looks again and again who has registered or is gone. Raises RpcError when Kamailio does not answer."""
        while True:
            while self._dropped:
                user = self._dropped.pop()
                await self._ask("ul.rm", TABLE, user)
                await self._tell(user)
            changed = set()
            while (found := await self._ask("mqueue.fetch", "changed")) is not None and found.get("key"):
                changed.add(str(found["key"]))
            for user in changed:
                await self._tell(user)
            await asyncio.sleep(LOOK_S)

    async def _tell(self, user: str) -> None:
        found = await self._ask("ul.lookup", TABLE, user)
        rows = [row["Contact"] for row in found["Contacts"]] if found else []
        kept = [contact for row in rows if (contact := _kept(user, row)) is not None]
        self._contacts[user] = len(kept)
        contacts = tuple(Contact(one.uri, one.left_s) for one in kept)
        self._note(Registered(user, contacts, tuple(kept)))

    async def _ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 - what the command gives
        try:
            return await self._rpc.call(method, *params)
        except RpcError as error:
            if not error.status:
                raise
            return None


def _kept(user: str, row: dict[str, Any]) -> Kept | None:
    """One contact of `ul.lookup`; None for what is no SIP URI or has expired."""
    try:
        uri = read_uri(row["Address"])
        received = read_uri(row["Received"]) if row["Received"] != _UNSET else None
    except MalformedError:
        return None
    if not isinstance(row["Expires"], int) or row["Expires"] <= 0:
        return None
    instance = "" if row["Instance"] == _UNSET else str(row["Instance"])
    return Kept(
        user, uri.text, _hop_of(received or uri), received is not None, instance, str(row["Call-ID"]),
        int(row["CSeq"]), float(row["Expires"]),
    )  # fmt: skip


def _hop_of(uri: Uri) -> Hop:
    transport = "TLS" if uri.secure else uri.transport
    return Hop(transport, uri.host, uri.port or (5061 if transport == "TLS" else 5060))


def _uri_of(hop: Hop) -> str:
    return f"sip:{hop.host}:{hop.port};transport={hop.transport.lower()}"
