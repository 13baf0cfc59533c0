"""Waymarks are read by the door that sealed them, for the call they were sealed for, and by nobody else."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from telephony.edge.events import Hop
from telephony.edge.grammar import read_uri
from telephony.edge.waymark import Mark, Side, seal, unseal

SECRET = b"k" * 32
HOPS = st.builds(
    Hop,
    st.sampled_from(["UDP", "TCP", "TLS"]),
    st.ip_addresses(v=4).map(ipaddress.IPv4Address.__str__),
    st.integers(1, 65535),
)
MARKS = st.builds(Mark, HOPS, HOPS, st.sampled_from(Side), st.sampled_from(Side), st.integers(0, 9))


@given(MARKS, st.text(max_size=40))
def test_what_was_sealed_is_read(way: Mark, dialog: str) -> None:
    mark = seal(SECRET, dialog, way)
    assert unseal(SECRET, dialog, mark) == way
    assert read_uri(f"sip:{mark}@127.0.0.1:5060;lr").user == mark


@given(MARKS, st.integers(0, 35), st.sampled_from("Aa0-_"))
def test_a_changed_waymark_another_call_or_another_door_opens_nothing(way: Mark, place: int, letter: str) -> None:
    mark = seal(SECRET, "call", way)
    forged = mark[:place] + letter + mark[place + 1 :]
    assert forged == mark or unseal(SECRET, "call", forged) is None
    assert unseal(SECRET, "other call", mark) is None
    assert unseal(b"x" * 32, "call", mark) is None


@given(st.text(max_size=60))
def test_noise_opens_nothing(noise: str) -> None:
    assert unseal(SECRET, "call", noise) is None
