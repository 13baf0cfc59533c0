"""Holds many short calls, several at once, some hung up at awkward moments; then looks for what they left behind.

`python -m bench.soak [--calls N] [--quick]`.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench import processes, sounds
from bench.call import Call
from bench.caller import Callers
from bench.hotline import Hotline
from bench.report import Report, rows_table
from bench.talk import Loop

AT_ONCE = 10
PARTS = 4
FIRST_CALLS = 50
WARM_CALLS = 1000  # control's arenas have held their largest batch after about as many; growth until then is told too
STAY_S = (2.0, 0.1, 2.0, 1.0, 3.0, 0.02, 2.0)
CANCEL_AFTER_S = (0.002, 0.008, 0.016)
IDLE_WORKERS = 4
SETTLE_S = 90.0  # a transaction of SIP lives up to 32 s, and the archive has a queue
WATCHED = ("zygote", "control", "door")
WATCHED_MB_A_1000 = 1.0


@dataclass(frozen=True, slots=True)
class State:
    """What the hotline holds while nobody calls."""

    pss_mb: dict[str, float]
    files: dict[str, int]
    processes: int
    slots: int
    door: dict[str, int]
    open_bundles: int


@dataclass(frozen=True, slots=True)
class Held:
    """A call and the final statuses that it may have."""

    call: Call
    statuses: frozenset[int]


def hold(callers: Callers, count: int, sound: bytes) -> list[Held]:
    """So many calls in a row: most hang up after a while, some cancel, some dial a number that is not there."""
    held: list[Held] = []

    def done() -> bool:
        while callers.live < AT_ONCE and len(held) < count:
            held.append(_place(callers, len(held), sound))
        return len(held) == count and not callers.live

    callers.loop.run(done, 60 + 5.0 * count / AT_ONCE)
    return held


def _place(callers: Callers, number: int, sound: bytes) -> Held:
    talker = Loop(sound, offset_s=number * 1.3, for_s=STAY_S[number % len(STAY_S)])
    if number % 20 == 7:
        return Held(callers.call("nobody", talker), frozenset({404}))
    call = callers.call("load", talker)
    if number % 10 != 3:
        return Held(call, frozenset({200}))
    callers.loop.after(CANCEL_AFTER_S[number // 10 % len(CANCEL_AFTER_S)], call.hang_up)
    return Held(call, frozenset({200, 487}))


def settled(hotline: Hotline) -> State:
    """Waits until the last calls are forgotten, then looks; what is still there after the wait is a leak."""
    until = time.monotonic() + SETTLE_S
    while True:
        state = _look(hotline)
        quiet = not state.open_bundles and not any(state.door.values()) and state.slots == IDLE_WORKERS
        if (quiet and not _unsealed(hotline)) or time.monotonic() > until:
            return state
        time.sleep(1)


def _look(hotline: Hotline) -> State:
    family = hotline.family()
    door = hotline.door()
    return State(
        {part: sum(sizes) for part, sizes in processes.pss_mb(family).items()},
        processes.open_files(family),
        len(family),
        hotline.slots_taken(),
        {name: int(door[name]) for name in ("calls", "dialogs", "transactions", "held")},
        hotline.open_bundles(),
    )


def _unsealed(hotline: Hotline) -> int:
    folder = hotline.data / "recordings" / "closed"
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def note(report: Report, before: State, after: State, calls: int) -> None:
    """Puts what grew into the report."""
    for part in WATCHED:
        growth = (after.pss_mb.get(part, 0) - before.pss_mb.get(part, 0)) / calls * 1000
        report.add(f"{part}: memory growth a 1,000 calls (PSS)", growth, "MB", WATCHED_MB_A_1000)
    report.add("processes more than before", after.processes - before.processes, "", 0)
    report.add("open files more than before", sum(after.files.values()) - sum(before.files.values()), "", 0)
    report.add("slots more than idle workers", after.slots - IDLE_WORKERS, "", 0)
    for name, count in after.door.items():
        report.add(f"door: {name} left", count, "", 0)
    report.add("call bundles left open", after.open_bundles, "", 0)
    rows = [
        {"part": part, "PSS MB before": before.pss_mb[part], "after": after.pss_mb.get(part, 0.0),
         "files before": before.files[part], "files after": after.files.get(part, 0)}
        for part in before.pss_mb
    ]  # fmt: skip
    rows_table(f"before and after {calls} calls", rows)
    report.details["before and after"] = rows


def trend(states: Sequence[State]) -> dict[str, list[float]]:
    """The memory of each part from rest to rest: growth that goes on is a leak, growth that ends is none."""
    found = {part: [round(state.pss_mb.get(part, 0), 1) for state in states] for part in states[0].pss_mb}
    rows_table("memory (PSS) in MB after each quarter", [{"part": part, "": sizes} for part, sizes in found.items()])
    return found


def account(report: Report, held: Sequence[Held], hotline: Hotline) -> None:
    """Whether each call went as it should, and is in the archive."""
    outcomes = Counter(str(one.call.status) for one in held)
    strange = sum(one.call.status not in one.statuses for one in held)
    answered = {one.call.call_id for one in held if one.call.times.answered}
    archived = {event["sip_call_id"] for event in hotline.events("call.started")}
    ended = sum(1 for _ in hotline.events("call.ended"))
    report.add("calls", len(held), "")
    report.add("calls that were not answered, refused or cancelled as they should", strange, "", 0)
    report.add("answered calls that the archive does not have", len(answered - archived), "", 0)
    report.add("archived calls without an end", len(archived) - ended, "", 0)
    report.details["final status of the calls"] = dict(outcomes)
    report.details["warnings in the log"] = hotline.warnings()


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="how many (2000)")
    parser.add_argument("--quick", action="store_true", help="200 calls")
    options = parser.parse_args()
    count = 200 if options.quick else options.calls
    report = Report("soak", quick=options.quick)
    sound = sounds.speaking_share()
    with Hotline(max_calls=2 * AT_ONCE, idle_workers=IDLE_WORKERS) as hotline:
        with Callers(hotline.sip) as warm:
            hold(warm, FIRST_CALLS, sound)
            cold = settled(hotline)
            hold(warm, count // 2 if options.quick else WARM_CALLS, sound)
        states = [settled(hotline)]
        held: list[Held] = []
        for _ in range(PARTS):
            with Callers(hotline.sip) as callers:
                held += hold(callers, count // PARTS, sound)
            states.append(settled(hotline))
        for part in WATCHED:
            growth = states[0].pss_mb.get(part, 0) - cold.pss_mb.get(part, 0)
            report.add(f"{part}: memory growth while warming up, {WARM_CALLS} calls (PSS)", growth, "MB")
        note(report, states[0], states[-1], len(held))
        report.details["memory (PSS) in MB after each quarter"] = trend(states)
        account(report, held, hotline)
        report.details["log"] = hotline.log().splitlines()[-20:]
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
