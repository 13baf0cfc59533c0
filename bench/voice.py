"""Measures how fast the hotline answers: voice to voice, key to prompt, barge-in. One call alone, then four at once.

All of it on the RTP wire, with prompts from the cache. `python -m bench.voice [--quick]`.
"""

import argparse
from collections.abc import Sequence
from itertools import cycle, islice, pairwise
from typing import Any

from bench import alaw, sounds
from bench.caller import Callers
from bench.hotline import Hotline
from bench.report import Report, percentile, rows_table
from bench.talk import Kind, Mark, Script, Turn

PHRASES = ("balance", "lost card", "opening hours", "agent", "my card was stolen")
BARGE_PHRASES = ("balance", "opening hours")
BARGE_INTO_S = (2.0, 2.5, 3.1)
SAMPLES_PER_MS = alaw.RATE_HZ // 1000
# line: the name of a flow in bench/flows; what is measured there
SAID, DIGITS, KEYS, BARGED = "phrases", "digits", "keys", "barge-in"
LINES = {SAID: "voice", DIGITS: "digits", KEYS: "voice", BARGED: "barge"}


def scripts(turns: int) -> dict[str, list[Turn]]:
    """What is said in each of the four conversations."""
    spoken = {text: alaw.encode(pcm) for text, pcm in sounds.spoken(list(PHRASES)).items()}
    strings = [(text, alaw.encode(pcm)) for text, pcm in sounds.digit_strings(turns)]
    return {
        SAID: [Turn(Kind.SAY, text, spoken[text]) for text in islice(cycle(PHRASES), turns)],
        DIGITS: [Turn(Kind.SAY, text, sound) for text, sound in strings],
        KEYS: [Turn(Kind.KEY, key, key=key) for key in islice(cycle("12345"), turns)],
        BARGED: [
            Turn(Kind.BARGE, text, spoken[text], into_s=into_s)
            for text, into_s in islice(zip(cycle(BARGE_PHRASES), cycle(BARGE_INTO_S), strict=False), turns)
        ],
    }


def latencies_ms(marks: Sequence[Mark]) -> list[float]:
    """What is measured of each turn: reply after the last speech packet or the first key packet; for a barge, how long
    the prompt went on after the first loud packet."""
    found = []
    for mark in marks:
        if mark.answered_early:
            continue
        if mark.kind is Kind.BARGE and mark.prompt_ended is not None:
            found.append((mark.prompt_ended - mark.began) * 1000)
        elif mark.kind is not Kind.BARGE and mark.reply is not None:
            found.append((mark.reply - (mark.began if mark.kind is Kind.KEY else mark.ended)) * 1000)
    return found


def measure(hotline: Hotline, conversations: dict[str, list[Turn]], together: bool) -> dict[str, list[Mark]]:
    """Holds the conversations, one after another or at once."""
    held: dict[str, list[Mark]] = {}
    with Callers(hotline.sip) as callers:
        for name, turns in conversations.items():
            script = Script(turns)
            held[name] = script.marks
            callers.call(LINES[name], script)
            if not together:
                callers.finish(15.0 * len(turns) + 30)
        callers.finish(15.0 * max(map(len, conversations.values())) + 30)
    return held


def note(report: Report, how: str, held: dict[str, list[Mark]]) -> None:
    """Puts one round's figures into the report."""
    voice = latencies_ms(held[SAID] + held[DIGITS])
    report.add(f"voice to voice, {how}: p50", percentile(voice, 50), "ms", 700)
    report.add(f"voice to voice, {how}: p95", percentile(voice, 95), "ms", 1200)
    report.add(f"key to prompt, {how}: p95", percentile(latencies_ms(held[KEYS]), 95), "ms", 150)
    barge = latencies_ms(held[BARGED])
    report.add(f"barge-in, {how}: p50", percentile(barge, 50), "ms", 250)
    report.add(f"barge-in, {how}: p95", percentile(barge, 95), "ms", 400)
    unanswered = sum(mark.reply is None for marks in held.values() for mark in marks)
    report.add(f"turns without a reply, {how}", unanswered, "", 0)
    rows = [_row(name, marks) for name, marks in held.items()]
    rows_table(how, rows)
    report.details[how] = rows
    report.details[f"{how}, each turn in ms"] = {n: [round(ms) for ms in latencies_ms(m)] for n, m in held.items()}


def _row(name: str, marks: Sequence[Mark]) -> dict[str, Any]:
    values = latencies_ms(marks)
    early = sum(mark.answered_early for mark in marks)
    percents = {f"p{percent} ms": round(percentile(values, percent) or 0) for percent in (5, 50, 95, 100)}
    return {"conversation": name, "turns": len(marks), **percents, "early": early}


def stages(hotline: Hotline) -> dict[str, dict[str, int]]:
    """Where the time went inside, by the hotline's own archive: median and p95 of each stage of speech turns, in ms."""
    turns = [turn for turn in hotline.events("turn") if not str(turn["text"]).startswith("key ")]
    order = ("speech_end", "endpoint", "final", "step", "prompt", "rtp")
    found = {}
    for before, after in pairwise(order):
        steps = [(turn[f"{after}_sample"] - turn[f"{before}_sample"]) / SAMPLES_PER_MS for turn in turns]
        found[f"{before} to {after}"] = {
            "p50 ms": round(percentile(steps, 50) or 0),
            "p95 ms": round(percentile(steps, 95) or 0),
        }
    return found


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(prog="bench.voice", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 turns of each instead of 40")
    options = parser.parse_args()
    report = Report("voice", quick=options.quick)
    turns = 10 if options.quick else 40
    with Hotline() as hotline:
        measure(hotline, scripts(2), together=True)  # warm
        conversations = scripts(turns)
        note(report, "four calls at once", measure(hotline, conversations, together=True))
        note(report, "one call", measure(hotline, conversations, together=False))
        report.details["inside, by the archive"] = inside = stages(hotline)
        rows_table("inside, by the archive", [{"stage": name, **values} for name, values in inside.items()])
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
