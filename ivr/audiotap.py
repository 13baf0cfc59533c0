"""The sound of a call for a console: a Unix socket that a one-time token opens.

The client sends one JSON line {"token": ...}; the answer is one JSON line {"rate_hz", "parties", "mode"}, or the
connection is closed. Then frames go both ways, each a header (type, party, bytes of the rest, sample; big endian
`BBHI`) and its content:

    1 sound       to the client: 20 ms of a party, int16[160], little endian; `sample` is its place on the call's clock
    2 microphone  from the client: 20 ms, likewise; heard as the mode says
    3 mode        from the client: "listen", "whisper" or "intrude"
"""

import asyncio
import json
import logging
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ivr.callparts import CallParts
from ivr.room import Room
from ivr.supervision import Supervision
from ivr.whohears import Mode, Stage
from telephony.legevents import Frame
from telephony.media import SILENCE
from telephony.microphone import FRAME_BYTES, Microphone

log = logging.getLogger(__name__)
HEADER = struct.Struct("!BBHI")
SOUND, MICROPHONE, MODE = 1, 2, 3
PARTIES = {"mix": 0, "caller": 1, "hotline": 2, "agent": 3, "consulted": 4}
TOKEN_WITHIN_S = 5.0
_UNSENT_BYTES = 64 << 10  # 0.8 s of all parties: a client that is further behind misses frames
_WITHOUT_CALLER = (Stage.HOLD, Stage.CONSULT)


class AudioTaps:
    """The taps of one call. Event loop only."""

    def __init__(self, parts: CallParts, room: Room, supervision: Supervision, folder: Path) -> None:
        self._parts = parts
        self._room = room
        self._supervision = supervision
        self._path = folder / f"tap-{os.getpid()}.sock"
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._with_agent = SILENCE
        self.dropped = 0

    async def open(self, data: dict[str, Any]) -> dict[str, Any]:
        """The command `tap`: {who, mode} -> {socket, token}. Raises CommandRefusedError."""
        token = self._supervision.admit(data)
        if self._server is None:
            before = os.umask(0o177)  # for this user alone
            try:
                self._server = await asyncio.start_unix_server(self._serve, str(self._path))
            finally:
                os.umask(before)
            self._parts.tracks.also = self._on_frame
        return {"socket": str(self._path), "token": token}

    def close(self) -> None:
        """The call is over."""
        self._parts.tracks.also = None
        for writer in self._writers:
            writer.close()
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TOKEN_WITHIN_S):
                granted = self._supervision.redeem(str(json.loads(await reader.readline())["token"]))
        except (TimeoutError, ValueError, KeyError, TypeError, OSError):
            granted = None
        if granted is None:
            writer.close()
            return
        microphone = await self._on_stack(lambda: Microphone("console"))
        place = self._supervision.enter(granted, microphone)
        about = {"rate_hz": 8000, "parties": PARTIES, "mode": str(granted.mode)}
        writer.write(json.dumps(about).encode() + b"\n")
        self._writers.add(writer)
        try:
            await self._hear(reader, microphone, place)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            self._supervision.leave(place)
            self._parts.stack.post(lambda: self._parts.stack.bury(microphone))
            writer.close()

    async def _hear(self, reader: asyncio.StreamReader, microphone: Microphone, place: str) -> None:
        while True:
            kind, _, length, _ = HEADER.unpack(await reader.readexactly(HEADER.size))
            content = await reader.readexactly(length)
            if kind == MICROPHONE:
                microphone.say(content)
            elif kind == MODE:
                try:
                    self._supervision.turn(place, Mode(content.decode("ascii", "replace")))
                except ValueError:
                    log.warning("a console asks for an unknown mode")

    async def _on_stack(self, make: Callable[[], Microphone]) -> Microphone:
        loop = asyncio.get_running_loop()
        made: asyncio.Future[Microphone] = loop.create_future()
        self._parts.stack.post(lambda: loop.call_soon_threadsafe(made.set_result, make()))
        return await made

    def _on_frame(self, track: str, frame: Frame) -> None:
        party = track.partition("-")[0]
        if party == "transfer":
            party = "consulted"
        if not self._writers or party not in PARTIES:
            return
        self._send(party, frame.sample, frame.heard8k)
        if party == "agent":
            self._with_agent = _mixed(frame.heard8k, frame.played8k)
        elif party == "caller":
            self._send("hotline", frame.sample, frame.played8k)
            with_agent, self._with_agent = self._with_agent, SILENCE
            alone = self._room.stage in _WITHOUT_CALLER
            # What the agent says and hears is at most a frame older, and so on the caller's clock.
            self._send("mix", frame.sample, with_agent if alone else _mixed(frame.heard8k, frame.played8k))

    def _send(self, party: str, sample: int, pcm8k: bytes) -> None:
        number = PARTIES[party]
        data = b"".join(
            HEADER.pack(SOUND, number, FRAME_BYTES, (sample + at // 2) & 0xFFFFFFFF) + pcm8k[at : at + FRAME_BYTES]
            for at in range(0, len(pcm8k), FRAME_BYTES)
        )
        for writer in self._writers:
            if writer.transport.get_write_buffer_size() > _UNSENT_BYTES:
                self.dropped += 1
            else:
                writer.write(data)


def _mixed(one: bytes, other: bytes) -> bytes:
    both = np.frombuffer(one, np.int16).astype(np.int32) + np.frombuffer(other, np.int16)
    return np.clip(both, -32768, 32767).astype(np.int16).tobytes()
