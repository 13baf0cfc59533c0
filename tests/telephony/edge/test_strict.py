"""The strict reader against every message of RFC 4475 and against noise."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.edge.message import Refusal, Request, Response, Silence, encode
from telephony.edge.strict import MAX_HEADERS, read

TORTURE = Path(__file__).parents[4] / "shared/data/rfc4475"
VALID = {
    # RFC 4475 §3.1.1, §3.2, §3.3: to be read; what is answered then is the core's affair
    "wsinv": "INVITE", "intmeth": "!interesting-Method0123456789_*+`.%indeed'~", "esc01": "INVITE",
    "escnull": "REGISTER", "esc02": "RE%47IST%45R", "lwsdisp": "OPTIONS", "longreq": "INVITE", "dblreq": "REGISTER",
    "semiuri": "OPTIONS", "transports": "OPTIONS", "mpart01": "MESSAGE", "badbranch": "OPTIONS", "bext01": "OPTIONS",
    "invut": "INVITE", "regaut01": "REGISTER", "zeromf": "OPTIONS", "cparam01": "REGISTER", "cparam02": "REGISTER",
    "regescrt": "REGISTER", "sdp01": "INVITE", "inv2543": "INVITE",
    "baddate": "INVITE",    # §3.1.2.12: should not be rejected where the date does not matter
    "unksm2": "REGISTER",   # §3.3.4: strange schemes in To, From, Contact; for a registrar to judge
}  # fmt: skip
VALID_RESPONSES = {"unreason": 200, "noreason": 100, "bcast": 200}
REFUSED = {
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "quotbal": 400, "ltgtruri": 400, "lwsruri": 400,
    "lwsstart": 400, "trws": 400, "escruri": 400, "regbadct": 400, "badaspec": 400, "baddn": 400, "badvers": 505,
    "mismatch01": 400, "mismatch02": 501, "insuf": 400, "unkscm": 416, "novelsc": 416, "multi01": 400, "mcl01": 400,
}  # fmt: skip
SILENT = ("bigcode", "scalarlg")


def message(name: str) -> bytes:
    return (TORTURE / f"{name}.dat").read_bytes()


def test_every_torture_message_has_its_outcome() -> None:
    known = {*VALID, *VALID_RESPONSES, *REFUSED, *SILENT}
    assert known == {path.stem for path in TORTURE.glob("*.dat")}


@pytest.mark.parametrize("name", VALID)
def test_valid_requests_are_read(name: str) -> None:
    read_as = read(message(name))
    assert isinstance(read_as, Request), read_as
    assert read_as.method == VALID[name]


@pytest.mark.parametrize("name", VALID_RESPONSES)
def test_valid_responses_are_read(name: str) -> None:
    read_as = read(message(name))
    assert isinstance(read_as, Response)
    assert read_as.status == VALID_RESPONSES[name]


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_requests_are_refused(name: str) -> None:
    read_as = read(message(name))
    assert isinstance(read_as, Refusal), read_as
    assert read_as.status == REFUSED[name]


@pytest.mark.parametrize("name", SILENT)
def test_invalid_responses_are_met_with_silence(name: str) -> None:
    assert isinstance(read(message(name)), Silence)


def test_white_space_folding_and_short_names_are_normalised() -> None:
    read_as = read(message("wsinv"))
    assert isinstance(read_as, Request)
    assert (read_as.cseq, read_as.max_forwards, read_as.to_tag, read_as.from_tag) == (9, 68, "1918181833n", "98asjd8")
    assert (read_as.via.host, read_as.via.branch) == ("192.0.2.2", "390skdjuw")
    assert len(read_as.all("Via")) == 3
    assert len(read_as.body) == 150


def test_what_follows_the_body_in_a_datagram_is_dropped() -> None:
    read_as = read(message("dblreq"))
    assert isinstance(read_as, Request)
    assert read_as.body == b""


def test_bytes_that_are_not_utf8_come_out_as_they_went_in() -> None:
    raw = PLAIN.replace(b"\r\n\r\n", b"\r\nX-Odd: \xff\xfe caf\xc3\xa9\r\n\r\n")
    read_as = read(raw)
    assert isinstance(read_as, Request)
    assert b"X-Odd: \xff\xfe caf\xc3\xa9\r\n" in encode("OPTIONS sip:a@b SIP/2.0", list(read_as.headers))


PLAIN = (
    b"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa\r\nFrom: <sip:b@c>;tag=1\r\n"
    b"To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"\r\n\r\n", b"\r\nX: a\nVia: SIP/2.0/UDP evil\r\n\r\n"), 400),  # a bare LF would smuggle a header
        ((b"\r\n\r\n", b"\r\nX: a\0b\r\n\r\n"), 400),
        ((b"\r\n\r\n", b"\r\n\r\nc=IN IP4 " + b"1" * 254), 400),  # aborts pjsip, one worker after the other
        ((b"\r\n\r\n", b"\r\n" + b"X: a\r\n" * MAX_HEADERS + b"\r\n"), 400),
        ((b"\r\n\r\n", b"\r\nX: " + b"a" * 17000 + b"\r\n\r\n"), 513),
        ((b"Call-ID: x", b"Call-ID: x y"), 400),
        ((b"CSeq: 1", b"CSeq: 2147483648"), 400),
        ((b"\r\n\r\n", b"\r\nMax-Forwards: -1\r\n\r\n"), 400),
        ((b"\r\n\r\n", b"\r\nMax-Forwards: \xc2\xb2\r\n\r\n"), 400),
        ((b"\r\n\r\n", b"\r\nRoute: <sip:a@b\r\n\r\n"), 400),
        ((b"127.0.0.1;branch", b"127.0.0.1:99999;branch"), 400),
        ((b"sip:a@127.0.0.1", b"sip:a@127.0.0.1:99999"), 400),
    ],
)
def test_further_broken_requests_are_refused(change: tuple[bytes, bytes], status: int) -> None:
    read_as = read(PLAIN.replace(*change, 1))
    assert isinstance(read_as, Refusal), read_as
    assert read_as.status == status


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n\r\n", b"\0" * 40, b"GET / HTTP/1.1\r\n\r\n", PLAIN.replace(b"Via", b"Vio")]
)
def test_what_cannot_be_answered_is_met_with_silence(raw: bytes) -> None:
    assert isinstance(read(raw), Silence)


def test_a_broken_ack_is_never_answered() -> None:
    assert isinstance(read(PLAIN.replace(b"OPTIONS", b"ACK").replace(b"Call-ID: x\r\n", b"")), Silence)


@given(st.binary(max_size=300))
def test_noise_never_raises(noise: bytes) -> None:
    read(noise)


@given(st.sampled_from(sorted({*VALID, *REFUSED, *SILENT, *VALID_RESPONSES})), st.data())
def test_damaged_torture_messages_never_raise(name: str, data: st.DataObject) -> None:
    raw = bytearray(message(name))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    read(bytes(raw))
