"""`ivr monitor`: a supervisor hears a call at the terminal, by the call's audio tap (`ivr.audiotap`)."""

import argparse
import asyncio
import json
import sys
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ivr.audiotap import HEADER, PARTIES, SOUND
from ivr.bus import BusError
from ivr.config import Config
from ivr.deskcli import me
from ivr.opendesk import open_desk
from ivr.store.errors import StoreError

Sink = Callable[[bytes], object]
_RATE_HZ = 8000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr monitor`."""
    parser.add_argument("call", metavar="CALL", help="a call from `ivr calls --live`")
    parser.add_argument(
        "--record",
        type=Path,
        metavar="OUT.wav",
        help="write what is heard there (else: raw sound to standard output, for `| aplay -f S16_LE -r 8000`)",
    )


def monitor(options: argparse.Namespace, config: Config) -> int:
    """`ivr monitor CALL`: listens until the call is over or Ctrl-C."""
    if options.record is None and sys.stdout.isatty():
        print("ivr monitor: sound is nothing to read: | aplay -f S16_LE -r 8000, or --record OUT.wav", file=sys.stderr)
        return 2
    try:
        with _sink(options.record) as sink:
            asyncio.run(_monitor(config, options.call, sink))
    except (BusError, StoreError, OSError) as error:
        print(f"ivr monitor: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


@contextmanager
def _sink(record: Path | None) -> Iterator[Sink]:
    if record is None:
        yield lambda pcm8k: (sys.stdout.buffer.write(pcm8k), sys.stdout.buffer.flush())
        return
    with record.open("wb") as file, wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(_RATE_HZ)
        yield wav.writeframes


async def _monitor(config: Config, call_id: str, sink: Sink) -> None:
    async with open_desk(config) as desk:
        tap = await desk.tap(call_id, "listen", me())
    print(f"listening to {call_id}; Ctrl-C ends", file=sys.stderr)
    await hear(tap, sink)
    print(f"call {call_id} is over", file=sys.stderr)


async def hear(tap: Mapping[str, Any], sink: Sink) -> None:
    """Gives `sink` what a listening supervisor hears, `int16[160]` at a time, until the call is over.

    Raises OSError.
    """
    reader, writer = await asyncio.open_unix_connection(str(tap["socket"]))
    try:
        writer.write(json.dumps({"token": tap["token"]}).encode() + b"\n")
        await reader.readline()  # what the frames are, and that the token was right
        while True:
            kind, party, length, _ = HEADER.unpack(await reader.readexactly(HEADER.size))
            content = await reader.readexactly(length)
            if (kind, party) == (SOUND, PARTIES["mix"]):
                sink(content)
    except asyncio.IncompleteReadError:
        pass
    finally:
        writer.close()
