"""Measures the time from starting `ivr serve` to its ready line, and its memory at rest.

`python -m bench.startup [--quick]`.
"""

import argparse
import statistics

from bench import processes
from bench.hotline import Hotline
from bench.report import Report, rows_table


def main() -> int:
    """Measures and reports; the first start only warms the disk cache."""
    parser = argparse.ArgumentParser(prog="bench.startup", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 starts instead of 5")
    options = parser.parse_args()
    report = Report("startup", quick=options.quick)
    times: list[float] = []
    with Hotline(rest_port=18_080) as hotline:
        hotline.stop()
        for _ in range(2 if options.quick else 5):
            hotline.start()
            times.append(hotline.ready_s)
            memory = processes.pss_mb(hotline.family())
            hotline.stop()
    report.add("start to ready: median", statistics.median(times), "s", 5)
    report.add("start to ready: longest", max(times), "s", 5)
    report.add("memory at rest, all processes (PSS)", sum(map(sum, memory.values())), "MB")
    rows = [{"part": part, "processes": len(sizes), "PSS MB": round(sum(sizes), 1)} for part, sizes in memory.items()]
    rows_table("memory at rest", rows)
    report.details = {"each start in s": [round(time, 2) for time in times], "memory at rest": rows}
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
