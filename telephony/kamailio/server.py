"""Runs Kamailio as the front door: its process, and the sidecar that keeps it informed of the workers.

One asyncio loop, one thread. The same face as the embedded door's (`telephony.edge.server.Door`).
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from telephony.edge.dialplan import Trunk
from telephony.edge.events import AccountsAre, Event, Kept, Registered, Spent, SpentBefore, WorkerGone, WorkerSaid
from telephony.edge.rosterlink import RosterLink
from telephony.edge.server import open_sockets
from telephony.kamailio.crew import Crew
from telephony.kamailio.errors import KamailioError, RpcError
from telephony.kamailio.generate import Setup, configuration
from telephony.kamailio.mirror import Mirror
from telephony.kamailio.money import Money
from telephony.kamailio.phones import Phones
from telephony.kamailio.plan import plain, priced
from telephony.kamailio.program import Program
from telephony.kamailio.rpc import Rpc
from telephony.portholder import port_holders

log = logging.getLogger(__name__)
START_S = 10.0
STOP_S = 3.0
SHARED_MB = "256"  # shared memory, taken as it is used: some 15 KB a transaction, kept 5 s after its end
SILENT = -6  # below every level of its log
_LOOK_S = 0.02


class KamailioDoor:
    """A running Kamailio with its sidecar; its files are in `folder`. `note` hears of every change of a user's phones.

    `before_exec` runs in the new process first.
    """

    def __init__(
        self, program: Program, setup: Setup, folder: Path, note: Callable[[Registered | Spent], None],
        before_exec: Callable[[], None],
    ) -> None:  # fmt: skip
        self._program, self._setup, self._folder, self._before_exec = program, setup, folder, before_exec
        self._rpc = Rpc()
        self._mirror = Mirror(self._rpc)
        self._crew = Crew(self._rpc, self._mirror, self._answer)
        self._phones = Phones(self._rpc, self._mirror, note)
        self._money = Money(self._rpc, self._mirror, priced(setup.edge.plan), note)
        self._tasks: list[asyncio.Task[None]] = []
        self._trunks: dict[str, str] = {}
        self.tls_port = 0

    async def start(self, roster_socket: Path) -> tuple[str, int]:
        """Starts everything; gives back address and port that callers use.

        Raises OSError (EADDRINUSE) where the port is taken, MissingError, KamailioError.
        """
        await self._end_leftover()
        place = replace(self._setup.place, port=free_port(self._setup.bind, self._setup.place.port))
        if self._setup.tls.certificate is not None:
            place = replace(place, tls_port=free_port(self._setup.bind, place.tls_port))
            self.tls_port = place.tls_port
        text = configuration(replace(self._setup, place=place))
        self._program.check(text)
        file = self._folder / "kamailio.cfg"
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        (self._folder / "rpc.sock").unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            str(self._program.binary), "-DD", "-E", "-f", str(file), "-w", str(self._folder), "-Y", ".",
            "-m", SHARED_MB,
            cwd=self._folder, stdin=DEVNULL, stdout=DEVNULL, start_new_session=True, preexec_fn=self._before_exec,
        )  # fmt: skip
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sip.connect((place.inside, place.port))
        await self._until_it_answers()
        self._link = RosterLink(self.feed, self.status)
        await self._link.listen(roster_socket)
        runs = {"mirror": self._mirror.run, "crew": self._crew.run, "phones": self._phones.run}
        if priced(self._setup.edge.plan):
            runs["money"] = self._money.run
        self._tasks += [asyncio.create_task(run(), name=name) for name, run in runs.items()]
        return place.outside, place.port

    def feed(self, event: Event) -> None:
        """Takes what workers say and which accounts there are."""
        match event:
            case WorkerSaid():
                self._crew.said(event)
            case WorkerGone():
                self._crew.gone(event)
            case AccountsAre(accounts):
                self._phones.accounts_are(accounts)
            case SpentBefore():
                self._money.spent_before(event)

    def trunk_found(self, trunk: Trunk, address: str) -> None:
        """Takes the address that a trunk's name stands for now."""
        self._trunks[trunk.name] = address
        self._mirror.want("trunks", plain(trunk.name), f"{address}:{trunk.port}")

    async def restore(self, contacts: tuple[Kept, ...]) -> None:
        """Takes back the phones that an earlier door kept; returns when Kamailio knows all it was told."""
        await self._phones.restore(contacts)
        await self._mirror.settled()

    async def ended(self) -> None:
        """Returns when Kamailio has ended by itself. Raises RpcError where it does not answer any more."""
        gone = asyncio.create_task(self._process.wait(), name="kamailio")
        try:
            await asyncio.wait([gone, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in self._tasks:
                if task.done():
                    task.result()
        finally:
            gone.cancel()

    async def stop(self) -> None:
        """Ends Kamailio, then the sidecar. Calls that are up go on without a door."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.close()
        with contextlib.suppress(RpcError):
            await self._rpc.call("corex.debug", SILENT)  # its own children's end alarms it
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            log.error("Kamailio did not end in %.0f s: killed", STOP_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its children too, which outlive a killed parent
        await self._process.wait()
        self._rpc.close()
        self._sip.close()

    async def status(self) -> dict[str, object]:
        """One flat summary, its names those of the embedded door."""
        dialogs = await self._rpc.call("dlg.stats_active")
        transactions = await self._rpc.call("tm.stats")
        relays = await self._rpc.call("dlg.profile_get_size", "relays")
        claims = set(await self._table("claims"))
        counters = await self._table("counters")
        return {
            **self._crew.duties(claims), **self._phones.counts(), "relays": relays, "spent": self._money.spent(),
            "trunks": self._trunks, "held": counters.pop("held", 0), "counters": counters,
            "calls": dialogs["all"] - relays, "dialogs": dialogs["answering"],
            "transactions": transactions["current"], "max_calls": self._setup.max_calls, "cpu_s": self._cpu_s(),
            "kamailio": self._process.pid,
        }  # fmt: skip

    async def _table(self, name: str) -> dict[str, object]:
        """All that one of Kamailio's hash tables holds."""
        found = await self._rpc.call("htable.dump", name)
        return {cell["name"]: cell["value"] for entry in found for cell in entry["slot"]}

    def _answer(self, response: bytes) -> None:
        with contextlib.suppress(OSError):
            self._sip.send(response)

    async def _until_it_answers(self) -> None:
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            if self._process.returncode is not None:
                raise KamailioError("Kamailio does not start; it has told why above")
            try:
                await self._rpc.connect(self._folder / "rpc.sock")
                await self._rpc.call("core.uptime")
            except (OSError, RpcError):
                if asyncio.get_running_loop().time() > deadline:
                    raise KamailioError(f"Kamailio does not answer within {START_S:.0f} s") from None
                await asyncio.sleep(_LOOK_S)
            else:
                return

    async def _end_leftover(self) -> None:
        """Ends the children of a Kamailio of ours that was killed: they would hold the port."""
        port, ours = self._setup.place.port, f" -f {self._folder / 'kamailio.cfg'} "
        holders = [holder for holder in port_holders("udp", port) if ours in holder.command] if port else []
        for holder in holders:
            with contextlib.suppress(ProcessLookupError):
                os.kill(holder.pid, signal.SIGKILL)
        while any(_alive(holder.pid) for holder in holders):  # noqa: ASYNC110 - no child of ours
            await asyncio.sleep(_LOOK_S)

    def _cpu_s(self) -> float:
        """CPU that Kamailio's processes and the sidecar took."""
        tick = os.sysconf("SC_CLK_TCK")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            pids = [str(self._process.pid), *children.read_text().split()]
            fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
        except OSError:
            fields = []
        return round(time.process_time() + sum(int(f[11]) + int(f[12]) for f in fields) / tick, 3)


def free_port(bind: str, port: int) -> int:
    """The port itself, or a free one for 0. Raises OSError where it is taken."""
    sockets = open_sockets(bind, port)
    found = int(sockets[0].getsockname()[1])
    for sock in sockets:
        sock.close()
    return found


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
