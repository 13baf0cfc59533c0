"""Callers in the test's own process, which say any sound, spoil their packets as told, and keep what they hear."""

import socket
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bench import talk
from bench.call import Call, Stage
from bench.caller import Callers
from bench.rtp import KeyEvent, key_events
from tests.net import sound
from tests.net.sound import Sound

Spoil = Callable[[int, bytes], Iterable[bytes]]


class Says:
    """A talker that sends prepared packets one after another, then a quiet line; `hangs_up` when they are over."""

    def __init__(self, content: Iterable[bytes | KeyEvent], *, hangs_up: bool = False) -> None:
        self._content = list(content)
        self._next = 0
        self._quiet = talk.Loop(talk.quiet_line())
        self._hangs_up = hangs_up

    @property
    def said(self) -> bool:
        return self._next >= len(self._content)

    @property
    def done(self) -> bool:
        return self._hangs_up and self.said

    def next(self, now: float) -> bytes | KeyEvent:
        if self.said:
            return self._quiet.next(now)
        self._next += 1
        return self._content[self._next - 1]

    def heard(self, loud: bool, arrived_at: float) -> None:
        pass

    def add(self, content: Iterable[bytes | KeyEvent]) -> None:
        """Says this next."""
        self._content += content


def packets(said: Sound) -> list[bytes]:
    """A sound in packets of 20 ms."""
    whole = sound.as_alaw(np.concatenate([said, sound.silence(0.02)]))
    return [whole[place : place + 160] for place in range(0, len(whole) - 159, 160)]


def quiet(seconds: float) -> list[bytes]:
    """A quiet line."""
    return packets(sound.noise(seconds, 0.0004))


def keys(pressed: str, gap_s: float = 0.1) -> list[bytes | KeyEvent]:
    """Keys as RTP events, each with a gap before it."""
    return [packet for key in pressed for packet in [*quiet(gap_s), *key_events(key)]]


class Phone(Call):
    """A call of `Phones`. `spoil(number, packet)` gives what is really sent for each RTP packet."""

    spoil: Spoil = staticmethod(lambda _number, packet: [packet])

    def __init__(self, *arguments, **named) -> None:
        super().__init__(*arguments, **named)
        self._payloads: list[tuple[int, bytes]] = []

    @property
    def up(self) -> bool:
        return self.stage is Stage.UP

    @property
    def over(self) -> bool:
        return self.stage is Stage.OVER

    @property
    def rtp_socket(self) -> socket.socket:
        return self._rtp

    @property
    def far_rtp(self) -> tuple[str, int]:
        """Where the hotline takes this call's RTP."""
        return self._remote[0]

    @property
    def latest(self) -> bytes:
        """The packet that came last."""
        return self._payloads[-1][1] if self._payloads else b""

    def heard(self) -> Sound:
        """All that was heard, in the order of the sender's clock; what was lost is left out."""
        return sound.from_alaw(b"".join(payload for _, payload in sorted(self._payloads)))

    def _send_packet(self) -> None:
        packet = self.talker.next(time.time())
        address, key_type = self._remote
        for data in self.spoil(self.sent, self._sender.packet(packet, key_type)):
            self._rtp.sendto(data, address)
        self.sent += 1
        if self.talker.done:
            self.hang_up()

    def _on_rtp(self, packet: bytes, source: tuple[str, int], arrived_at: float) -> None:
        super()._on_rtp(packet, source, arrived_at)
        if len(packet) > 12 and packet[1] & 0x7F == 8:
            self._payloads.append((int.from_bytes(packet[4:8], "big"), packet[12:]))


class Echo(Says):
    """A talker that says what its phone heard last."""

    def __init__(self, phone: Phone) -> None:
        super().__init__([])
        self._phone = phone

    def next(self, now: float) -> bytes | KeyEvent:
        return self._phone.latest or super().next(now)


class Phones(Callers):
    """Many phones on one loop in the test's thread: it runs while the test waits with `until` or `finish`."""

    def call(self, called: str, talker: talk.Talker, after_s: float = 0.0) -> Phone:
        """Calls a line of the hotline."""
        host, port = self._server
        uri = f"sip:{called}@{host}:{port}"
        call = Phone(self.loop, self._line, self._open_rtp, self._server, uri, talker, self._over)
        self.calls.append(call)
        self._live[call.call_id] = call
        self.loop.after(after_s, call.invite)
        return call

    def until(self, look: Callable[[], object], within_s: float = 20):
        """Serves until `look`, asked ten times a second, gives something true."""
        found: list[object] = []

        def ask() -> None:
            if answer := look():
                found.append(answer)
                self.loop.after(0, lambda: None)  # the loop asks whether it is done before it waits for a timer
            else:
                self.loop.after(0.1, ask)

        ask()
        assert self.loop.run(lambda: bool(found), within_s), f"not within {within_s} s: {look}"
        return found[0]

    def all_up(self, phones: Sequence[Phone], within_s: float = 20) -> None:
        """Serves until these calls are up."""
        self.until(lambda: all(phone.up for phone in phones), within_s)

    def at_end(self, phones: Sequence[Phone], within_s: float = 40) -> None:
        """Serves until these calls are over."""
        self.until(lambda: all(phone.over for phone in phones), within_s)
