"""The dial plan: which number goes out by which trunk, for whom, how often, how long, for how much. Pure.

Nothing goes out unless a rule allows it. The first rule that fits number and person decides; without a trunk it denies.
"""

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum

from telephony.edge.events import Hop
from telephony.edge.guard import Network, within

_SEPARATORS = str.maketrans("", "", "-.() ")
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
RATE_WINDOW_S = 60.0
CHARGED_S = 60.0


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way to the telephone network. `networks` are where its calls come from; `host` empty: it only brings calls.

    `user` and `password` answer its challenges; `caller_id` replaces the user part of From.
    """

    name: str
    networks: tuple[Network, ...] = ()
    host: str = ""
    port: int = 5060
    transport: str = "UDP"
    user: str = ""
    password: str = field(default="", repr=False)
    caller_id: str = ""

    def uri(self, number: str) -> str:
        """What to ask the trunk for."""
        transport = "" if self.transport == "UDP" else f";transport={self.transport.lower()}"
        return f"sip:{number.replace('#', '%23')}@{self.host}:{self.port}{transport}"


@dataclass(frozen=True, slots=True)
class Rule:
    """`who` holds "workers", "agents", "supervisors" and names of accounts. None: no limit; `price` is for a minute."""

    name: str
    prefix: str = ""
    strip: int = 0
    add: str = ""
    trunk: str = ""
    who: frozenset[str] = frozenset(("workers",))
    rate: int | None = None
    concurrency: int | None = None
    max_duration_s: float | None = None
    price: float = 0.0
    daily_cost: float | None = None


class Denied(StrEnum):
    """Why a number is not called."""

    NOT_ALLOWED = "no rule allows this number"
    RATE = "too many calls a minute"
    CONCURRENCY = "too many calls at once"
    COST = "the day's money is spent"


@dataclass(slots=True)
class Ledger:
    """What each rule has used up. `day` counts days since 1970; `spent` is that day's."""

    day: int = 0
    spent: Counter[str] = field(default_factory=Counter)
    _starts: dict[str, deque[float]] = field(default_factory=dict)

    def denies(self, rule: Rule, up: int, ringing: int, now: float, day: int) -> Denied | None:
        """Why a rule may not be used now, `up` calls being under way by it; None: it may, and that is noted.

        Of these `ringing` have no answer yet: the minute that each will cost is held back for it.
        """
        self.turn_to(day)
        starts = self._starts.setdefault(rule.name, deque())
        while starts and starts[0] <= now - RATE_WINDOW_S:
            starts.popleft()
        if rule.concurrency is not None and up >= rule.concurrency:
            return Denied.CONCURRENCY
        if rule.rate is not None and len(starts) >= rule.rate:
            return Denied.RATE
        if not self.affords(rule, ringing + 1):
            return Denied.COST
        if rule.rate is not None:
            starts.append(now)
        return None

    def affords(self, rule: Rule, minutes: int = 1) -> bool:
        """Whether so many more minutes are paid for."""
        left = self.minutes_left(rule)
        return left is None or minutes <= left

    def minutes_left(self, rule: Rule) -> int | None:
        """How many more minutes are paid for today; None: as many as anybody likes."""
        if rule.daily_cost is None or rule.price <= 0:
            return None
        return max(int((rule.daily_cost - self.spent[rule.name] + 1e-9) / rule.price), 0)

    def charge(self, rule: Rule, day: int) -> None:
        """Notes a minute that has begun."""
        self.turn_to(day)
        self.spent[rule.name] += rule.price  # type: ignore[assignment] # Counter holds any number

    def turn_to(self, day: int) -> None:
        """A new day begins with nothing spent."""
        if day > self.day:
            self.day = day
            self.spent.clear()


@dataclass(frozen=True, slots=True)
class DialPlan:
    """Trunks and rules. `wall_at_zero`: the Unix time when the door's clock was 0."""

    trunks: tuple[Trunk, ...] = ()
    rules: tuple[Rule, ...] = ()
    wall_at_zero: float = 0.0

    def day(self, now: float) -> int:
        """The day (UTC) that costs are counted for."""
        return int((now + self.wall_at_zero) // 86400)

    def trunk_at(self, host: str) -> Trunk | None:
        """The trunk that sends from this address."""
        return next((trunk for trunk in self.trunks if within(host, trunk.networks)), None)

    def trunk(self, name: str) -> Trunk | None:
        """A trunk by its name."""
        return next((trunk for trunk in self.trunks if trunk.name == name), None)

    def rule(self, number: str, who: frozenset[str]) -> Rule | None:
        """The rule that decides on a number; None where it is not allowed."""
        for rule in self.rules:
            if number.startswith(rule.prefix) and rule.who & who:
                return rule if rule.trunk else None
        return None


def number_of(user: str) -> str:
    """The number that a user part means; empty where it is none."""
    number = user.partition(";")[0].translate(_SEPARATORS)
    return number if _NUMBER.fullmatch(number) else ""


def rewritten(rule: Rule, number: str) -> str:
    """The number as the trunk wants it."""
    return rule.add + number[rule.strip :]


def hop_to(trunk: Trunk, address: str) -> Hop:
    """Where a trunk is reached."""
    return Hop(trunk.transport, address, trunk.port)
