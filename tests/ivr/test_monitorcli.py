"""`ivr monitor` at a tap that a test plays."""

import asyncio
import json
from pathlib import Path

from ivr.audiotap import HEADER, PARTIES, SOUND
from ivr.monitorcli import hear


async def test_the_mix_alone_is_heard_until_the_call_is_over(tmp_path: Path) -> None:
    tokens = []

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tokens.append(json.loads(await reader.readline())["token"])
        writer.write(b'{"rate_hz": 8000}\n')
        for number in range(3):
            for party in PARTIES.values():
                writer.write(HEADER.pack(SOUND, party, 320, number * 160) + bytes([party * 10 + number]) * 320)
        writer.close()

    heard: list[bytes] = []
    async with await asyncio.start_unix_server(call, str(tmp_path / "tap.sock")):
        await hear({"socket": str(tmp_path / "tap.sock"), "token": "once"}, heard.append)
    assert tokens == ["once"]
    assert heard == [bytes([number]) * 320 for number in range(3)]
