"""Keys in a SIP INFO: every spelling of phones becomes one; what is no key never reaches a worker."""

import pytest

from telephony.edge.keyinfo import relay_body
from telephony.edge.message import Request
from tests.telephony.edge.corebench import Bench, answered, inside, worker_hop

RELAY = "application/dtmf-relay"


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", b"5"),
        (RELAY, b"Signal=5", b"5"),  # aborts pjsip
        (RELAY, b"Duration=160\nsignal = #", b"#"),
        (RELAY, b"Signal=11\r\n", b"#"),
        (RELAY + "; charset=utf-8", b"Signal=d\n", b"D"),
        ("application/DTMF", b"10", b"*"),
        ("application/dtmf", b" 7\r\n", b"7"),
    ],
)
def test_a_key_is_read_in_every_spelling(kind: str, body: bytes, key: bytes) -> None:
    assert relay_body(kind, body) == b"Signal=" + key + b"\r\nDuration=160\r\n"


@pytest.mark.parametrize(
    "body", [b"Signal", b"Signal=", b"Signal=%\r\n", b"Signal=1x", b"=" * 3000, b"\xff\x00", b"16"]
)
@pytest.mark.parametrize("kind", [RELAY, "application/dtmf"])
def test_what_is_no_key_is_none(kind: str, body: bytes) -> None:
    assert relay_body(kind, body) is None


@pytest.mark.parametrize(
    ("kind", "body", "sent"),
    [
        (RELAY, b"Signal=5", "INFO"),
        (RELAY, b"Signal==========", "400 INFO"),
        ("application/media_control+xml", b"<x/>", "415 INFO"),
        ("", b"", "200 INFO"),
    ],
)
def test_an_info_that_would_abort_the_worker_does_not_reach_it(kind: str, body: bytes, sent: str) -> None:
    bench = Bench()
    bench.worker(1)
    head = inside(answered(bench), "INFO").partition(b"Content-Length")[0].rstrip(b"\r\n")
    bench.bytes(
        b"%b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (head, kind.encode() or b"a/b", len(body), body)
    )
    if sent == "INFO":
        assert bench.take(worker_hop(1)) == [sent]
        passed = bench.last[0]
        assert isinstance(passed, Request)
        assert (passed.body, passed.all("Content-Type")) == (b"Signal=5\r\nDuration=160\r\n", [RELAY])
    else:
        assert bench.take() == [sent]
