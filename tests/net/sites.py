"""A contact centre on two hosts: a control process and workers on each, PostgreSQL and the broker on the first."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Self

from bench import postgres
from bench.acdserver import AcdServer
from bench.acdworkers import Call, Workers
from ivr.acdboard import Board
from ivr.bus import Bus
from ivr.messages import Envelope
from ivr.store.acdstate import load
from ivr.store.database import Database
from tests.net.hosts import Host, Network
from tests.net.hotline import wait_for

_QUEUE = 'strategy = "linear"\nretry = "60s"\nring_timeout = "60s"'
_BROKER = """\
listener {port} {address}
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 100000
"""


class Phones:
    """The agents' phones, outside of both hosts, each with one line: agent -> call. `silent` ones ring unanswered."""

    def __init__(self) -> None:
        self.rings: dict[str, str] = {}
        self.talks: dict[str, str] = {}
        self.silent: set[str] = set()


class Site(Workers):
    """The workers of a host. `busy`: agents who were rung while their phone rang or was in a call."""

    def __init__(self, host: Host, server: AcdServer, phones: Phones) -> None:
        super().__init__(server.find, ring_s=0.02, answers=lambda agent: agent not in phones.silent)
        self.host, self.server = host, server
        self.busy: list[str] = []
        self._rings, self._talks = phones.rings, phones.talks
        self._random = Random(host.name)

    def comes(self) -> Call:
        """A caller joins the queue."""
        return self.host.run(self.join("cards"))

    def ends(self, call: Call) -> None:
        """The talk is over."""
        self.host.run(self.hang_up(call))

    def gives_up(self, call: Call) -> None:
        """The caller hangs up; control is told of it when it can be."""

        async def hang_up() -> None:
            self._quiet(call)
            self.forget(call)
            self._spawn(self._say("leave", call_id=call.call_id, reason="abandoned"))

        self.host.run(hang_up())

    @property
    def decides(self) -> str:
        """This host's control, in `Centre.controls`."""
        return f"hotline/reply/control-{self.server.pid('control')}"

    def does(self, agent: str, what: str) -> str:
        """What an agent wants; returns the state."""
        return self.host.run(self.agent(agent, what))

    def _ring(self, call: Call, offer: str, agent: str) -> None:
        if agent in self._rings or agent in self._talks:
            self.busy.append(agent)
            self._spawn(self._say("offer", offer=offer, call_id=call.call_id, agent=agent, outcome="busy"))
        else:
            super()._ring(call, offer, agent)


class Centre:
    """A context manager. `offers`: the call and the agent of each offer that was told; `controls`: who told them."""

    def __init__(self) -> None:
        self.network = Network()
        self.phones = Phones()
        self.offers: dict[str, set[tuple[str, str]]] = {}
        self.controls: set[str] = set()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.network)
            (first, address), (second, _) = self.network.add("a"), self.network.add("b")
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hotline-hosts-")))
            self.database = first.enter(postgres.running(address=address))
            bus = first.enter(_broker(folder, address))
            self.a = self._site(stack, first, bus, folder / "a.log")
            self.b = self._site(stack, second, bus, folder / "b.log")
            self.log = folder / "b.log"
            ear = Bus(self.a.server.find, "ear")
            ear.listen("hotline/cmd/+/+", self._hear)
            _run_on(stack, first, ear)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def log_in(self, count: int) -> list[str]:
        """Agents who are ready."""
        names = self.a.host.run(self.a.server.add_agents(count))
        assert [self.a.does(name, "login") for name in names] == ["ready"] * count
        return names

    def board(self) -> Board:
        """What the store holds now."""
        return self.a.host.run(self._board())

    def queue(self) -> list[str]:
        """The callers who wait, in the order of the queue."""
        waits = [caller for caller in self.board().callers.values() if caller.agent is None]
        return [caller.call_id for caller in sorted(waits, key=lambda caller: caller.joined)]

    async def _board(self) -> Board:
        database = Database(self.database.url)
        try:
            async with database.reading() as connection:
                return await load(connection, {})
        finally:
            await database.close()

    def first_offers(self, calls: list[Call]) -> list[Call]:
        """Those of the calls that were offered to an agent, in the order in which each first was."""
        order = dict.fromkeys(call_id for told in self.offers.values() for call_id, _ in told)
        return [call for call_id in order for call in calls if call.call_id == call_id]

    def _site(self, stack: ExitStack, host: Host, bus: str, log: Path) -> Site:
        server = host.enter(AcdServer(self.database.url, _QUEUE, bus))
        host.call(server.start, "control", "", log)
        site = Site(host, server, self.phones)
        _run_on(stack, host, site)
        return site

    def _hear(self, topic: str, envelope: Envelope) -> None:
        if envelope.data.get("command") == "offer" and "agent" in envelope.data and "/call/" in topic:
            offered = (topic.rsplit("/", 1)[-1], envelope.data["agent"])
            self.offers.setdefault(envelope.data["offer"], set()).add(offered)
            self.controls.add(envelope.reply_to.rsplit("-", 1)[0])


def _run_on(stack: ExitStack, host: Host, manager: AbstractAsyncContextManager[object]) -> None:
    host.run(manager.__aenter__())
    stack.callback(lambda: host.run(manager.__aexit__(None, None, None)))


@contextmanager
def _broker(folder: Path, address: str, port: int = 1883) -> Iterator[str]:
    """A mosquitto of one's own, as docs/bus.md asks for it; gives its URL."""
    settings = folder / "mosquitto.conf"
    settings.write_text(_BROKER.format(address=address, port=port))
    folder.chmod(0o755)
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert program is not None
    process = subprocess.Popen([program, "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _listens(address, port))
        yield f"mqtt://{address}:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _listens(address: str, port: int) -> bool:
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex((address, port)) == 0
