"""Several hosts on one machine: each is a thread with a network of its own, its cable ends in a switch.

Linux lets every thread have another network (network_namespaces(7)); what a thread starts, threads and processes, stays
in it. The networks have no names: they are gone with the last thread and process in them, whatever happens.
"""

import asyncio
import ctypes
import os
import subprocess
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Self, TypeVar

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000


class Host:
    """`async` things run in the host's own event loop, blocking ones beside it. Both see the host's network only."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._error = 0
        self._thread = threading.Thread(target=self._live, name=f"host {name}", daemon=True)
        self._stack = ExitStack()
        self._thread.start()
        self._up.wait(20)
        if self._error:
            self._thread.join()
            raise OSError(self._error, f"no network of its own: {os.strerror(self._error)}")
        self.ip("link set lo up")

    def run(self, work: Coroutine[Any, Any, T], within_s: float = 60) -> T:
        """Waits for a coroutine on this host."""
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, within_s), self.loop).result()

    def call(self, work: Callable[..., T], *arguments: Any, within_s: float = 60) -> T:
        """Waits for a function on this host."""
        return self.run(asyncio.to_thread(work, *arguments), within_s)

    def enter(self, manager: AbstractContextManager[T]) -> T:
        """Enters it on this host; it is left, there too, when the host ends."""
        value = self.call(manager.__enter__)
        self._stack.callback(self.call, manager.__exit__, None, None, None)
        return value

    def end(self) -> None:
        """Leaves what was entered, and ends the thread."""
        try:
            self._stack.close()
        finally:
            self.run(self.loop.shutdown_default_executor())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(20)
            self.loop.close()

    @property
    def thread(self) -> int:
        """The kernel's number of the host's thread: its network's name."""
        assert self._thread.native_id is not None
        return self._thread.native_id

    def ip(self, *commands: str) -> None:
        """Runs `ip COMMAND` for each."""
        for command in commands:
            self.call(self._ip, command)

    def _ip(self, command: str) -> None:
        done = subprocess.run(["ip", *command.split()], capture_output=True, text=True, check=False, timeout=20)
        if done.returncode:
            raise OSError(f"{self.name}: ip {command}: {done.stderr.strip()}")

    def _live(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET):
            self._error = ctypes.get_errno()
        self._up.set()
        if not self._error:
            asyncio.set_event_loop(self.loop)
            self.loop.run_forever()


class Network:
    """Hosts on one switch, 10.99.0.1, 10.99.0.2 ... in the order in which they are added."""

    def __init__(self) -> None:
        self._hosts: list[Host] = []
        self._switch = self._made("switch")
        self._switch.ip("link add dev br0 type bridge", "link set br0 up")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:
            for host in self._hosts:
                stack.callback(host.end)

    def add(self, name: str) -> tuple[Host, str]:
        """A host, and its address."""
        host = self._made(name)
        address = f"10.99.0.{len(self._hosts) - 1}"
        self._switch.ip(
            f"link add dev {name} type veth peer name eth0 netns {host.thread}",
            f"link set dev {name} master br0 up",
        )
        host.ip(f"addr add {address}/24 dev eth0", "link set eth0 up")
        return host, address

    def cut(self, name: str) -> None:
        """Pulls the host's cable out at the switch: nobody is told, what is sent is lost."""
        self._switch.ip(f"link set dev {name} nomaster")

    def join(self, name: str) -> None:
        """Plugs it in again."""
        self._switch.ip(f"link set dev {name} master br0")

    def _made(self, name: str) -> Host:
        host = Host(name)
        self._hosts.append(host)
        return host
