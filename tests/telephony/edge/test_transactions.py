"""The state tables, every pair of them."""

import itertools

import pytest

from telephony.edge.events import Hop
from telephony.edge.message import Request
from telephony.edge.strict import read
from telephony.edge.transactions import Client, Server, Signal, State

RAW = (
    b"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa\r\nFrom: <sip:b@c>;tag=1\r\n"
    b"To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n"
)
HOP = Hop("UDP", "127.0.0.1", 5060)


def things() -> list[Server | Client]:
    request = read(RAW)
    assert isinstance(request, Request)
    made: list[Server | Client] = [Server(1, invite, ("k",), request, HOP) for invite in (True, False)]
    return made + [Client(1, invite, "b", "X", "sip:x", (), b"", HOP, None, 1) for invite in (True, False)]


@pytest.mark.parametrize("thing", things(), ids=["invite server", "other server", "invite client", "other client"])
def test_every_pair_moves_as_the_table_says_or_not_at_all(thing: Server | Client) -> None:
    table = thing.table()
    for state, signal in itertools.product(State, Signal):
        thing.state = state
        moved = thing.move(signal)
        assert moved == ((state, signal) in table)
        assert thing.state is table.get((state, signal), state)


@pytest.mark.parametrize("thing", things(), ids=["invite server", "other server", "invite client", "other client"])
def test_every_state_leads_to_the_end(thing: Server | Client) -> None:
    table = thing.table()
    live = {state for state, _ in table} | set(table.values()) - {State.GONE}
    ending = {State.GONE}
    while more := {s for (s, _), following in table.items() if following in ending} - ending:
        ending |= more
    assert live <= ending
