"""Many callers in one single-threaded process, on one SIP socket and one RTP socket a call."""

import contextlib
import os
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bench import sip
from bench.call import Call, Stage
from bench.loop import Loop, Received
from bench.sip import Address
from bench.talk import Talker

FIRST_RTP_PORT = 20000  # below the ports that Linux gives out by itself
LAST_RTP_PORT = 29998


class Callers:
    """Places calls to one hotline. Use as a context manager; `loop` runs them all.

    Where it is allowed to, it goes before all other processes: callers do not slow down because a hotline is busy.
    (Without, a caller waited up to 20 s for a core that 30 busy workers shared: measured 2026-11.)
    """

    def __init__(self, server: Address, address: str = "127.0.0.1") -> None:
        self.loop = Loop()
        self.calls: list[Call] = []
        self._server = server
        self._address = address
        self._live: dict[str, Call] = {}
        self._next_port = FIRST_RTP_PORT
        self._line = self.loop.open((address, 0), self._on_datagram)

    def __enter__(self) -> Self:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self.hang_up_all()
        self.loop.shut()
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))

    def call(self, called: str, talker: Talker, after_s: float = 0.0) -> Call:
        """A call to the line `called` of the hotline, placed in so many seconds."""
        host, port = self._server
        uri = f"sip:{called}@{host}:{port}"
        call = Call(self.loop, self._line, self._open_rtp, self._server, uri, talker, self._over)
        self.calls.append(call)
        self._live[call.call_id] = call
        self.loop.after(after_s, call.invite)
        return call

    @property
    def live(self) -> int:
        """Calls that are not over."""
        return len(self._live)

    def up(self) -> int:
        """Calls that are up."""
        return sum(call.stage is Stage.UP for call in self._live.values())

    def finish(self, timeout_s: float) -> bool:
        """Serves until every call is over; False when some are not within the time."""
        return self.loop.run(lambda: not self._live, timeout_s)

    def hang_up_all(self, timeout_s: float = 5.0) -> bool:
        """Ends every call that is up."""
        for call in list(self._live.values()):
            call.hang_up()
        return self.finish(timeout_s)

    def forget(self, calls: Sequence[Call]) -> None:
        """Drops calls that are over from `calls`."""
        gone = {call.call_id for call in calls}
        self.calls = [call for call in self.calls if call.call_id not in gone]

    def _over(self, call: Call) -> None:
        self._live.pop(call.call_id, None)

    def _on_datagram(self, data: bytes, source: Address, arrived_at: float) -> None:
        try:
            message = sip.parse(data)
        except ValueError:
            return  # keep-alives: RFC 5626 section 3.5.1
        call = self._live.get(message.get("call-id"))
        if call is not None:
            call.on_message(message, source, arrived_at)
        elif not message.status and message.method != "ACK":
            self._line.sendto(sip.answer(message, "481 Call/Transaction Does Not Exist"), source)

    def _open_rtp(self, received: Received) -> socket.socket:
        for _ in range(FIRST_RTP_PORT, LAST_RTP_PORT, 2):
            port = self._next_port
            self._next_port = port + 2 if port < LAST_RTP_PORT else FIRST_RTP_PORT
            try:
                return self.loop.open((self._address, port), received)
            except OSError:
                continue
        raise OSError("no free RTP port")
