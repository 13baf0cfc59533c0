"""Carries out what a flow asks for beyond playing and hearing: http, chance, keys, the recording, messages.

Event loop only. Each request is answered with one `Replied`, from the loop and never from within `ask`.
"""

import asyncio
import logging
from collections.abc import Callable
from random import SystemRandom
from typing import Any

from flows.actions import Request
from flows.events import Replied
from ivr.httpsteps import HttpSteps
from ivr.tracks import Message, Tracks

log = logging.getLogger(__name__)
BEEP_TOKEN = -1  # prompts count up from 1


class Outside:
    """The requests of one call. `beep()` plays a beep with BEEP_TOKEN or raises OSError,
    `send_keys(keys)` sends keys to the caller."""

    def __init__(
        self,
        tracks: Tracks,
        reply: Callable[[Replied], None],
        beep: Callable[[], None],
        send_keys: Callable[[str], None],
    ) -> None:
        self._tracks = tracks
        self._reply = reply
        self._beep = beep
        self._send_keys = send_keys
        self._http: HttpSteps | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: Request | None = None
        self._message: Message | None = None
        self._begins = False

    def ask(self, request: Request) -> None:
        """Begins to carry the request out."""
        match request.kind:
            case "http":
                self._http = self._http or HttpSteps()
                self._start(self._fetch(request, self._http), "http step")
            case "random":
                self._answer(request, value=SystemRandom().random())
            case "recording":
                self._tracks.paused = request.arguments["do"] in ("pause", "stop")
                self._answer(request)
            case "send_dtmf":
                self._send_keys(request.arguments["keys"])
                self._answer(request)
            case "record":
                self._begin_message(request)
            case _:
                self._refuse(request, f"{request.kind} is not available")

    def beeped(self, sample: int) -> None:
        """The beep was played out: the message begins at this sample of the call."""
        if self._asked is not None and self._message is None:
            arguments = self._asked.arguments
            self._message = self._tracks.message(sample, arguments["max_time_s"], arguments["final_silence_s"])

    def not_beeped(self) -> None:
        """The beep could not be played: the message begins without it, with the next frame."""
        self._begins = True

    def voice(self, sample: int, *, speaking: bool) -> None:
        """The caller began or ceased to speak."""
        if self._message is not None:
            self._message.voice(sample, speaking=speaking)

    def frame(self, sample: int, heard8k: bytes) -> None:
        """60 ms of the caller."""
        if self._begins:
            self._begins = False
            self.beeped(sample)
        if self._message is not None and self._message.write(sample, heard8k):
            self._end_message()

    def key(self, key: str) -> bool:
        """A key of the caller's; True when it ended a message and so is nobody else's."""
        if self._message is None or self._asked is None or key != self._asked.arguments["term_key"]:
            return False
        self._end_message()
        return True

    def left_message(self) -> Replied | None:
        """Who hangs up after speaking has left a message: the answer for the flow, None where none was under way."""
        request, message = self._asked, self._message
        self._asked = self._message = None
        if request is None or message is None:
            return None
        return Replied(request.request, ok=True, result={"file": message.name, "seconds": message.seconds})

    def close(self) -> None:
        """The call is over."""
        for task in self._tasks:
            task.cancel()

    def _begin_message(self, request: Request) -> None:
        self._asked = request
        self._begins = not request.arguments["beep"]
        if request.arguments["beep"]:
            try:
                self._beep()
            except OSError as error:
                log.error("no beep: %s", error)
                self.not_beeped()

    def _end_message(self) -> None:
        if (replied := self.left_message()) is not None:
            asyncio.get_running_loop().call_soon(self._reply, replied)

    async def _fetch(self, request: Request, http: HttpSteps) -> None:
        self._reply(await http.answer(request))

    def _answer(self, request: Request, **result: Any) -> None:  # noqa: ANN401 - plain JSON
        asyncio.get_running_loop().call_soon(self._reply, Replied(request.request, ok=True, result=result))

    def _refuse(self, request: Request, reason: str) -> None:
        replied = Replied(request.request, ok=False, result={"error": reason})
        asyncio.get_running_loop().call_soon(self._reply, replied)

    def _start(self, work: Any, name: str) -> None:  # noqa: ANN401 - a coroutine
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
