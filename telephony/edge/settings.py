"""What an operator can set of the front door, beside its place and size. `ivr/doorsettings.py` reads it."""

from dataclasses import dataclass, field

from telephony.edge.dialplan import DialPlan
from telephony.edge.guard import GuardSettings


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """`lines`: the called numbers that have a flow of their own; `any_line`: every other number has one too.

    Lifetimes of registrations are in seconds; beyond `max_contacts` an account's oldest is dropped. `salt` differs from
    run to run.
    """

    lines: frozenset[str] = frozenset()
    any_line: bool = True
    min_expires_s: int = 30
    max_expires_s: int = 3600
    default_expires_s: int = 300
    max_contacts: int = 5
    guard: GuardSettings = field(default_factory=GuardSettings)
    plan: DialPlan = field(default_factory=DialPlan)
    salt: bytes = b""
