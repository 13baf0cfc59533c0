"""What the archive says of a call's RTP."""

from telephony.rtpcount import RtpCount


def test_the_streams_before_a_hold_count_too() -> None:
    before = RtpCount(100, 2, 0.5, 90, 1)
    assert before.plus(RtpCount(50, 1, 0.7, 40, 0)) == RtpCount(150, 3, 0.7, 130, 1)
    assert before.plus(RtpCount()) == before
    assert before.as_event() == {
        "rx_packets": 100, "rx_lost": 2, "rx_jitter_ms": 0.5, "tx_packets": 90, "tx_lost": 1,
    }  # fmt: skip
