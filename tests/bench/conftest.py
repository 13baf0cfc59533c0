import socket
import threading

import pytest

from bench import sip
from bench.alaw import encode
from bench.rtp import Sender
from telephony import audio

TONE = encode(audio.tone(440, 8000, 1000))
SILENCE = b"\xd5" * 160


class AnsweringMachine:
    """A far end with a record-routing proxy's headers: answers, speaks `prompt_packets` of tone, then again after each
    silence, key or speech of the caller's. `outcome` can be a status to refuse with."""

    def __init__(self, outcome: int, prompt_packets: int, lose: set[int]) -> None:
        self.requests: list[sip.Message] = []
        self.keys: list[tuple[int, bool, int]] = []
        self.heard: list[bytes] = []
        self._outcome, self._prompt, self._lose = outcome, prompt_packets, lose
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.bind(("127.0.0.1", 0))
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind(("127.0.0.1", 0))
        self._rtp.settimeout(0.02)
        self.address = self._line.getsockname()
        self._sound: threading.Thread | None = None
        self._ended = threading.Event()
        self._invite: sip.Message | None = None
        self._source: tuple[str, int] = ("", 0)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            data, source = self._line.recvfrom(4096)
            if data == b"stop":
                break
            message = sip.parse(data)
            self.requests.append(message)
            if message.method == "INVITE" and not message.status:
                self._on_invite(message, source)
            elif message.method in {"BYE", "CANCEL"} and not message.status:
                self._line.sendto(sip.answer(message, "200 OK"), source)
                self._ended.set()
                if message.method == "CANCEL":
                    self._respond("487 Request Terminated")
        self._ended.set()
        if self._sound is not None:
            self._sound.join()
        self._line.close()
        self._rtp.close()

    def _on_invite(self, message: sip.Message, source: tuple[str, int]) -> None:
        self._invite, self._source = message, source
        self._respond("100 Trying")
        if self._outcome == 200 and self._sound is None:
            host, port = self.address
            route = f"<sip:{host}:{port};lr;w=1>, <sip:{host}:{port};lr;w=2>"
            body = sip.offer("127.0.0.1", self._rtp.getsockname()[1], 96)
            headers = [("Record-Route", route), ("Contact", f"<sip:worker@{host}:{port}>")]
            self._respond("200 OK", headers, body)
            self._sound = threading.Thread(target=self._speak, args=(sip.answered_media(message.body)[0],))
            self._sound.start()
        elif self._outcome > 200:
            self._respond(f"{self._outcome} No")

    def _respond(self, status: str, headers=(), body: str = "") -> None:
        copied = [(n, v) for n, v in self._invite.headers if n in {"via", "from", "to", "call-id", "cseq"}]
        copied = [(n, v + ";tag=far" if n == "to" and not status.startswith("100") else v) for n, v in copied]
        self._line.sendto(sip.build(f"SIP/2.0 {status}", [*copied, *headers], body), self._source)

    def _speak(self, to: tuple[str, int]) -> None:
        """One packet for each that comes: the caller's clock is the clock."""
        sender, left, number, keyed = Sender(77), self._prompt, 0, False
        while not self._ended.is_set():
            try:
                data = self._rtp.recv(2048)
            except TimeoutError:
                continue
            self.heard.append(data)
            if data[1] & 0x7F == 96:
                if not keyed and not left:
                    left = self._prompt
                keyed = True
                self.keys.append((data[12], bool(data[13] & 0x80), int.from_bytes(data[14:16], "big")))
            else:
                keyed = False
            packet = sender.packet(TONE[:160] if left else SILENCE, 0)
            left = max(0, left - 1)
            if number not in self._lose:
                self._rtp.sendto(packet, to)
            number += 1

    def bye(self) -> None:
        """Ends the call from this side."""
        invite = self._invite
        headers = [
            ("Via", f"SIP/2.0/UDP {self.address[0]}:{self.address[1]};branch=z9hG4bKbye"),
            ("From", invite.get("to") + ";tag=far"),
            ("To", invite.get("from")),
            ("Call-ID", invite.get("call-id")),
            ("CSeq", "7 BYE"),
        ]
        self._line.sendto(sip.build(f"BYE {sip.uri_in(invite.get('contact'))} SIP/2.0", headers), self._source)

    def stop(self) -> None:
        self._ended.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as poke:
            poke.sendto(b"stop", self.address)
        self._thread.join(5)


@pytest.fixture
def machine():
    made = []

    def make(outcome: int = 200, prompt_packets: int = 10, lose=()) -> AnsweringMachine:
        made.append(AnsweringMachine(outcome, prompt_packets, set(lose)))
        return made[-1]

    yield make
    for one in made:
        one.stop()
