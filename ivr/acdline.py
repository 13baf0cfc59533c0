"""What a worker and control tell each other about one call: commands on the bus, each `{"command": NAME, ...}`.

To control (target `acd`): join, renew, leave, priority, staffing, callback, offer, talk, agent, agent_call, audit.
To the worker (target `call/<call_id>`): offer, withdraw, no_agents, position, hang_up, move, tap, supervise.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ivr.bus import BusError
from ivr.messages import Envelope

log = logging.getLogger(__name__)
TARGET = "acd"
ANSWER_WITHIN_S = 2.0  # then the caller goes on without agents
TELL_WITHIN_S = 30.0
CONTROL_STATES = "hotline/control/+/state"


class Line(Protocol):
    """The bus, as far as a call needs it (`ivr.bus.Bus`)."""

    name: str

    async def request(self, target: str, data: dict[str, Any], timeout_s: float = 5.0) -> dict[str, Any]: ...
    def serve(self, target: str, server: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> None: ...
    def listen(self, topic_filter: str, handler: Callable[[str, Envelope], None]) -> None: ...


class AcdLine:
    """One call's line to control. Event loop only."""

    def __init__(self, line: Line, call_id: str) -> None:
        self._line = line
        self.call_id = call_id
        self.worker = line.name
        self._untold: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._telling: asyncio.Task[None] | None = None

    async def ask(self, command: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - plain JSON
        """Sends a command, behind those that are being told, and waits for its answer.

        Raises BusError: "bus.timeout" after 2 s, or control's refusal.
        """
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._untold.join()
                return await self._line.request(TARGET, self._command(command, data), ANSWER_WITHIN_S)
        except TimeoutError as error:
            raise BusError("bus.timeout", f"control did not take {command}") from error

    def tell(self, command: str, **data: Any) -> None:  # noqa: ANN401 - plain JSON
        """Sends a command whose answer changes nothing, behind those before it, again until it was received."""
        self._untold.put_nowait(self._command(command, data))
        if self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell_all(), name="told to control")

    def serve(self, server: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> None:
        """Takes control's commands for this call."""
        self._line.serve(f"call/{self.call_id}", server)

    def watch(self, handler: Callable[[str, Envelope], None]) -> None:
        """Hears of each control that comes, works and goes."""
        self._line.listen(CONTROL_STATES, handler)

    async def close(self, within_s: float = 1.0) -> None:
        """Waits until all was told, but not for long."""
        if self._telling is not None:
            try:
                async with asyncio.timeout(within_s):
                    await self._untold.join()
            except TimeoutError:
                log.warning("control was not told all of call %s", self.call_id)
            self._telling.cancel()

    def _command(self, command: str, data: dict[str, Any]) -> dict[str, Any]:
        return {"command": command, "call_id": self.call_id, **data}

    async def _tell_all(self) -> None:
        while True:
            data = await self._untold.get()
            try:
                await self._line.request(TARGET, data, TELL_WITHIN_S)
            except BusError as error:
                log.info("control, %s: %s %s", data["command"], error.code, error)
            self._untold.task_done()
