"""Measures how fast calls are set up at half load: INVITE to 100 Trying and to 200 OK.

`python -m bench.setup [--quick]`.
"""

import argparse

from bench import sounds
from bench.call import Call, Stage
from bench.caller import Callers
from bench.hotline import Hotline
from bench.report import Report, percentile
from bench.talk import Loop

CAPACITY = 60  # calls with recognition that a machine of two cores must carry
RATE_HZ = 4.0  # new calls a second
RAMP_S = 2.0


def measure(hotline: Hotline, up: int, seconds: float) -> list[Call]:
    """Calls arrive steadily, each stays until `up` more have come; returns those that came while so many were up."""
    stay_s = up / RATE_HZ
    sound = sounds.speaking_share()
    with Callers(hotline.sip) as callers:
        for number in range(int((stay_s + RAMP_S + seconds) * RATE_HZ)):
            call = callers.call("load", Loop(sound, offset_s=number * 1.7), after_s=number / RATE_HZ)
            callers.loop.after(number / RATE_HZ + stay_s, call.hang_up)
        callers.loop.run_for(stay_s + RAMP_S + seconds)
        callers.hang_up_all()
        return callers.calls[int((stay_s + RAMP_S) * RATE_HZ) :]


def note(report: Report, calls: list[Call]) -> None:
    """Puts the figures into the report."""
    answered = [call for call in calls if call.times.answered]
    trying = [(call.times.trying - call.times.invited) * 1000 for call in calls if call.times.trying]
    ok = [(call.times.answered - call.times.invited) * 1000 for call in answered]
    sound = [(call.reception.first_at - call.times.answered) * 1000 for call in answered if call.reception.received]
    report.add("INVITE to 100 Trying: p95", percentile(trying, 95), "ms", 20)
    report.add("INVITE to 100 Trying: longest", percentile(trying, 100), "ms")
    report.add("INVITE to 200 OK: p50", percentile(ok, 50), "ms")
    report.add("INVITE to 200 OK: p95", percentile(ok, 95), "ms", 100)
    report.add("INVITE to 200 OK: longest", percentile(ok, 100), "ms")
    report.add("200 OK to first RTP packet: p95", percentile(sound, 95), "ms")
    report.add("calls not answered", len(calls) - len(answered), "", 0)
    report.add("calls measured", len(calls), "")


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(prog="bench.setup", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 s instead of 60 s")
    parser.add_argument("--up", type=int, default=CAPACITY // 2, help=f"calls that are up meanwhile ({CAPACITY // 2})")
    options = parser.parse_args()
    report = Report("setup", quick=options.quick)
    with Hotline(max_calls=2 * options.up) as hotline:
        calls = measure(hotline, options.up, 10 if options.quick else 60)
        report.details = {
            "calls up": options.up,
            "new calls a second": RATE_HZ,
            "warnings in the log": hotline.warnings(),
        }
    note(report, [call for call in calls if call.stage is Stage.OVER])
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
