"""Where accounts can be reached: address of record to contacts (RFC 3261 §10). Pure; `registrar.py` fills it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from telephony.edge.events import Hop
from telephony.edge.grammar import Uri
from telephony.edge.transactions import Timed


@dataclass(slots=True, eq=False)
class Binding(Timed):
    """One contact of a user. `hop` is where it registered from; `direct` where its Contact leads, if one may go there.

    `instance` is what survives a phone's restart (RFC 5626 §4.1); `expires` is a time of the door's clock.
    """

    user: str
    uri: str
    key: tuple[str, str, int, str]
    hop: Hop
    direct: Hop | None
    instance: str
    call_id: str
    cseq: int
    expires: float

    @property
    def target(self) -> Hop:
        """Where requests go: over its connection, or to its Contact; behind a NAT, back whence it came."""
        return self.direct if self.direct is not None and self.hop.transport == "UDP" else self.hop


@dataclass(slots=True)
class Bindings:
    """All contacts of all users, the newest last."""

    _users: dict[str, list[Binding]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Binding]:
        for bindings in self._users.values():
            yield from bindings

    def of(self, user: str) -> list[Binding]:
        """A user's contacts."""
        return list(self._users.get(user, ()))

    def users(self) -> list[str]:
        """Everybody who can be reached."""
        return list(self._users)

    def add(self, binding: Binding) -> None:
        """Adds a contact."""
        self._users.setdefault(binding.user, []).append(binding)

    def remove(self, binding: Binding) -> None:
        """Forgets a contact."""
        left = [other for other in self._users.get(binding.user, ()) if other is not binding]
        if left:
            self._users[binding.user] = left
        else:
            self._users.pop(binding.user, None)


def key_of(uri: Uri) -> tuple[str, str, int, str]:
    """What makes two Contact URIs one (RFC 3261 §19.1.4, as far as phones go)."""
    return uri.user, uri.host, uri.port or (5061 if uri.secure else 5060), uri.transport
