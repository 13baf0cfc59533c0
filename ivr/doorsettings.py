"""The front door's tables of config.toml, and what the door itself makes of them."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

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


class TlsSettings(Table):
    """[telephony.tls]: SIP over TLS is taken where there is a certificate."""

    certificate: Path | None = None
    key: Path | None = None
    port: int = Field(5061, ge=0, le=65535)
    ca: Path | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: set both")
        return self


class TrunkSettings(Table):
    """[telephony.trunks.NAME]"""

    addresses: tuple[Network, ...] = ()
    host: str = ""
    port: int = Field(5060, ge=1, le=65535)
    transport: Literal["udp", "tcp", "tls"] = "udp"
    username: str = ""
    secret_file: Path | None = None
    caller_id: str = Field("", pattern=r"^[A-Za-z0-9+_.*-]*$")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not self.addresses and not self.host:
            raise ValueError("a trunk needs addresses (its calls come from there), a host (calls go there), or both")
        if bool(self.username) != (self.secret_file is not None):
            raise ValueError("username and secret_file belong together: set both")
        return self


class RuleSettings(Table):
    """[[telephony.dialplan]]"""

    name: str = ""
    prefix: str = Field("", pattern=r"^\+?[0-9*#]*$")
    strip: int = Field(0, ge=0)
    add: str = Field("", pattern=r"^\+?[0-9*#]*$")
    trunk: str = ""
    who: tuple[str, ...] = ()
    rate: int | None = Field(None, ge=1)
    concurrency: int | None = Field(None, ge=1)
    max_duration: Duration | None = None
    price: float = Field(0.0, ge=0)
    daily_cost: float | None = Field(None, ge=0)

    @property
    def whom(self) -> frozenset[str]:
        """Whose calls the rule decides on: unless it says so workers' where it allows, everybody's where it denies."""
        return frozenset(self.who or (("workers",) if self.trunk else ("workers", "agents", "supervisors")))

    @model_validator(mode="after")
    def _cost_has_a_price(self) -> Self:
        if self.daily_cost is not None and not self.price:
            raise ValueError("daily_cost needs a price (of a minute)")
        if self.strip > len(self.prefix):
            raise ValueError("strip may not take more than the prefix")
        return self


Callers = Literal["anyone"] | tuple[Network, ...]


def networks(texts: tuple[str, ...]) -> tuple[ipaddress.IPv4Network, ...]:
    """The networks that were written."""
    return tuple(ipaddress.IPv4Network(text) for text in texts)
