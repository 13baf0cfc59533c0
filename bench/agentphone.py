"""An agent's phone: registers by digest (RFC 7616), answers each call after a while, speaks a tone, notes the times."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import sip
from bench.loop import Loop, Timer
from bench.rtp import KEY_EVENTS, Sender
from bench.sip import Address, Message

PACKET_S = 0.02
REGISTER_AGAIN_S = 20.0


@dataclass(slots=True)
class Answer:
    """One call: when it rang, when 200 OK left, when the first packet with the caller's tone came (Unix seconds)."""

    rang: float
    answered: float = 0.0
    heard: float = 0.0


class AgentPhone:
    """`hears(payload)` says whether a packet has the caller's sound in it; `said` is sent again and again."""

    def __init__(
        self, loop: Loop, server: Address, user: str, password: str, said: bytes, hears: Callable[[bytes], bool],
        rings_s: float,
    ) -> None:  # fmt: skip
        self.registered = False
        self.answers: list[Answer] = []
        self.over = 0
        self._loop, self._server, self._user, self._password = loop, server, user, password
        self._said, self._hears, self._rings_s = said, hears, rings_s
        self._line = loop.open(("127.0.0.1", 0), self._on_datagram)
        self._rtp = loop.open(("127.0.0.1", 0), self._on_rtp)
        self._sender = Sender(secrets.randbits(31))
        self._cseq = 0
        self._call_id = ""
        self._place = 0
        self._clock: Timer | None = None
        self._remote: Address = ("", 0)
        self._register()

    # Registration.

    def _register(self, credentials: str = "") -> None:
        self._cseq += 1
        host, port = self._line.getsockname()
        server = f"{self._server[0]}:{self._server[1]}"
        headers = [
            ("Via", f"SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{secrets.token_hex(8)}"),
            ("Max-Forwards", "70"), ("From", f"<sip:{self._user}@{server}>;tag={secrets.token_hex(4)}"),
            ("To", f"<sip:{self._user}@{server}>"), ("Call-ID", f"register-{self._user}"),
            ("CSeq", f"{self._cseq} REGISTER"), ("Contact", f"<sip:{self._user}@{host}:{port}>"), ("Expires", "60"),
        ]  # fmt: skip
        if credentials:
            headers.append(("Authorization", credentials))
        self._line.sendto(sip.build(f"REGISTER sip:{server} SIP/2.0", headers), self._server)

    def _credentials(self, challenge: str) -> str:
        found = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
        hashed = hashlib.sha256 if found["algorithm"] == "SHA-256" else hashlib.md5

        def digest(text: str) -> str:
            return hashed(text.encode()).hexdigest()

        uri, cnonce = f"sip:{self._server[0]}:{self._server[1]}", secrets.token_hex(8)
        ha1, ha2 = digest(f"{self._user}:{found['realm']}:{self._password}"), digest(f"REGISTER:{uri}")
        response = digest(f"{ha1}:{found['nonce']}:00000001:{cnonce}:auth:{ha2}")
        return (
            f'Digest username="{self._user}", realm="{found["realm"]}", nonce="{found["nonce"]}", uri="{uri}", '
            f'algorithm={found["algorithm"]}, qop=auth, nc=00000001, cnonce="{cnonce}", response="{response}"'
        )

    # Calls.

    def _on_datagram(self, data: bytes, source: Address, arrived_at: float) -> None:
        try:
            message = sip.parse(data)
        except ValueError:
            return
        if message.status == 401 and message.method == "REGISTER":
            self._register(self._credentials(message.get("www-authenticate")))
        elif message.status == 200 and message.method == "REGISTER":
            self.registered = True
            self._loop.after(REGISTER_AGAIN_S, self._register)
        elif not message.status:
            self._on_request(message, source, arrived_at)

    def _on_request(self, message: Message, source: Address, arrived_at: float) -> None:
        if message.method == "INVITE" and message.get("call-id") != self._call_id:
            self._call_id = message.get("call-id")
            self._send(message, "180 Ringing", source)
            self._remote, _ = sip.answered_media(message.body)
            self.answers.append(Answer(arrived_at))
            self._loop.after(self._rings_s, lambda: self._answer(message, source))
        elif message.method in {"BYE", "CANCEL"}:
            self._send(message, "200 OK", source)
            self.over += 1
            if self._clock is not None:
                self._clock.cancel()
                self._clock = None

    def _answer(self, invite: Message, source: Address) -> None:
        host, port = self._rtp.getsockname()
        body = sip.offer(host, port, KEY_EVENTS)
        self._send(invite, "200 OK", source, body)
        self.answers[-1].answered = time.time()
        self._tick_at(time.monotonic())

    def _send(self, request: Message, status: str, to: Address, body: str = "") -> None:
        host, port = self._line.getsockname()
        copied = [(n, v) for n, v in request.headers if n in {"via", "from", "call-id", "cseq", "record-route"}]
        headers = [*copied, ("To", request.get("to") + ("" if ";tag=" in request.get("to") else ";tag=agent"))]
        headers += [("Contact", f"<sip:{self._user}@{host}:{port}>"), ("Content-Type", "application/sdp")]
        self._line.sendto(sip.build(f"SIP/2.0 {status}", headers, body), to)

    # Sound.

    def _tick_at(self, when: float) -> None:
        def tick() -> None:
            piece = self._said[self._place : self._place + 160]
            self._place = (self._place + 160) % len(self._said)
            self._rtp.sendto(self._sender.packet(piece, KEY_EVENTS), self._remote)
            if self._clock is not None:
                self._tick_at(when + PACKET_S)

        self._clock = self._loop.at(when, tick)

    def _on_rtp(self, packet: bytes, _source: Address, arrived_at: float) -> None:
        answer = self.answers[-1] if self.answers else None
        if answer is not None and answer.answered and not answer.heard and self._hears(packet[12:]):
            answer.heard = arrived_at

    def close(self) -> None:
        """The phone is put away."""
        for line in (self._line, self._rtp):
            self._loop.close(line)
