"""The front door's tables of config.toml, and what the door itself makes of them."""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ivr.settingstable import Duration, Table


def _network(text: str) -> str:
    try:
        ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(f'{error}; write an IPv4 address or a network, like "192.0.2.0/24"') from error
    return text


def _host(text: str) -> str:
    if not text or "/" in text or ":" in text or " " in text:
        raise ValueError('write a host name, like "sip.example.org"')
    return text.lower()


Network = Annotated[str, AfterValidator(_network)]
Host = Annotated[str, AfterValidator(_host)]


class RegistrarSettings(Table):
    """[telephony.registrar]"""

    min_expires: Duration = 30.0
    max_expires: Duration = 3600.0
    default_expires: Duration = 300.0
    max_contacts: int = Field(5, ge=1, le=20)


class GuardSettings(Table):
    """[telephony.guard]"""

    messages_per_s: float = Field(50.0, gt=0)
    failures: int = Field(10, ge=1)
    within: Duration = 600.0
    ban: Duration = 3600.0
    trusted: tuple[Network, ...] = ("127.0.0.0/8",)


Callers = Literal["anyone"] | tuple[Network, ...]


def networks(texts: tuple[str, ...]) -> tuple[ipaddress.IPv4Network, ...]:
    """The networks that were written."""
    return tuple(ipaddress.IPv4Network(text) for text in texts)
