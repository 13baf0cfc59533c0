"""The core against the torture messages of RFC 4475 and against events in any order."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.edge.core import Core
from telephony.edge.events import Received, Send, WorkerGone, WorkerSaid
from telephony.edge.message import Request, Response
from telephony.edge.strict import read
from tests.telephony.edge.corebench import CALLER, DOOR_SAYS, PLACE, Bench, answer, inside, invite, worker_hop

TORTURE = Path(__file__).parents[4] / "shared/data/rfc4475"


@pytest.mark.parametrize("name", DOOR_SAYS)
def test_each_torture_message_has_its_answer(name: str) -> None:
    """100 stands for: a valid call, given to a worker."""
    core = Core(PLACE, b"s" * 32, 10, 3600)
    core.step(WorkerSaid(1, 1, worker_hop(1), idle=True), 0.0)
    raw = (TORTURE / f"{name}.dat").read_bytes()
    sends = [action for action in core.step(Received(read(raw), CALLER), 1.0) if isinstance(action, Send)]
    said = [int(action.data[8:11]) for action in sends if action.data.startswith(b"SIP/2.0 ")]
    assert said == ([DOOR_SAYS[name]] if DOOR_SAYS[name] else [])
    assert [a.to for a in sends if a.data.startswith(b"INVITE ")] == ([worker_hop(1)] if DOOR_SAYS[name] == 100 else [])


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([0.05, 0.3, 0.6, 4.5, 40.0])),
        st.tuples(st.just("worker"), st.integers(1, 3)),
        st.tuples(st.just("gone"), st.integers(1, 3)),
        st.tuples(st.just("call"), st.sampled_from("abc")),
        st.tuples(st.just("cancel"), st.sampled_from("abc")),
        st.tuples(st.just("ack"), st.sampled_from("abc")),
        st.tuples(st.just("answer"), st.sampled_from([100, 180, 183, 200, 302, 486, 487, 488, 500, 503, 603])),
        st.tuples(st.just("bye"), st.booleans()),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(MOVES)
def test_no_order_of_events_raises_or_leaves_anything_behind(moves: list) -> None:
    bench = Bench(max_calls=3)
    requests: list[Request] = []
    oks: list[Response] = []
    for kind, value in moves:
        match kind:
            case "wait":
                bench.wait(value)
            case "worker":
                bench.worker(value)
            case "gone":
                bench.give(WorkerGone(value))
            case "call" | "cancel" | "ack":
                bench.bytes(invite(value, method={"call": "INVITE"}.get(kind, kind.upper())))
            case "answer" if requests:
                bench.bytes(answer(requests[-1], value), worker_hop(1))
            case "bye" if oks:
                bench.bytes(inside(oks[-1], "BYE", 9, value), worker_hop(1) if value else CALLER)
        requests += [m for _, m in bench.sent if isinstance(m, Request) and m.method != "ACK"]
        oks += [m for _, m in bench.sent if isinstance(m, Response) and m.status == 200 and m.cseq_method == "INVITE"]
        bench.sent = []
    for pid in (1, 2, 3):
        bench.give(WorkerGone(pid))
    bench.wait(300)
    assert bench.small(), bench.core.status()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(DOOR_SAYS)), st.integers(0, 3500), st.binary(max_size=3)), max_size=4))
def test_damaged_messages_never_raise(pieces: list[tuple[str, int, bytes]]) -> None:
    core = Core(PLACE, b"s" * 32, 10, 3600)
    core.step(WorkerSaid(1, 1, worker_hop(1), idle=True), 0.0)
    for number, (name, offset, noise) in enumerate(pieces):
        raw = (TORTURE / f"{name}.dat").read_bytes()
        place = offset % len(raw)
        core.step(Received(read(raw[:place] + noise + raw[place + len(noise) :]), CALLER), float(number))
        core.step(Received(read(raw.replace(b"INVITE", b"ACK")), CALLER), float(number))
    core.step(WorkerGone(1), 9.0)
