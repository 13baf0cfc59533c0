"""SIP messages cut out of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.edge.framing import PING, Framer
from telephony.edge.strict import MAX_MESSAGE_BYTES

ONE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nhello"
TWO = b"INFO sip:a SIP/2.0\r\nl : 0\r\n\r\n"


@given(st.lists(st.sampled_from([ONE, TWO, PING]), max_size=6), st.data())
def test_messages_come_out_whole_however_the_bytes_arrive(messages: list[bytes], data: st.DataObject) -> None:
    stream, framer, found = b"".join(messages), Framer(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += framer.feed(stream[:size])
        stream = stream[size:]
    assert found == messages
    assert not framer.broken
    assert not framer.partial


def test_a_beginning_is_partial_a_line_end_is_not() -> None:
    framer = Framer()
    assert framer.feed(b"\r\n") == []
    assert not framer.partial
    assert framer.feed(ONE[:30]) == []
    assert framer.partial


@pytest.mark.parametrize(
    "raw",
    [
        b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 9999999\r\n\r\n",
        b"x" * (MAX_MESSAGE_BYTES + 1),
    ],
)
def test_a_stream_that_lost_its_beat_is_broken(raw: bytes) -> None:
    framer = Framer()
    assert len(framer.feed(raw + ONE)) == 1
    assert framer.broken
    assert framer.feed(ONE) == []
