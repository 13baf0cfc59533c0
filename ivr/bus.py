"""The bus: MQTT 3.1.1, the only user of aiomqtt.

A doorbell, never the truth: publishing cannot block or fail, what cannot be sent waits in a bounded queue, and whoever
must know everything re-reads it from the bundle or the store. Commands are carried out exactly once (id, reply, retry
each second, de-duplication at the receiver). All methods belong to the event loop's thread.
"""

import asyncio
import logging
import os
import socket
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Self

import aiomqtt

from ivr import messages
from ivr.busaddress import Address
from ivr.messages import Envelope, MessageError

log = logging.getLogger(__name__)

Handler = Callable[[str, Envelope], None]
Server = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
EnvelopeServer = Callable[[Envelope], Awaitable[dict[str, Any]]]

_QUEUE = 2000
_ON_THE_WAY = 10  # one at a time, each waiting for its acknowledgement, a busy machine sends some 30 a second
_HEARTBEAT_S = 1.0
_RETRY_S = 1.0
_FIRST_BACKOFF_S = 0.1
_LAST_BACKOFF_S = 3.0
_ANSWERS_KEPT = 1000
_SERVED_BY = {"acd": "control"}  # the process of a target, as people know it


class BusError(Exception):
    """The root of the bus's errors: `bus.timeout` (no answer in time), `bus.refused` (the receiver said no)."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class CommandRefusedError(Exception):
    """Raised by a command's handler: the sender gets `code` and the text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """A message; without a payload it is a subscription to `topic`."""

    topic: str
    payload: bytes | None
    retain: bool = False


class Bus:
    """One process's place on the bus. `async with Bus(...)` connects in the background and reconnects for ever.

    `name` is this process's alone among all hosts. `find` says where the broker is (asked at each attempt). `place` is
    where the state is told, for processes that come and go: there the next one tells its own. (mosquitto 2.0 keeps
    0.9 KB for each topic that ever had a retained message, 2026-11.)
    """

    def __init__(
        self,
        find: Callable[[], Address | None],
        process: str,
        wall: Callable[[], float] = time.time,
        place: str = "",
    ) -> None:
        self._find = find
        self._wall = wall
        self._random = Random()  # noqa: S311 - jitter and message ids
        self.name = f"{os.getpid()}-{self._random.getrandbits(32):08x}"
        self.client = f"{process}-{self.name}"
        self._place = place
        self._state_topic = messages.state_topic(process, place or self.name)
        self._state: dict[str, Any] | None = None
        self._kept: dict[str, dict[str, Any]] = {}
        self._handlers: dict[str, Handler] = {}
        self._servers: dict[str, EnvelopeServer] = {}
        self._answers: OrderedDict[str, bytes | None] = OrderedDict()
        self._asked: dict[str, asyncio.Future[Envelope]] = {}
        self._queue: deque[_Outgoing] = deque()
        self._on_the_way: list[_Outgoing] = []  # the same one may be in it twice
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connected = asyncio.Event()
        self.dropped = 0
        self.refused = 0

    async def __aenter__(self) -> Self:
        self._spawn(self._run(), "bus")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Tells that this process is gone, sends what waits, for at most a second, and leaves."""
        if self._state is not None:
            self._state = None
            self._put(_Outgoing(self._state_topic, self._gone() if self._place else b"", retain=True))
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self.drained()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)

    # Sending ---------------------------------------------------------------------------------------------------------

    def publish(self, topic: str, data: dict[str, Any]) -> None:
        """Sends in the background; while the broker is away the newest 2000 messages wait, older ones are `dropped`."""
        self._put(_Outgoing(topic, self._envelope(data).encode()))

    def keep(self, topic: str, data: dict[str, Any]) -> None:
        """Sends a retained message, and again after each reconnect: a broker may have forgotten it."""
        self._kept[topic] = data
        if self.connected.is_set():
            self._put(_Outgoing(topic, self._envelope(data).encode(), retain=True))

    def publish_event(self, call_id: str, event: dict[str, Any]) -> None:
        """Sends an event of a call, as `Bundle.event` returned it."""
        self.publish(messages.call_event_topic(call_id), event)

    def set_state(self, state: dict[str, Any]) -> None:
        """Tells all what this process does, retained; repeated each second and after each reconnect.

        Set before `async with`, the broker tells that the process is gone when it dies.
        """
        self._state = {**state, "name": self.name}
        if self.connected.is_set():
            self._put_state()

    async def drained(self) -> None:
        """Waits until everything was sent and acknowledged."""
        await self._idle.wait()

    # Receiving -------------------------------------------------------------------------------------------------------

    def listen(self, topic_filter: str, handler: Handler) -> None:
        """Calls `handler(topic, envelope)` for each message that fits; it must be quick and not raise."""
        self._handlers[topic_filter] = handler
        self._put(_Outgoing(topic_filter, None))

    def serve(self, target: str, server: Server) -> None:
        """Answers the commands sent to `target`, each exactly once.

        `await server(data)` gives the answer's data; it may raise CommandRefusedError.
        """
        self.serve_envelopes(target, lambda envelope: server(envelope.data))

    def serve_envelopes(self, target: str, server: EnvelopeServer) -> None:
        """The same for one of several processes that serve `target`: all hear each command, with the same `id`."""
        topic = messages.command_topic(target)
        self._servers[topic] = server
        self._put(_Outgoing(topic, None))

    async def request(self, target: str, data: dict[str, Any], timeout_s: float = 5.0) -> dict[str, Any]:
        """Sends a command and returns the answer's data. Raises BusError: "bus.timeout", or the receiver's code."""
        envelope = Envelope(
            self._new_id(), self._wall(), data, messages.reply_topic(self.client), expires_at=self._wall() + timeout_s
        )
        out = _Outgoing(messages.command_topic(target), envelope.encode())
        answer: asyncio.Future[Envelope] = asyncio.get_running_loop().create_future()
        self._asked[envelope.id] = answer
        try:
            async with asyncio.timeout(timeout_s):
                while not answer.done():
                    await self.connected.wait()
                    self._put(out)
                    await asyncio.wait([answer], timeout=_RETRY_S)
        except TimeoutError as error:
            raise BusError(
                "bus.timeout", f"no answer from {_SERVED_BY.get(target, target)} within {timeout_s:g} s"
            ) from error
        finally:
            del self._asked[envelope.id]
        reply = answer.result().data
        if "error" in reply:
            raise BusError(str(reply["error"]), str(reply.get("detail", "")))
        return reply

    # The connection --------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        while True:
            address = self._find()
            try:
                if address is not None:
                    async with self._mqtt(*address) as mqtt:
                        backoff_s = _FIRST_BACKOFF_S
                        await self._live(mqtt)
            except* aiomqtt.MqttError as errors:
                log.info("bus away: %s", "; ".join(str(error) for error in errors.exceptions))
            finally:
                self.connected.clear()
            await asyncio.sleep(backoff_s * self._random.uniform(0.5, 1.5))
            backoff_s = min(backoff_s * 2, _LAST_BACKOFF_S)

    def _mqtt(self, host: str, port: int) -> aiomqtt.Client:
        return aiomqtt.Client(
            host,
            port,
            identifier=self.client,
            protocol=aiomqtt.ProtocolVersion.V311,
            will=aiomqtt.Will(self._state_topic, self._gone(), qos=1, retain=True) if self._state is not None else None,
            timeout=3,
            keepalive=5,
            max_queued_incoming_messages=100_000,
            # Without it a request and its answer take 92 ms instead of 0.7 (2026-11).
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    async def _live(self, mqtt: aiomqtt.Client) -> None:
        for topic in [*self._handlers, *self._servers, messages.reply_topic(self.client)]:
            await mqtt.subscribe(topic, qos=1)
        self.connected.set()
        self._put_state()
        for topic, data in self._kept.items():
            self._put(_Outgoing(topic, self._envelope(data).encode(), retain=True))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(mqtt), name="bus send")
            group.create_task(self._receive(mqtt), name="bus receive")
            group.create_task(self._heartbeat(), name="bus heartbeat")

    async def _send(self, mqtt: aiomqtt.Client) -> None:
        """Keeps several messages on their way, in order; those not acknowledged at the end come first the next time."""
        free = asyncio.Semaphore(_ON_THE_WAY)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    if not self._queue:
                        self._wake.clear()
                        await self._wake.wait()
                    await free.acquire()
                    out = self._queue.popleft()
                    self._on_the_way.append(out)
                    group.create_task(self._send_one(mqtt, out, free), name="bus send one")
        finally:
            self._queue.extendleft(reversed(self._on_the_way))
            self._on_the_way.clear()

    async def _send_one(self, mqtt: aiomqtt.Client, out: _Outgoing, free: asyncio.Semaphore) -> None:
        if out.payload is None:
            await mqtt.subscribe(out.topic, qos=1)
        else:
            await mqtt.publish(out.topic, out.payload, qos=1, retain=out.retain)
        self._on_the_way.remove(out)
        free.release()
        if not self._queue and not self._on_the_way:
            self._idle.set()

    async def _receive(self, mqtt: aiomqtt.Client) -> None:
        async for message in mqtt.messages:
            topic = message.topic.value
            try:
                envelope = messages.decode(bytes(message.payload or b""))
            except MessageError as error:
                self.refused += 1
                log.warning("bus: refused a message on %s: %s", topic, error)
                continue
            if topic in self._servers:
                self._take_command(topic, envelope)
            elif envelope.corr:
                answer = self._asked.get(envelope.corr)
                if answer is not None and not answer.done():
                    answer.set_result(envelope)
            else:
                for topic_filter, handler in self._handlers.items():
                    if message.topic.matches(topic_filter):
                        handler(topic, envelope)

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_S)
            self._put_state()

    # Commands --------------------------------------------------------------------------------------------------------

    def _take_command(self, topic: str, envelope: Envelope) -> None:
        if envelope.id in self._answers:
            if (answer := self._answers[envelope.id]) is not None:
                self._put(_Outgoing(envelope.reply_to, answer))
            return
        if envelope.expires_at is not None and envelope.expires_at < self._wall():
            return
        self._answers[envelope.id] = None
        while len(self._answers) > _ANSWERS_KEPT:
            self._answers.popitem(last=False)
        self._spawn(self._answer(self._servers[topic], envelope), f"bus command {envelope.id}")

    async def _answer(self, server: EnvelopeServer, envelope: Envelope) -> None:
        try:
            data = await server(envelope)
        except CommandRefusedError as error:
            data = {"error": error.code, "detail": str(error)}
        reply = Envelope(self._new_id(), self._wall(), data, corr=envelope.id).encode()
        self._answers[envelope.id] = reply
        if envelope.reply_to:
            self._put(_Outgoing(envelope.reply_to, reply))

    # Small parts -----------------------------------------------------------------------------------------------------

    def _put(self, out: _Outgoing) -> None:
        self._queue.append(out)
        self._idle.clear()
        while len(self._queue) > _QUEUE:
            self._queue.popleft()
            self.dropped += 1
        self._wake.set()

    def _put_state(self) -> None:
        if self._state is not None and not any(out.topic == self._state_topic for out in self._queue):
            self._put(_Outgoing(self._state_topic, self._envelope(self._state).encode(), retain=True))

    def _gone(self) -> bytes:
        return self._envelope({"state": messages.GONE, "name": self.name}).encode()

    def _envelope(self, data: dict[str, Any]) -> Envelope:
        return Envelope(self._new_id(), self._wall(), data)

    def _new_id(self) -> str:
        return f"{self._random.getrandbits(64):016x}"

    def _spawn(self, work: Any, name: str) -> None:  # noqa: ANN401 - a coroutine
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
