"""What calls by priced rules cost: counted here a minute at a time, as the embedded door does, and told to Kamailio.

A call is ended when its next minute is not paid for; a rule whose day's money is spent takes no more calls that day.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from telephony.edge.dialplan import CHARGED_S, Ledger, Rule
from telephony.edge.events import Spent, SpentBefore
from telephony.kamailio.errors import RpcError
from telephony.kamailio.mirror import Mirror
from telephony.kamailio.rpc import Rpc

LOOK_S = 0.25
OVER = 'Reason: SIP;cause=503;text="maximum duration"\r\n'
_DAY_S = 86400
_NO_LIMIT = 1_000_000


@dataclass(slots=True)
class _Charged:
    """A call that costs money; `due` is when its next minute begins."""

    rule: str
    due: float


class Money:
    """The ledger of Kamailio's calls; `rules` by the names that Kamailio knows them by. Event loop only."""

    def __init__(
        self, rpc: Rpc, mirror: Mirror, rules: Mapping[str, Rule], note: Callable[[Spent], None],
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._rpc, self._mirror, self._rules, self._note, self._wall = rpc, mirror, rules, note, wall
        self._ledger = Ledger()
        self._calls: dict[str, _Charged] = {}

    def spent_before(self, before: SpentBefore) -> None:
        """Takes what an earlier door has spent."""
        self._ledger.day = before.day
        self._ledger.spent.update(before.amounts)

    def spent(self) -> dict[str, float]:
        """What each rule has spent today."""
        return dict(self._ledger.spent)

    async def run(self) -> None:
        """Charges minutes as they begin. Raises RpcError when Kamailio does not answer."""
        while self._rules:
            self._ledger.turn_to(self._day())
            await self._take_answered()
            await self._charge_on()
            for name, rule in self._rules.items():
                self._mirror.want("room", name, self._room(name, rule))
            await asyncio.sleep(LOOK_S)

    def _room(self, name: str, rule: Rule) -> int:
        """How many calls may be under way at once: those whose minute is paid, and one for each minute that is left.

        So the money for the first minute of every call that still rings is held back.
        """
        left = self._ledger.minutes_left(rule)
        return _NO_LIMIT if left is None else left + sum(call.rule == name for call in self._calls.values())

    async def _take_answered(self) -> None:
        while True:
            try:
                found = await self._rpc.call("mqueue.fetch", "answered")
            except RpcError as error:
                if not error.status:
                    raise
                return
            rule = str(found["val"])
            if rule in self._rules:
                self._calls[str(found["key"])] = _Charged(rule, self._wall() + CHARGED_S)
                self._charge(rule)

    async def _charge_on(self) -> None:
        for name in {call.rule for call in self._calls.values()}:
            up = {str(one["call-id"]): one for one in await self._rpc.call("dlg.profile_list", "priced", name)}
            for call_id, call in [(key, one) for key, one in self._calls.items() if one.rule == name]:
                if call_id not in up:
                    del self._calls[call_id]
                elif call.due <= self._wall() and self._ledger.affords(self._rules[name]):
                    call.due += CHARGED_S
                    self._charge(name)
                elif call.due <= self._wall():
                    await self._rpc.call("dlg.end_dlg", up[call_id]["h_entry"], up[call_id]["h_id"], OVER)
                    del self._calls[call_id]

    def _charge(self, name: str) -> None:
        self._ledger.charge(self._rules[name], self._day())
        self._note(Spent(self._ledger.day, dict(self._ledger.spent)))

    def _day(self) -> int:
        return int(self._wall() // _DAY_S)
