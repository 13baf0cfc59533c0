"""`ivr why`: a decision as people read it."""

import re

from ivr.whycli import lines_of


def candidate(agent: str, score: float | None, rung: bool, why: str) -> dict[str, object]:
    return {"agent": agent, "score": score, "rung": rung, "why": why}


def test_everybody_who_was_weighed_is_named_with_the_reason_in_words_and_no_bare_numbers() -> None:
    candidates = [
        candidate("anna", 1795230000.585, True, "idle for 71 s"),
        candidate("bertram", 1795230060.1, False, "idle for 11 s"),
        candidate("cora", None, False, "paused: lunch"),
    ]
    rang = [
        {"agent": "anna", "outcome": "declined", "made": 100.0, "ended": 104.1, "ringing": 100.2},
        {"agent": "bertram", "outcome": "", "made": 100.0, "ended": None, "ringing": None},
    ]
    decision = {"at": 1795230071.0, "why": "rings anna", "candidates": candidates, "rang": rang}
    waits = {"at": 0.0, "why": "nobody is free", "candidates": candidates[2:]}
    first, blank, why, *rest = lines_of({"call_id": "20261121-081503-5c01aa", "decisions": [decision], "waits": waits})
    assert (first, blank) == ("call 20261121-081503-5c01aa", "")
    assert re.fullmatch(r"\d\d:\d\d:\d\d  rings anna", why)
    assert rest == [
        "  anna     rung   idle for 71 s",
        "  bertram  could  idle for 11 s",
        "  cora     not    paused: lunch",
        "  -> anna: declined after 4.1 s",
        "  -> bertram: was told to ring",
        "",
        "now       nobody is free",
        "  cora  not    paused: lunch",
    ]
