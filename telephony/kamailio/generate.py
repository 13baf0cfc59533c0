"""Writes Kamailio's configuration from settings: one text, ready to run. Pure.

The templates in `cfg/` are Kamailio's own language; `@NAME@` in them is a value from here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from telephony.edge.accounts import REALM
from telephony.edge.clients import WORKER_READS_BYTES
from telephony.edge.desk import (
    ALLOW,
    HOLD_S,
    MAX_TRIES,
    RELAYS_PER_CALL,
    RETRY_AFTER_S,
    SILENT_WORKER_S,
    SUPPORTED,
    WORKER_REPEAT_S,
    Place,
)
from telephony.edge.guard import ASKED_PER_FAILURE, QUIET_S, GuardSettings, Network
from telephony.edge.nonces import NONCE_LIFE_S
from telephony.edge.registrar import NAT_EXPIRES_S
from telephony.edge.relays import SILENT_PHONE_S
from telephony.edge.settings import EdgeSettings
from telephony.edge.strict import MAX_MESSAGE_BYTES
from telephony.kamailio import plan

TEMPLATES = ("core", "main", "people", "workers", "trunks", "registrar", "dialogs")
HOLD_TICK_S = 0.2  # each look is a branch to Kamailio, and there are 30 at most
CLAIM_S = 4  # a worker that was given a call and never came to have it is offered again after this
OWN_HEADERS_BYTES = 700  # Via and two Record-Route with a waymark each
FLOOD_S = 4  # how long an address may send faster than its rate
PROVED_S = 30 * 24 * 3600  # an address where a user has proved itself is remembered this long
_NO_FLOOD = 1e6
_SYSTEMS_CA = "/etc/ssl/certs/ca-certificates.crt"
_FOLDER = Path(__file__).parent / "cfg"


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of TLS: phones are taken by it where there is a certificate; `ca` proves trunks, None: the system's."""

    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What a configuration is made of. `bind` is the address of the sockets.

    `key` seals Record-Route, `nonce_key` nonces, another one in each run (hex digits).
    """

    place: Place
    bind: str
    key: str
    nonce_key: str
    edge: EdgeSettings
    max_calls: int
    max_call_s: float
    modules: Path
    tls: Tls = Tls()
    children: int = 4


def configuration(setup: Setup) -> str:
    """The whole of kamailio.cfg."""
    with_tls = setup.tls.certificate is not None or any(one.transport == "TLS" for one in setup.edge.plan.trunks)
    names = [*TEMPLATES[:1], *(["tls"] if with_tls else []), *TEMPLATES[1:]]
    texts = [(_FOLDER / f"{name}.cfg").read_text(encoding="utf-8") for name in names]
    return "#!KAMAILIO\n" + "\n".join(
        [_filled("\n".join([_listen(setup), *texts]), _values(setup)), plan.rules(setup.edge.plan)]
    )


def _values(setup: Setup) -> dict[str, object]:
    return {**_place_values(setup), **_people_values(setup), **_guard_values(setup.edge.guard)}


def _people_values(setup: Setup) -> dict[str, object]:
    edge, place = setup.edge, setup.place
    hosts = _any_of({place.outside, place.inside, *place.domains})
    named = f'$fd =~ "^({_any_of(place.domains)})$"'
    known = f'$sht(roles=>$var(sender)) != $null && $fd =~ "^({hosts})$"'
    return {
        "REALM": REALM,
        "NONCE_KEY": setup.nonce_key,
        "NONCE_LIFE_S": round(NONCE_LIFE_S),
        "CLAIMS": named if place.domains else known,
        "TRUNKS": _networks(tuple(network for trunk in edge.plan.trunks for network in trunk.networks)),
        "RULES": len(edge.plan.rules),
        "RATE_S": plan.RATE_S,
        "LINES": _any_of(edge.lines),
        "ANY_LINE": int(edge.any_line),
        "OUTSIDE": place.outside,
        "MAX_RELAYS": setup.max_calls * RELAYS_PER_CALL,
        "SILENT_PHONE_MS": round(SILENT_PHONE_S * 1000),
        "DEFAULT_EXPIRES_S": edge.default_expires_s,
        "MIN_EXPIRES_S": edge.min_expires_s,
        "MAX_EXPIRES_S": edge.max_expires_s,
        "MAX_CONTACTS": edge.max_contacts,
        "NAT_EXPIRES_S": 2 * NAT_EXPIRES_S,
    }


def _guard_values(guard: GuardSettings) -> dict[str, object]:
    rate = min(guard.rate, _NO_FLOOD)
    return {
        "TRUSTED": _networks(guard.trusted),
        "CALLERS": "0.0.0.0/0" if guard.callers is None else _networks(guard.callers),
        "FLOOD_S": FLOOD_S,
        "FLOOD_MESSAGES": max(round(rate * FLOOD_S), 1),
        "FLOOD_QUIET_S": round(QUIET_S),
        "FAILURES": guard.failures,
        "ASKED_PER_FAILURE": ASKED_PER_FAILURE,
        "WITHIN_S": round(guard.within_s),
        "BAN_S": round(guard.ban_s),
        "PROVED_S": PROVED_S,
    }


def _networks(networks: tuple[Network, ...]) -> str:
    return ",".join(map(str, networks)) or "255.255.255.255/32"


def _any_of(words: Iterable[str]) -> str:
    """A regular expression for any of the words; without words one that nothing fits."""
    return "|".join(re.sub(r"[^0-9A-Za-z_-]", lambda odd: f"[{odd[0]}]", word) for word in sorted(words)) or "[^ -~]"


def _place_values(setup: Setup) -> dict[str, object]:
    return {
        "CHILDREN": setup.children,
        "MODULES": setup.modules,
        "INSIDE": setup.place.inside,
        "TLS_FILES": _tls_files(setup),
        "PORT": setup.place.port,
        "DOOR_KEY": setup.key,
        "MAX_CALLS": setup.max_calls,
        "MAX_CALL_S": int(setup.max_call_s),
        "MAX_MESSAGE": MAX_MESSAGE_BYTES,
        "WORKER_READS": WORKER_READS_BYTES,
        "OWN_HEADERS": OWN_HEADERS_BYTES,
        "MAX_TRIES": MAX_TRIES,
        "RETRY_AFTER": RETRY_AFTER_S,
        "CLAIM_S": CLAIM_S,
        "HOLD_TICKS": round(HOLD_S / HOLD_TICK_S),
        "HOLD_TICK_MS": round(HOLD_TICK_S * 1000),
        "SILENT_WORKER_MS": round(SILENT_WORKER_S * 1000),
        "WORKER_REPEAT_MS": round(WORKER_REPEAT_S * 1000),
        "ALLOWED": ALLOW[1],
        "EXTENSIONS": "|".join(sorted(SUPPORTED)),
        "SUPPORTED": ", ".join(sorted(SUPPORTED)),
    }


def _tls_files(setup: Setup) -> str:
    """The certificate for phones; for trunks that are called by TLS what proves them."""
    files: dict[str, object] = {}
    if setup.tls.certificate is not None:
        files = {"certificate": f'"{setup.tls.certificate}"', "private_key": f'"{setup.tls.key}"'}
    if any(trunk.transport == "TLS" for trunk in setup.edge.plan.trunks):
        files |= {"verify_certificate": 1, "ca_list": f'"{setup.tls.ca or _SYSTEMS_CA}"'}
    return "\n".join(f'modparam("tls", "{name}", {value})' for name, value in files.items())


def _listen(setup: Setup) -> str:
    """The sockets: one for all where the door is on loopback, else one for phones and one for workers.

    One process reads what workers say: with more, a 180 could overtake the 200 that follows it.
    """
    place = setup.place
    lines = ["socket_workers=1", f"listen=udp:{place.inside}:{place.port}"]
    if place.outside == place.inside:
        lines.append(f"listen=tcp:{place.inside}:{place.port}")
    else:
        outside = f"{setup.bind}:{place.port} advertise {place.outside}:{place.port}"
        lines += [f"listen=udp:{outside}", f"listen=tcp:{outside}"]
    if setup.tls.certificate is not None:
        lines.append(f"listen=tls:{setup.bind}:{place.tls_port} advertise {place.outside}:{place.tls_port}")
    return "\n".join(lines) + "\n"


def _filled(text: str, values: dict[str, object]) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda match: str(values[match[1]]), text)
