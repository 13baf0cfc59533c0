"""Supervisors of a talk: who hears whom in each mode, by token only, and on record; and the audio tap."""

import json
import socket
import struct
import threading
from collections.abc import Callable

import numpy as np
import pytest

from tests.people.conftest import Host, Party, tones_in
from tests.people.test_talk import Talk, talk

__all__ = ["talk"]
pytestmark = [pytest.mark.net, pytest.mark.timeout(120)]
HEADER = struct.Struct("!BBHI")


def token(host: Host, command: str, mode: str) -> dict:
    seen = len(host.lines)
    host.tell(command={"command": command, "who": "boss", "agent": "anna", "mode": mode})
    return host.until(after=seen, command=command)["answer"]


def test_each_mode_lets_those_hear_who_shall_and_keys_change_it(talk: Talk, party: Callable[..., Party]) -> None:
    host, caller, anna = talk
    boss = party("boss")
    granted = token(host, "supervise", "listen")
    boss.tell(do="dial", uri=f"sip:supervise@{granted['sip']}", headers={"X-Hotline-Token": granted["token"]})
    boss.hears("caller", "anna")
    assert caller.listen(0.5) is not None
    assert caller.now_hears() == {"anna"}
    assert anna.now_hears() == {"caller"}
    host.asked("audit", who="boss", what="listen", agent="anna")
    boss.tell(do="keys", keys="2")
    anna.hears("caller", "boss")
    caller.listen(0.5)
    assert caller.now_hears() == {"anna"}
    boss.tell(do="keys", keys="3")
    caller.hears("anna", "boss")
    anna.hears("caller", "boss")
    boss.hears("caller", "anna")
    boss.tell(do="keys", keys="1")
    anna.hears("caller")
    caller.hears("anna")
    boss.tell(do="hang_up")
    host.asked("audit", who="boss", what="left")


def test_without_a_token_and_with_a_used_one_nobody_comes_in(talk: Talk, party: Callable[..., Party]) -> None:
    host, caller, anna = talk
    boss = party("boss")
    granted = token(host, "supervise", "intrude")
    address, headers = f"sip:supervise@{granted['sip']}", {"X-Hotline-Token": granted["token"]}
    boss.tell(do="dial", uri=address, headers={"X-Hotline-Token": "wrong"})
    assert boss.until(event="ended")["status"] == 486
    boss.lines.clear()
    boss.tell(do="dial", uri=address, headers=headers)
    caller.hears("anna", "boss")
    boss.tell(do="hang_up")
    boss.until(event="ended")
    boss.lines.clear()
    boss.tell(do="dial", uri=address, headers=headers)
    assert boss.until(event="ended")["status"] == 486
    caller.hears("anna")
    anna.hears("caller")
    host.tell(command={"command": "supervise", "who": "boss", "mode": "shout"})
    assert host.until(refused="supervise.bad")


class Console:
    """A console's end of an audio tap."""

    def __init__(self, path: str, token: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.socket.sendall(json.dumps({"token": token}).encode() + b"\n")
        self.file = self.socket.makefile("rb")
        line = self.file.readline()
        self.about = json.loads(line) if line else None

    def sounds(self, frames: int) -> dict[str, np.ndarray]:
        """The next frames of each party."""
        names = {number: name for name, number in self.about["parties"].items()}
        heard: dict[str, list[bytes]] = {name: [] for name in names.values()}
        samples: dict[str, list[int]] = {name: [] for name in names.values()}
        while len(heard["mix"]) < frames:
            kind, number, length, sample = HEADER.unpack(self.file.read(HEADER.size))
            assert (kind, length) == (1, 320)
            heard[names[number]].append(self.file.read(length))
            samples[names[number]].append(sample)
        for places in samples.values():
            assert all(step == 160 for step in np.diff(places)), "no frame is missing"
        return {name: np.frombuffer(b"".join(parts), "<i2") / 32768 for name, parts in heard.items()}

    def mode(self, mode: str) -> None:
        self.socket.sendall(HEADER.pack(3, 0, len(mode), 0) + mode.encode())

    def speak(self, stop: threading.Event) -> None:
        """Says the boss's tone until told to stop, 20 ms at a time."""
        wave = (4000 * np.sin(2 * np.pi * 1300 * np.arange(8000) / 8000)).astype("<i2").tobytes()
        place = 0
        while not stop.wait(0.02):
            self.socket.sendall(HEADER.pack(2, 0, 320, 0) + wave[place : place + 320])
            place = (place + 320) % len(wave)

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def test_a_console_hears_the_mix_and_each_leg_and_speaks_as_its_mode_says(talk: Talk) -> None:
    host, caller, anna = talk
    granted = token(host, "tap", "listen")
    console = Console(granted["socket"], granted["token"])
    assert console.about["mode"] == "listen"
    sounds = console.sounds(50)
    assert tones_in(sounds["mix"]) == {"caller", "anna"}
    assert tones_in(sounds["caller"]) == {"caller"}
    assert tones_in(sounds["agent"]) == {"anna"}
    assert tones_in(sounds["hotline"]) == {"anna"}
    anna.tell(do="keys", keys="*1")
    caller.hears("music")
    console.sounds(15)
    assert tones_in(console.sounds(25)["mix"]) == {"anna"}, "on hold the supervisor hears the agent alone"
    anna.tell(do="keys", keys="*1")
    caller.hears("anna")
    stop = threading.Event()
    speaking = threading.Thread(target=console.speak, args=(stop,))
    speaking.start()
    console.mode("whisper")
    anna.hears("caller", "boss")
    assert caller.now_hears() == {"anna"}
    console.mode("intrude")
    caller.hears("anna", "boss")
    anna.hears("caller", "boss")
    console.mode("listen")
    caller.hears("anna")
    stop.set()
    speaking.join()
    host.asked("audit", who="boss", what="whisper")
    again = Console(granted["socket"], granted["token"])
    assert again.about is None, "a token opens once"
    again.close()
    console.close()
    host.asked("audit", who="boss", what="left")
