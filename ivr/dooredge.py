"""What the front door's settings become: the edge's own values, its certificates, its secrets read from files."""

import ipaddress
import secrets
import ssl
import time
from pathlib import Path

from ivr.config import Config, TelephonySettings
from ivr.doorsettings import RuleSettings, TlsSettings, TrunkSettings, networks
from telephony.edge.desk import Place
from telephony.edge.dialplan import DialPlan, Rule, Trunk
from telephony.edge.guard import GuardSettings
from telephony.edge.settings import EdgeSettings
from telephony.portholder import in_use, port_holders

_BURST_S = 4.0  # seconds of the allowed rate that may come at once


class DoorSettingsError(Exception):
    """A file that the settings name cannot be used; the text says which and why."""

    code = "door.settings"


def edge_settings(config: Config) -> EdgeSettings:
    """The edge's settings. Raises DoorSettingsError."""
    settings = config.telephony
    registrar = settings.registrar
    return EdgeSettings(
        lines=frozenset(settings.lines) - {"*"},
        any_line="*" in settings.lines,
        min_expires_s=int(registrar.min_expires),
        max_expires_s=int(registrar.max_expires),
        default_expires_s=int(registrar.default_expires),
        max_contacts=registrar.max_contacts,
        guard=_guard(settings),
        plan=DialPlan(
            tuple(_trunk(config.root, name, trunk) for name, trunk in settings.trunks.items()),
            tuple(_rule(number, rule) for number, rule in enumerate(settings.dialplan, 1)),
            wall_at_zero=time.time() - time.monotonic(),
        ),
        salt=secrets.token_bytes(16),
    )


def place_and_bind(settings: TelephonySettings, outside: str) -> tuple[Place, str]:
    """Where phones, at `outside`, and workers reach the door, and the address that it listens at."""
    private = settings.address != "auto" and ipaddress.IPv4Address(outside).is_loopback
    inside, bind = (outside, outside) if private else ("127.0.0.1", "0.0.0.0")
    return Place(outside, inside, settings.port, settings.tls.port, frozenset(settings.domains)), bind


def port_in_use(settings: TelephonySettings) -> str:
    """What to say where the door cannot have one of its two ports: which, and who holds it."""
    if settings.tls.certificate is None or any(port_holders(kind, settings.port) for kind in ("udp", "tcp")):
        return in_use(settings.port)
    return in_use(settings.tls.port)


def server_tls(root: Path, settings: TlsSettings) -> ssl.SSLContext | None:
    """The context for phones that come by TLS; None where there is no certificate. Raises DoorSettingsError."""
    if settings.certificate is None or settings.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(root / settings.certificate, root / settings.key)
    except (OSError, ssl.SSLError) as error:
        raise DoorSettingsError(f"[telephony.tls] certificate and key cannot be used: {error}") from error
    return context


def client_tls(root: Path, settings: TlsSettings) -> ssl.SSLContext:
    """The context for trunks that are called by TLS. Raises DoorSettingsError."""
    try:
        return ssl.create_default_context(cafile=None if settings.ca is None else str(root / settings.ca))
    except (OSError, ssl.SSLError) as error:
        raise DoorSettingsError(f"[telephony.tls] ca cannot be used: {error}") from error


def _guard(settings: TelephonySettings) -> GuardSettings:
    guard = settings.guard
    of_trunks = [address for trunk in settings.trunks.values() for address in trunk.addresses]
    return GuardSettings(
        rate=guard.messages_per_s,
        burst=guard.messages_per_s * _BURST_S,
        failures=guard.failures,
        within_s=guard.within,
        ban_s=guard.ban,
        callers=None if settings.callers == "anyone" else networks(settings.callers),
        trusted=networks((*guard.trusted, *of_trunks)),
    )


def _trunk(root: Path, name: str, settings: TrunkSettings) -> Trunk:
    password = ""
    if settings.secret_file is not None:
        try:
            password = (root / settings.secret_file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise DoorSettingsError(f"[telephony.trunks.{name}] secret_file cannot be read: {error}") from error
    return Trunk(
        name, networks(settings.addresses), settings.host, settings.port, settings.transport.upper(),
        settings.username, password, settings.caller_id,
    )  # fmt: skip


def _rule(number: int, settings: RuleSettings) -> Rule:
    return Rule(
        settings.name or f"rule {number}", settings.prefix, settings.strip, settings.add, settings.trunk,
        settings.whom, settings.rate, settings.concurrency, settings.max_duration, settings.price,
        settings.daily_cost,
    )  # fmt: skip
