"""Measures an agent's answer to two-way sound: 200 OK of the agent's phone to the caller's and the agent's first packet
with the other's voice in it.

`python -m bench.agent [--quick]`.
"""

import argparse
import asyncio
import subprocess
import sys
import time

import numpy as np
from numpy.typing import NDArray

from bench import alaw
from bench.agentphone import AgentPhone
from bench.call import Call
from bench.caller import Callers
from bench.hotline import ROOT, Hotline
from bench.report import Report, percentile
from bench.sip import Address
from bench.talk import Loop
from ivr.bus import Bus, BusError
from ivr.busaddress import read_address

CALLER_HZ, AGENT_HZ = 600, 1000
PASSWORD = "bench-password"
RINGS_S = 0.5
TALKS_S = 0.6
WITHIN_S = 30.0
_LOUD = 1000


class Listening(Call):
    """A caller who notes when the agent's tone was first heard."""

    heard_at = 0.0

    def _on_rtp(self, packet: bytes, source: Address, arrived_at: float) -> None:
        super()._on_rtp(packet, source, arrived_at)
        if not self.heard_at and has_tone(packet[12:], AGENT_HZ):
            self.heard_at = arrived_at


class OneCaller(Callers):
    """Places calls that listen for the agent."""

    def listen(self) -> Listening:
        """Calls the queue."""
        uri = f"sip:queue@{self._server[0]}:{self._server[1]}"
        call = Listening(self.loop, self._line, self._open_rtp, self._server, uri, Loop(tone(CALLER_HZ)), self._over)
        self.calls.append(call)
        self._live[call.call_id] = call
        call.invite()
        return call


def tone(hz: float) -> bytes:
    """A second of a tone in A-law."""
    wave = 8000 * np.sin(2 * np.pi * hz * np.arange(8000) / 8000)
    return alaw.encode(wave.round().astype(np.int16))


def has_tone(payload: bytes, hz: float) -> bool:
    """Whether a tone is the loudest thing in a packet of 20 ms."""
    sound: NDArray[np.int16] = alaw.decode(payload)
    if len(sound) != alaw.PACKET_SAMPLES or np.abs(sound).max() < _LOUD:
        return False
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return abs(int(np.argmax(spectrum)) * 50 - hz) <= 50


def add_agent(hotline: Hotline, name: str) -> None:
    """Makes an agent's account."""
    command = [sys.executable, "-m", "ivr", "agents", "--config", str(hotline.config_file), "add", name]
    subprocess.run([*command, "--queue", "bench"], input=PASSWORD, text=True, cwd=ROOT, check=True, capture_output=True)


async def _log_in(hotline: Hotline, name: str) -> None:
    async with Bus(lambda: read_address(hotline.data / "run/bus.json"), "bench") as bus:
        until = time.monotonic() + WITHIN_S
        while True:
            try:
                await bus.request("acd", {"command": "agent", "agent": name, "do": "login"})
            except BusError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.2)
            else:
                return


def measure(hotline: Hotline, count: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds from the agent's answer to sound at the caller and at the agent; from INVITE to the agent's ring."""
    add_agent(hotline, "bench")
    to_caller, to_agent, to_ring = [], [], []
    with OneCaller(hotline.sip) as callers:
        phone = AgentPhone(
            callers.loop, hotline.sip, "bench", PASSWORD, tone(AGENT_HZ), lambda packet: has_tone(packet, CALLER_HZ),
            RINGS_S,
        )  # fmt: skip
        callers.loop.run(lambda: phone.registered, WITHIN_S)
        asyncio.run(_log_in(hotline, "bench"))
        for number in range(count):
            call = callers.listen()
            if not _talk(callers, call, phone, number):
                break
            answer = phone.answers[-1]
            to_caller.append((call.heard_at - answer.answered) * 1000)
            to_agent.append((answer.heard - answer.answered) * 1000)
            to_ring.append((answer.rang - call.times.invited) * 1000)
        phone.close()
    return to_caller, to_agent, to_ring


def _talk(callers: OneCaller, call: Listening, phone: AgentPhone, number: int) -> bool:
    """One call from the queue to its end; False where the two did not hear each other."""
    if not callers.loop.run(lambda: call.heard_at > 0 and phone.answers[-1].heard > 0, WITHIN_S):
        return False
    callers.loop.run_for(TALKS_S)
    call.hang_up()
    callers.finish(5)
    return callers.loop.run(lambda: phone.over > number, 5)


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(prog="bench.agent", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 calls instead of 200")
    options = parser.parse_args()
    report = Report("agent", quick=options.quick)
    count = 20 if options.quick else 200
    with Hotline(engine="none", max_calls=20) as hotline:
        to_caller, to_agent, to_ring = measure(hotline, count)
        report.details = {"warnings in the log": hotline.warnings()}
    both = [max(pair) for pair in zip(to_caller, to_agent, strict=True)]
    report.add("agent answers to two-way audio: p50", percentile(both, 50), "ms")
    report.add("agent answers to two-way audio: p95", percentile(both, 95), "ms", 200)
    report.add("agent answers to two-way audio: longest", percentile(both, 100), "ms")
    report.add("agent answers to caller hears: p95", percentile(to_caller, 95), "ms")
    report.add("agent answers to agent hears: p95", percentile(to_agent, 95), "ms")
    report.add("INVITE to agent rings: p95", percentile(to_ring, 95), "ms")
    report.add("calls without an agent", count - len(both), "", 0)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
