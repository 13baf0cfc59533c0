"""A PostgreSQL server of one's own in a temporary folder, that can be stopped as by a crash."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nonexistent"))
_LOOPBACK = "127.0.0.1"


class Postgres:
    """Run as `postgres` (it refuses to run as root); without fsync, so that tests are quick. Whoever reaches `address`
    from its network may come in.
    """

    def __init__(self, folder: Path, port: int, *, fsync: bool = False, address: str = _LOOPBACK) -> None:
        self.folder, self.port, self.fsync, self.address = folder, port, fsync, address
        self.url = f"postgresql+asyncpg://postgres@{address}:{port}/postgres"

    @staticmethod
    def installed() -> bool:
        """Whether this machine has a server."""
        return (_PROGRAMS / "initdb").exists()

    def create(self) -> None:
        """Makes an empty database."""
        self._run(
            "initdb", "-D", self.folder, "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8"
        )
        with (self.folder / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")

    def start(self) -> None:
        """Returns when it serves."""
        options = f"-p {self.port} -c listen_addresses={self.address} -c unix_socket_directories="
        options += "" if self.fsync else " -c fsync=off"
        log = self.folder.parent / "server.log"
        self._run("pg_ctl", "-D", self.folder, "-w", "-t", "50", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """As a crash would: connections cut, nothing flushed but the write-ahead log."""
        self._run("pg_ctl", "-D", self.folder, "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(_PROGRAMS / program), *map(str, arguments)]
        user = "postgres" if os.geteuid() == 0 else None
        subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/")


@contextmanager
def running(*, fsync: bool = False, address: str = _LOOPBACK) -> Iterator[Postgres]:
    """A running server, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hotline-pg-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, "postgres")
        with socket.socket() as trial:
            trial.bind((address, 0))
            port = int(trial.getsockname()[1])
        server = Postgres(Path(name) / "data", port, fsync=fsync, address=address)
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()
