"""A far end for the tests: answers one call, plays two tones, pauses on key 1, goes on with key 2, tells all."""

import array
import json
import math
import os
import sys
import tempfile
import threading
import wave
from pathlib import Path

from telephony.legevents import Ended, Frame, Incoming, Key, MediaReady
from telephony.stack import Stack, StackSettings


def tone(path: Path, frequency_hz: float, seconds: float) -> str:
    samples = array.array(
        "h", (int(8000 * math.sin(math.tau * frequency_hz * n / 8000)) for n in range(int(8000 * seconds)))
    )
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return str(path)


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    files = [tone(folder / "a.wav", 440, 1.0), tone(folder / "b.wav", 880, 1.0)]
    done = threading.Event()
    sounds: dict[str, list[bytes]] = {"heard": [], "played": []}
    told: list[str] = []

    def emit(leg, event):
        match event:
            case Frame(_, heard8k, played8k):
                sounds["heard"].append(heard8k)
                sounds["played"].append(played8k)
                return
            case Incoming(called=called):
                after_s = float(called.partition("-after-")[2] or 0)  # late-after-0.5
                threading.Timer(after_s, lambda: stack.post(leg.answer)).start()
            case MediaReady():
                for token, file in enumerate(files):
                    stack.post(lambda token=token, file=file: leg.player.play(token, file))
            case Key("1"):
                stack.post(leg.player.pause)
            case Key("2"):
                stack.post(leg.player.resume)
            case Ended():
                done.set()
        told.append(repr(event))

    stack = Stack(StackSettings(codecs=tuple(sys.argv[1:]) or ("PCMA",)), emit)
    print(stack.start(), flush=True)
    done.wait(40)
    for name, frames in sounds.items():
        (folder / f"{name}.raw").write_bytes(b"".join(frames))
    print(json.dumps({"told": told, "folder": str(folder)}), flush=True)
    os._exit(0)


main()
