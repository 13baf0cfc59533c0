"""From events to rows."""

import math

from ivr.store.rows import rows_of
from recordings.event import Event

CALL = "20261121-031500-7f3a9c"


def test_rows_of_a_call() -> None:
    events = [
        Event(1, "call.started", None, 10.0, None, {"caller": "1001", "called": "hotline", "flow": "bank-en"}),
        Event(2, "utterance", 800, 11.0, "caller", {"text": "one", "confidence": 0.9, "start_sample": 400}),
        Event(3, "call.ended", 8000, 12.0, None, {"termination": "completed", "by": "hotline"}),
    ]
    rows = rows_of(
        CALL, {"created": 9.5, "legs": {"caller": {"rate_hz": 8000, "samples": 8000}}}, events, archived=True
    )
    assert rows.call["started"] == 9.5
    assert rows.call["termination"] == "completed"
    assert rows.call["length_s"] == 1.0
    assert rows.legs == [{"call_id": CALL, "name": "caller", "rate_hz": 8000, "samples": 8000, "lost_samples": 0}]
    assert [(row["seq"], row["text"], row["start_s"]) for row in rows.utterances] == [(2, "one", 0.05)]
    assert [row["seq"] for row in rows.events] == [1, 2, 3]


def test_only_what_new_events_change() -> None:
    events = [
        Event(1, "prompt.started", 0, 1.0, "hotline", {"prompt": 1, "text": "Hello"}),
        Event(2, "utterance", 8, 1.0, "caller", {"text": "one"}),
        Event(3, "prompt.ended", 800, 1.0, "hotline", {"prompt": 1, "reason": "finished"}),
    ]
    rows = rows_of(CALL, {}, events, archived=False, only={3})
    assert [row["seq"] for row in rows.events] == [3]
    assert [(row["seq"], row["end_s"]) for row in rows.utterances] == [(1, 0.1)]


def test_what_postgresql_refuses_is_made_harmless() -> None:
    data = {"text": "a\0b\ud800", "confidence": math.nan, "words": [{"start_s": math.inf}]}
    [row] = rows_of(CALL, {"caller": "\0"}, [Event(1, "utterance", 1, 1.0, None, data)], archived=False).events
    assert row["data"] == {"text": "a\ufffdb?", "confidence": None, "words": [{"start_s": None}]}


def test_absurdly_deep_data_is_cut() -> None:
    deep: dict = {}
    for _ in range(500):
        deep = {"x": deep}
    [row] = rows_of(
        CALL, {"legs": {"caller": {"samples": "many"}}}, [Event(1, "note", 1, 1.0, None, deep)], False
    ).events
    assert len(str(row["data"])) < 200
