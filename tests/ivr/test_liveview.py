"""The live view prints a conversation as it happens."""

import io
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from ivr.liveview import LiveView
from ivr.messages import Envelope, call_event_topic
from recordings.event import Event

CALL, OTHER = "20261121-031500-00000a", "20261121-031500-00000b"


def lines_of_view(events: list[tuple[str, Event]], only: str = "") -> list[str]:
    file = io.StringIO()
    view = LiveView(Console(file=file, width=100, markup=False), only)
    for call_id, event in events:
        view.show(call_id, event)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def numbered(*items: tuple[str, int | None, dict[str, Any]]) -> list[tuple[str, Event]]:
    return [(CALL, Event(seq, kind, sample, 1.0, "caller", data)) for seq, (kind, sample, data) in enumerate(items, 1)]


EVENTS = numbered(
    ("call.started", None, {"caller": "1001", "called": "hotline"}),
    ("step.entered", 0, {"step": "greet", "type": "menu"}),
    ("prompt.started", 80, {"prompt": 1, "step": "greet", "text": "Welcome. 欢迎"}),
    ("prompt.ended", 8000, {"prompt": 1, "reason": "barge_in", "played_ms": 990}),
    ("utterance", 14400, {"text": "balance", "confidence": 0.93, "start_sample": 7600, "end_sample": 11000}),
    ("turn", 15160, {"speech_end_sample": 11000, "endpoint_sample": 14200, "rtp_sample": 15160}),
    ("key", 16000, {"key": "*", "method": "rfc4733"}),
    ("flow.event", 40000, {"event": "noinput", "step": "verify", "count": 1}),
    ("call.ended", 48000, {"termination": "caller_hangup", "by": "caller"}),
)


def test_who_what_step_and_delay_as_it_happens() -> None:
    assert lines_of_view(EVENTS) == [
        "00:00.0  call                       1001 → hotline",
        "00:00.0  hotline  greet             Welcome. 欢迎",
        "                                    └ the caller cut the prompt off after 1.0 s",
        "00:01.0  caller   greet             balance  (93%)",
        "                                    └ answered after 520 ms: end-point 400 → RTP 520",
        "00:02.0  caller   greet             [keys *]",
        "00:05.0           verify            · noinput",
        "00:06.0  call                       ended: caller_hangup, by caller",
    ]


def test_on_a_terminal_long_lines_go_on_below_their_beginning() -> None:
    file = io.StringIO()
    view = LiveView(Console(file=file, width=64, markup=False, force_terminal=True, color_system=None))
    text = "For your balance, say balance or press 1. 查询余额请按1，银行卡挂失请按2。"
    for call_id, event in numbered(("prompt.started", 80, {"prompt": 1, "step": "greet", "text": text})):
        view.show(call_id, event)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines[0] == "00:00.0  hotline  greet             For your balance, say"
    assert {line[:36].strip() for line in lines[1:]} == {""}
    assert "".join(line[36:] for line in lines).replace(" ", "") == text.replace(" ", "")
    assert max(cell_len(line) for line in lines) <= 64


def test_what_comes_again_is_left_out() -> None:
    assert lines_of_view([*EVENTS, *EVENTS]) == lines_of_view(EVENTS)


def test_only_one_call() -> None:
    others = [(OTHER, event) for _, event in EVENTS]
    assert lines_of_view([*others, *EVENTS], only=CALL) == lines_of_view(EVENTS)


def test_from_the_bus_and_nonsense_is_ignored() -> None:
    file = io.StringIO()
    view = LiveView(Console(file=file, width=100))
    view.heard(call_event_topic(CALL), Envelope("a", 1.0, EVENTS[0][1].to_json()))
    view.heard(call_event_topic(CALL), Envelope("a", 1.0, {"kind": 7}))
    assert file.getvalue().count("\n") == 1
