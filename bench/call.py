"""One call of a caller's: a SIP dialog over UDP (RFC 3261), RTP both ways on a 20 ms clock, and when it happened."""

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bench import sip
from bench.alaw import is_loud
from bench.loop import Loop, Timer
from bench.rtp import KEY_EVENTS, Reception, Sender
from bench.sip import Address, Message
from bench.talk import Talker

T1_S = 0.5
T2_S = 4.0
GIVE_UP_S = 32.0
PACKET_S = 0.02


class Stage(StrEnum):
    """Where a call is."""

    CALLING = "calling"
    UP = "up"
    ENDING = "ending"
    OVER = "over"


@dataclass(slots=True)
class Times:
    """When it happened, in Unix seconds; 0 where it did not. `trying`: the first response of any kind."""

    invited: float = 0.0
    trying: float = 0.0
    answered: float = 0.0
    ended: float = 0.0


class Call:
    """A call to `uri` by way of `server`; `stage`, `times`, `status`, `reception` and the talker tell how it went."""

    def __init__(
        self, loop: Loop, line: socket.socket, rtp: Callable[[Callable[..., None]], socket.socket],
        server: Address, uri: str, talker: Talker, on_over: "Callable[[Call], None]",
    ) -> None:  # fmt: skip
        self.call_id = secrets.token_hex(12)
        self.stage = Stage.CALLING
        self.status = 0
        self.ended_by_far_end = False
        self.times = Times()
        self.reception = Reception()
        self.talker = talker
        self.sent = 0
        self._loop, self._line, self._server, self._uri, self._on_over = loop, line, server, uri, on_over
        self._rtp = rtp(self._on_rtp)
        self._sender = Sender(secrets.randbits(31))
        self._local = line.getsockname()
        self._tag = secrets.token_hex(6)
        self._branch = _branch()
        self._cseq = 1
        self._to = f"<{uri}>"
        self._target, self._next_hop = uri, server
        self._routes: list[str] = []
        self._cancelled = False
        self._repeat: Timer | None = None
        self._clock: Timer | None = None
        self._remote: tuple[Address, int] = (("", 0), 0)

    @property
    def failed(self) -> bool:
        """True where it was refused, never answered, or ended by the hotline."""
        return self.status != 200 or self.ended_by_far_end

    # What the caller does.

    def invite(self) -> None:
        """Calls."""
        address, port = self._rtp.getsockname()
        body = sip.offer(address, port, KEY_EVENTS)
        self.times.invited = time.time()
        self._request_repeatedly(self._request("INVITE", body), limit_s=GIVE_UP_S)

    def hang_up(self) -> None:
        """BYE where the call is up, CANCEL where it is not yet (once a response came: RFC 3261 section 9.1)."""
        if self.stage is Stage.UP:
            self._stop_media()
            self.stage = Stage.ENDING
            self._cseq += 1
            self._branch = _branch()
            self._request_repeatedly(self._request("BYE"), limit_s=GIVE_UP_S)
        elif self.stage is Stage.CALLING:
            self._cancelled = True
            if self.times.trying:
                self._send(self._request("CANCEL"), self._server)

    # What comes back.

    def on_message(self, message: Message, source: Address, arrived_at: float) -> None:
        """A SIP message of this call."""
        if not message.status:
            self._on_request(message, source, arrived_at)
        elif message.method == "INVITE":
            self._on_invite_response(message, arrived_at)
        elif message.method == "BYE" and self.stage is Stage.ENDING and message.status >= 200:
            self._over(arrived_at)

    def _on_invite_response(self, message: Message, arrived_at: float) -> None:
        if not self.times.trying:
            self.times.trying = arrived_at
            if self._cancelled:
                self._send(self._request("CANCEL"), self._server)
        if message.status < 200:
            self._stop_repeating()
        elif message.status < 300:
            if not self.times.answered:
                self._answered(message, arrived_at)
            self._send(self._request("ACK"), self._next_hop)
            if self._cancelled and self.stage is Stage.UP:
                self.hang_up()
        else:
            self._to = message.get("to")
            self._send(self._request("ACK"), self._server)
            self.status = self.status or message.status
            self._over(arrived_at)

    def _answered(self, message: Message, arrived_at: float) -> None:
        self._stop_repeating()
        self.times.answered = arrived_at
        self.status = message.status
        self._to = message.get("to")
        self._target = sip.uri_in(message.get("contact"))
        self._routes = message.all("record-route")[::-1]
        self._next_hop = sip.hop_of(sip.uri_in(self._routes[0]) if self._routes else self._target)
        self._branch = _branch()
        self.stage = Stage.UP
        self._remote = sip.answered_media(message.body)
        self._tick_at(time.monotonic())

    def _on_request(self, message: Message, source: Address, arrived_at: float) -> None:
        is_bye = message.method == "BYE"
        self._send(sip.answer(message, "200 OK" if is_bye else "405 Method Not Allowed"), source)
        if is_bye and self.stage is not Stage.OVER:
            self.ended_by_far_end = True
            self._over(arrived_at)

    # Sending.

    def _request(self, method: str, body: str = "") -> bytes:
        in_dialog = bool(self.times.answered)
        cseq = 1 if method in {"INVITE", "ACK", "CANCEL"} else self._cseq
        address, port = self._local
        headers = [
            ("Via", f"SIP/2.0/UDP {address}:{port};rport;branch={self._branch}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:caller@{address}:{port}>;tag={self._tag}"),
            ("To", self._to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
        ]
        headers += [("Route", route) for route in self._routes]
        if method == "INVITE":
            headers += [("Contact", f"<sip:caller@{address}:{port}>"), ("Content-Type", "application/sdp")]
        return sip.build(f"{method} {self._target if in_dialog else self._uri} SIP/2.0", headers, body)

    def _request_repeatedly(self, data: bytes, limit_s: float) -> None:
        """Timers A, B, E and F of RFC 3261 section 17.1."""
        until = time.monotonic() + limit_s

        def again(wait_s: float) -> None:
            if time.monotonic() > until:
                self.status = self.status if self.times.answered else 408
                self._over(time.time())
                return
            self._send(data, self._next_hop)
            self._repeat = self._loop.after(wait_s, lambda: again(min(2 * wait_s, T2_S)))

        again(T1_S)

    def _send(self, data: bytes, to: Address) -> None:
        self._line.sendto(data, to)

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    def _over(self, at: float) -> None:
        if self.stage is Stage.OVER:
            return
        self._stop_repeating()
        self._stop_media()
        self.stage = Stage.OVER
        self.times.ended = at
        self._loop.close(self._rtp)
        self._on_over(self)

    # Sound.

    def _tick_at(self, when: float) -> None:
        def tick() -> None:
            self._send_packet()
            if self._clock is not None:
                self._tick_at(when + PACKET_S)

        self._clock = self._loop.at(when, tick)

    def _send_packet(self) -> None:
        packet = self.talker.next(time.time())
        address, key_type = self._remote
        self._rtp.sendto(self._sender.packet(packet, key_type), address)
        self.sent += 1
        if self.talker.done:
            self.hang_up()

    def _stop_media(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _on_rtp(self, packet: bytes, _source: Address, arrived_at: float) -> None:
        payload = self.reception.take(packet, arrived_at)
        if payload is not None:
            self.talker.heard(is_loud(payload), arrived_at)


def _branch() -> str:
    return f"z9hG4bK{secrets.token_hex(8)}"
