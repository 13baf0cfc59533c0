import numpy as np
import pytest

from bench.rtp import Reception, Sender, jitter_ms, key_events

AUDIO = bytes(160)


def stream(count: int, sender: Sender | None = None) -> list[bytes]:
    sender = sender or Sender(5)
    return [sender.packet(AUDIO, 101) for _ in range(count)]


def received(packets, arrivals=None) -> Reception:
    reception = Reception()
    for number, packet in enumerate(packets):
        reception.take(packet, arrivals[number] if arrivals else 100 + number * 0.02)
    return reception


def test_a_clean_stream_has_no_loss_and_no_jitter():
    figures = received(stream(100)).figures()
    assert (figures.received, figures.lost, figures.unsent, figures.doubled, figures.reordered) == (100, 0, 0, 0, 0)
    assert figures.jitter_ms == pytest.approx(0, abs=1e-3)
    assert figures.gap_p50_ms == pytest.approx(20, abs=1e-3)


def test_counts_what_was_lost_doubled_and_out_of_order_across_the_wrap():
    packets = stream(40, Sender(65520))
    del packets[30]
    packets[10], packets[11] = packets[11], packets[10]
    packets.insert(20, packets[19])
    figures = received(packets).figures()
    assert (figures.lost, figures.doubled, figures.reordered) == (1, 1, 1)


def test_a_pause_of_the_sender_is_unsent_not_lost():
    sender = Sender(9)
    first = stream(10, sender)
    later = Sender(9)
    stream(13, later)  # the clock went on for three packets
    rest = [packet[:2] + (9 + 10 + n).to_bytes(2, "big") + packet[4:] for n, packet in enumerate(stream(10, later))]
    figures = received(first + rest).figures()
    assert (figures.lost, figures.unsent) == (0, 3)


def test_a_window_leaves_out_the_rest():
    figures = received(stream(100)).figures(since=100.5, until=101.0)
    assert figures.received == 25


def test_late_packets_are_counted():
    arrivals = [100 + n * 0.02 for n in range(10)] + [100.3]
    figures = received(stream(11), arrivals).figures()
    assert figures.late == 1
    assert figures.gap_max_ms == pytest.approx(120, abs=0.1)


def test_jitter_follows_rfc_3550():
    arrivals = np.array([0.0, 0.020, 0.056])
    timestamps = np.array([0, 160, 320])
    assert jitter_ms(arrivals, timestamps) == pytest.approx(1.0)  # |D| = 0, 16 ms; J = 16 / 16


def test_a_key_is_eight_packets_with_one_time_and_three_ends():
    events = key_events("#")
    assert [event.duration for event in events] == [160, 320, 480, 640, 800, 960, 960, 960]
    assert [event.end for event in events] == [False] * 5 + [True] * 3
    sender = Sender(1)
    sent = [sender.packet(event, 101) for event in events]
    assert {packet[4:8] for packet in sent} == {sent[0][4:8]}
    assert [packet[1] for packet in sent] == [0x80 | 101] + [101] * 7
    assert sent[0][12:14] == bytes([11, 10])
    assert sent[7][13] == 0x8A


def test_what_is_not_audio_is_left_out():
    reception = Reception()
    assert reception.take(b"\x80\xc8" + bytes(26), 1.0) is None  # an RTCP sender report
    assert reception.take(b"\x80", 1.0) is None
    assert reception.received == 0
