"""Reading bundles: events, transcript, waterfall, summary, lists."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recordings import waterfall
from recordings.bundle import Bundle
from recordings.errors import CallNotFoundError
from recordings.event import Event, parse_lines
from recordings.read import State, call_ids, find, read
from recordings.seal import seal
from recordings.summary import summarise
from recordings.termination import Termination
from recordings.transcript import clock, lines_of, text_of

Make = Callable[..., Bundle]
Converse = Callable[[Bundle], None]


def test_events_survive_the_way_to_disk_and_back(make_bundle: Make) -> None:
    bundle = make_bundle()
    written = bundle.event("key", 12, "caller", {"key": "5"})
    [event] = read(bundle.folder, bundle.call_id).events
    assert event == Event(1, "key", 12, written["wall"], "caller", {"key": "5"})
    assert event.to_json() == written


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"seq": 0}, "seq"), ({"seq": 2**40}, "seq"),
        ({"sample": 10**30}, "sample"), ({"seq": True}, "seq"), ({"kind": ""}, "kind"), ({"sample": "1"}, "sample"),
        ({"wall": None}, "wall"), ({"leg": 3}, "leg"), ({"data": []}, "data"),
    ],
)  # fmt: skip
def test_events_that_are_none_are_refused(change: dict, wrong: str) -> None:
    good = {"seq": 1, "kind": "note", "sample": None, "wall": 1.0, "leg": None, "data": {}}
    assert Event.from_json(good).seq == 1
    with pytest.raises(ValueError, match=wrong):
        Event.from_json({**good, **change})


def test_torn_lines_are_told_from_events() -> None:
    line = b'{"seq":1,"kind":"note","sample":null,"wall":1.5,"leg":null,"data":{}}'
    events, torn = parse_lines(line + b"\nnonsense\n" + line[:20])
    assert [event.wall for event in events] == [1.5]
    assert torn == [b"nonsense", line[:20]]


def test_the_transcript_says_who_what_when(make_bundle: Make, converse: Converse) -> None:
    bundle = make_bundle()
    converse(bundle)
    lines = lines_of(read(bundle.folder, bundle.call_id).events)
    assert text_of(lines) == (
        "00:00.0  hotline  Welcome. 欢迎 —\n"
        "00:01.0  caller   balance\n"
        "00:01.9  hotline  Your number?\n"
        "00:02.6  caller   [keys 1*]\n"
    )
    assert lines[1].confidence == 0.93
    assert lines[0].to_json() == {
        "who": "hotline", "kind": "prompt", "start_s": 0.01, "end_s": 1.01, "text": "Welcome. 欢迎", "step": "greet",
        "cut": "barge_in",
    }  # fmt: skip


def test_clock() -> None:
    assert clock(0) == "00:00.0"
    assert clock(59.96) == "01:00.0"
    assert clock(3725.5) == "62:05.5"


def test_the_waterfall_counts_from_the_end_of_speech(make_bundle: Make, converse: Converse) -> None:
    bundle = make_bundle()
    converse(bundle)
    [turn] = waterfall.turns_of(read(bundle.folder, bundle.call_id).events)
    assert turn.stages_ms == {"endpoint": 400.0, "final": 425.0, "step": 425.5, "prompt": 500.0, "rtp": 520.0}
    assert turn.total_ms == 520.0
    assert waterfall.median_ms([]) is None


def test_a_turn_without_an_answer_has_no_total() -> None:
    event = Event(1, "turn", 0, 0.0, None, {"speech_end_sample": 0, "endpoint_sample": 80, "rtp_sample": None})
    turn = waterfall.turn_of(event)
    assert turn is not None
    assert turn.stages_ms == {"endpoint": 10.0}
    assert turn.total_ms is None
    assert waterfall.median_ms([turn]) is None


def test_a_summary_while_the_call_is_up_and_after(make_bundle: Make, converse: Converse) -> None:
    bundle = make_bundle()
    converse(bundle)
    record = read(bundle.folder, bundle.call_id)
    up = summarise(record.call_id, record.about, record.events)
    assert (up.ended, up.termination, up.caller, up.codec, up.turns) == (None, "", "1001", "PCMA", 1)
    bundle.close(Termination.COMPLETED, "hotline")
    record = read(bundle.folder, bundle.call_id)
    over = summarise(record.call_id, record.about, record.events)
    assert (over.termination, over.ended_by, over.length_s) == ("completed", "hotline", 3.0)
    assert (over.latency_median_ms, over.latency_max_ms) == (520.0, 520.0)
    assert over.started == 1795230000.0


def test_calls_are_found_in_every_state_and_listed_newest_first(tmp_path: Path) -> None:
    ids = ["20261121-031500-00000a", "20261121-031500-00000b", "20261120-235959-ffffff", "20251231-000000-000000"]
    bundles = [Bundle.create(tmp_path, call_id, {}) for call_id in ids]
    for bundle in bundles[1:]:
        bundle.close(Termination.COMPLETED, "hotline")
    seal(tmp_path, ids[2])
    seal(tmp_path, ids[3])
    assert [find(tmp_path, call_id)[0] for call_id in ids] == [State.OPEN, State.CLOSED, State.SEALED, State.SEALED]
    assert list(call_ids(tmp_path)) == [ids[1], ids[0], ids[2], ids[3]]
    for missing in ("20261121-031500-00000c", "../../etc/passwd", ""):
        with pytest.raises(CallNotFoundError):
            find(tmp_path, missing)


def test_a_call_under_way_is_read_without_its_torn_tail(make_bundle: Make) -> None:
    bundle = make_bundle()
    bundle.event("note", 1, None, {})
    with (bundle.path / "events.jsonl").open("ab") as file:
        file.write(json.dumps({"seq": 2}).encode())
    (bundle.path / "manifest.json").write_text("")
    record = read(bundle.folder, bundle.call_id)
    assert [event.seq for event in record.events] == [1]
    assert record.about == {}


def test_absurd_numbers_in_the_data_are_passed_over() -> None:
    said = {"text": "one", "start_sample": 10**400, "confidence": "sure"}
    [line] = lines_of([Event(1, "utterance", 800, 1.0, "caller", said)])
    assert (line.start_s, line.confidence) == (0.1, None)
    assert waterfall.turn_of(Event(1, "turn", 0, 1.0, None, {"speech_end_sample": 10**400})) is None
    assert parse_lines(b"[" * 100_000 + b"\n")[0] == []
