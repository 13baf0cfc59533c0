"""Who holds a port: answers "address in use" with a name. Linux, from /proc; elsewhere it knows nothing."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_TCP_LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a socket bound to the port."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command[:120]} (process {self.pid})"


def port_holders(protocol: Literal["udp", "tcp"], port: int, proc: Path = Path("/proc")) -> list[Holder]:
    """Names the processes bound to a UDP port or listening on a TCP port, IPv4 or IPv6.

    Processes of other users stay unnamed unless this one is privileged; then the list is empty.
    """
    inodes = _inodes(protocol, port, proc)
    found = []
    for folder in proc.glob("[0-9]*") if inodes else ():
        try:
            links = {_target(link) for link in (folder / "fd").iterdir()}
            if any(f"socket:[{inode}]" in links for inode in inodes):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                found.append(Holder(int(folder.name), command or (folder / "comm").read_text().strip()))
        except OSError:
            continue  # ended meanwhile, or not ours to see
    return found


def _target(link: Path) -> str:
    try:
        return link.readlink().name
    except OSError:
        return ""  # closed meanwhile: one of our own is that of the listing


def _inodes(protocol: str, port: int, proc: Path) -> set[str]:
    inodes = set()
    for name in (protocol, protocol + "6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = re.split(r"\s+", line.strip())
            if int(fields[1].rpartition(":")[2], 16) == port and (protocol == "udp" or fields[3] == _TCP_LISTEN):
                inodes.add(fields[9])
    return inodes - {"0"}


def in_use(port: int) -> str:
    """Says for a person who holds SIP port `port`, UDP or TCP, and what to do."""
    holders = {holder.pid: str(holder) for holder in (*port_holders("udp", port), *port_holders("tcp", port))}
    who = " and ".join(holders.values()) or "another process, which this user may not see,"
    return f"SIP port {port} is in use: {who} holds it. End it, or set another [telephony] port in config.toml."
