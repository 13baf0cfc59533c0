"""Topics and envelopes."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr import messages
from ivr.messages import Envelope, MessageError, decode, parse_call_event

CALL = "20261121-031500-7f3a9c"
EVENT = {"seq": 3, "kind": "key", "sample": 8, "wall": 1.5, "leg": "caller", "data": {"key": "1"}}


def test_an_envelope_survives_the_way() -> None:
    envelope = Envelope("a1", 1795230000.5, {"text": "你好"}, "hotline/reply/x", "b2", 1795230005.0)
    assert decode(envelope.encode()) == envelope
    assert set(json.loads(Envelope("a", 1.0).encode())) == {"v", "id", "ts", "data"}


def test_an_empty_payload_is_a_process_that_is_gone() -> None:
    assert decode(b"").data == {"state": "gone"}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"v": 2}, "v"), ({"id": 1}, "id"), ({"ts": "now"}, "ts"), ({"ts": True}, "ts"), ({"data": []}, "data"),
        ({"reply_to": 0}, "reply_to"), ({"corr": None}, "corr"), ({"expires_at": "x"}, "expires_at"),
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_refused_by_field(change: dict, wrong: str) -> None:
    good = {"v": 1, "id": "a", "ts": 1, "data": {}, "reply_to": "", "corr": ""}
    decode(json.dumps(good).encode())
    with pytest.raises(MessageError, match=f"^{wrong}:"):
        decode(json.dumps({**good, **change}).encode())


def test_absurdly_deep_payloads_are_refused() -> None:
    with pytest.raises(MessageError):
        decode(b"[" * 200_000)


def test_oversized_payloads_are_refused() -> None:
    with pytest.raises(MessageError, match="bytes"):
        decode(b" " * (messages.MAX_BYTES + 1))


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(payload: bytes) -> None:
    with suppress(MessageError):
        decode(payload)


def test_call_events_know_their_call() -> None:
    call_id, event = parse_call_event(messages.call_event_topic(CALL), EVENT)
    assert call_id == CALL
    assert event.to_json() == EVENT
    for topic in ("hotline/call/../event", "hotline/call", f"hotline/call/{CALL}/x/event"):
        with pytest.raises(MessageError):
            parse_call_event(topic, EVENT)
    with pytest.raises(MessageError, match="seq"):
        parse_call_event(messages.call_event_topic(CALL), {**EVENT, "seq": None})
