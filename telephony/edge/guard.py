"""Keeps floods, guessers and strangers out: whom the door answers at all. Pure, every table bounded.

An address that sends too fast is met with silence until it has been slower for a while (as Kamailio's pike does it).
An address or a user name with too many wrong passwords is banned: silence for everything outside a call, until the ban
ends. A user's ban does not hold at addresses where that user has proved itself before, so nobody can lock others out.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice

MAX_ADDRESSES = 20_000
MAX_USERS = 10_000
QUIET_S = 10.0  # a flooding address is heard again after this long without a flood
ASKED_PER_FAILURE = 4  # so many unanswered challenges weigh as much as one wrong password

Network = ipaddress.IPv4Network


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """`callers` None: anyone. `trusted` are never limited or banned. Rates are messages a second from one address."""

    rate: float = float("inf")
    burst: float = float("inf")
    failures: int = 10
    within_s: float = 600.0
    ban_s: float = 3600.0
    callers: tuple[Network, ...] | None = None
    trusted: tuple[Network, ...] = ()


@dataclass(slots=True)
class _Source:
    """What is known of an address: tokens left of its burst, failures, bans."""

    tokens: float
    seen: float
    flooding_until: float = float("-inf")
    weight: float = 0.0
    since: float = 0.0
    banned_until: float = float("-inf")


@dataclass(slots=True)
class Guard:
    """The door's memory of who misbehaves. `trunks` are the addresses that carriers' names have now: trusted too."""

    settings: GuardSettings = field(default_factory=GuardSettings)
    trunks: frozenset[str] = frozenset()
    _sources: OrderedDict[str, _Source] = field(default_factory=OrderedDict)
    _users: OrderedDict[str, _Source] = field(default_factory=OrderedDict)
    _proved: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    def admits(self, host: str, now: float) -> bool:
        """Whether a message from this address is read at all; counts it."""
        settings = self.settings
        if settings.rate == float("inf") or self.trusts(host):
            return True
        source = self._source(host, now)
        source.tokens = min(source.tokens + (now - source.seen) * settings.rate, settings.burst)
        source.seen = now
        if source.tokens < 1.0:
            source.flooding_until = now + QUIET_S
        if source.flooding_until > now:
            return False
        source.tokens -= 1.0
        return True

    def welcomes(self, host: str, now: float) -> bool:
        """Whether an address may speak to the door outside of a call: in `callers`, and not banned."""
        if self.trusts(host):
            return True
        source = self._sources.get(host)
        if source is not None and source.banned_until > now:
            return False
        return self.settings.callers is None or within(host, self.settings.callers)

    def user_banned(self, user: str, host: str, now: float) -> bool:
        """Whether this user may not prove itself from here now."""
        if self.trusts(host) or (user, host) in self._proved:
            return False
        known = self._users.get(user)
        return known is not None and known.banned_until > now

    def failed(self, user: str, host: str, now: float) -> None:
        """A wrong password or unknown user."""
        if self.trusts(host):
            return
        self._weigh(self._source(host, now), 1.0, now)
        if (user, host) not in self._proved:
            if user not in self._users and len(self._users) >= MAX_USERS:
                self._users.popitem(last=False)
            self._weigh(self._users.setdefault(user, _Source(0.0, now)), 1.0, now)

    def asked(self, host: str, now: float) -> None:
        """A challenge was sent; somebody who never answers any is looking for names."""
        if not self.trusts(host):
            self._weigh(self._source(host, now), 1.0 / ASKED_PER_FAILURE, now)

    def proved(self, user: str, host: str, now: float) -> None:
        """Right credentials: the address is forgiven."""
        source = self._sources.get(host)
        if source is not None and source.banned_until <= now:
            source.weight = 0.0
        self._users.pop(user, None)
        self._proved[user, host] = None
        self._proved.move_to_end((user, host))
        if len(self._proved) > MAX_USERS:
            self._proved.popitem(last=False)

    def trusts(self, host: str) -> bool:
        """Whether an address is never limited."""
        return host in self.trunks or within(host, self.settings.trusted)

    def banned(self, now: float) -> dict[str, list[str]]:
        """Who is banned now, for the status."""
        return {
            "addresses": [host for host, one in self._sources.items() if one.banned_until > now],
            "users": [user for user, one in self._users.items() if one.banned_until > now],
            "flooding": [host for host, one in self._sources.items() if one.flooding_until > now],
        }

    def _weigh(self, one: _Source, weight: float, now: float) -> None:
        if one.since + self.settings.within_s < now:
            one.weight, one.since = 0.0, now
        one.weight += weight
        if one.weight >= self.settings.failures:
            one.banned_until, one.weight = now + self.settings.ban_s, 0.0

    def _source(self, host: str, now: float) -> _Source:
        source = self._sources.get(host)
        if source is None:
            if len(self._sources) >= MAX_ADDRESSES:
                self._forget_one(now)
            source = self._sources[host] = _Source(self.settings.burst, now)
        else:
            self._sources.move_to_end(host)
        return source

    def _forget_one(self, now: float) -> None:
        """Makes room: the address quiet longest that is not banned, looked for among the first few."""
        found = next((host for host, one in islice(self._sources.items(), 16) if one.banned_until <= now), None)
        self._sources.pop(found if found is not None else next(iter(self._sources)))


def within(host: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address is in one of the networks."""
    if not networks:
        return False
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)
