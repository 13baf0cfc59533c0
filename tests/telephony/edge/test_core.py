"""The core with a fake clock: new calls and their workers."""

import re

import pytest

from telephony.edge.events import WorkerGone
from telephony.edge.message import Request, Response
from tests.telephony.edge.corebench import (
    CALLER,
    Bench,
    answer,
    answered,
    inside,
    invite,
    worker_hop,
)


def test_a_call_from_invite_to_bye_leaves_nothing_behind() -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite())
    assert bench.take() == ["100 INVITE", "INVITE"]
    sent = bench.last[1]
    assert isinstance(sent, Request)
    assert sent.max_forwards == 69
    assert [re.sub("sip:.*?@", "", v) for v in sent.all("Record-Route")] == [
        "<127.0.0.1:5060;lr>", "<192.0.2.10:5060;lr>",
    ]  # fmt: skip
    assert sent.all("Via")[1].endswith(";rport=40000;received=198.51.100.7")
    bench.bytes(answer(sent, 100), worker_hop(1))
    bench.bytes(answer(sent, 180), worker_hop(1))
    bench.bytes(answer(sent, 200), worker_hop(1))
    assert bench.take(CALLER) == ["180 INVITE", "200 INVITE"]
    ok = bench.last[1]
    assert isinstance(ok, Response)
    assert len(ok.all("Via")) == 1
    bench.bytes(inside(ok, "ACK", 1))
    assert bench.take(worker_hop(1)) == ["ACK"]
    assert bench.last[0].all("Route") == []
    bench.bytes(inside(ok, "BYE"))
    assert bench.take(worker_hop(1)) == ["BYE"]
    bench.bytes(answer(bench.last[0], 200), worker_hop(1))
    assert bench.take(CALLER) == ["200 BYE"]
    bench.give(WorkerGone(1))
    bench.wait(40)
    assert bench.take() == []
    assert bench.small()


def test_the_worker_that_registered_first_is_next() -> None:
    bench = Bench()
    for pid in (3, 1, 2):
        bench.worker(pid)
    for name in "abc":
        bench.bytes(invite(name))
    requests = [to for to, message in bench.sent if isinstance(message, Request)]
    assert requests == [worker_hop(3), worker_hop(1), worker_hop(2)]


def test_a_worker_that_repeats_idle_while_it_has_a_call_gets_no_other() -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite("a"))
    bench.worker(1)
    bench.take()
    bench.bytes(invite("b"))
    assert bench.take() == ["100 INVITE"]


def test_a_silent_worker_is_asked_again_then_left_and_tidied_up_when_it_wakes() -> None:
    bench = Bench()
    bench.worker(1)
    bench.worker(2)
    bench.bytes(invite())
    bench.take(worker_hop(1))
    first = bench.last[0]
    bench.wait(0.3)
    assert bench.take() == ["INVITE"]
    bench.wait(0.3)
    assert bench.take(worker_hop(2)) == ["INVITE"]
    second = bench.last[0]
    bench.bytes(answer(first, 180), worker_hop(1))
    assert bench.take() == ["CANCEL"]
    bench.bytes(answer(first, 200, "late"), worker_hop(1))
    assert bench.take() == ["ACK", "BYE"]
    assert bench.last[1].to_tag == "late"
    assert "cause=487" in bench.last[1].get("Reason")
    bench.bytes(answer(second, 200), worker_hop(2))
    assert bench.take() == ["200 INVITE"]


@pytest.mark.parametrize("status", [486, 500, 503])
def test_a_refusing_worker_is_followed_by_the_next(status: int) -> None:
    bench = Bench()
    bench.worker(1)
    bench.worker(2)
    bench.bytes(invite())
    bench.take(worker_hop(1))
    refused = bench.last[0]
    bench.bytes(answer(refused, status), worker_hop(1))
    assert bench.take() == ["ACK", "INVITE"]
    bench.bytes(answer(refused, status), worker_hop(1))
    assert bench.take() == ["ACK"], "a repeated refusal is acknowledged and moves nothing"


@pytest.mark.parametrize("status", [302, 404, 415, 420, 488, 603])
def test_other_refusals_reach_the_caller_and_are_repeated_until_acknowledged(status: int) -> None:
    bench = Bench()
    bench.worker(1)
    bench.worker(2)
    bench.bytes(invite())
    bench.take(worker_hop(1))
    bench.bytes(answer(bench.last[0], status), worker_hop(1))
    assert bench.take() == ["ACK", f"{status} INVITE"]
    bench.wait(2)
    assert bench.take() == [f"{status} INVITE"] * 2
    bench.bytes(invite(method="ACK"))
    bench.wait(40)
    assert bench.take() == []
    assert bench.small()


def test_a_message_that_every_worker_refuses_does_not_use_them_all_up() -> None:
    bench = Bench()
    for pid in range(1, 6):
        bench.worker(pid)
    bench.bytes(invite())
    for _ in range(3):
        request = next(message for _, message in reversed(bench.sent) if isinstance(message, Request))
        bench.sent = []
        bench.bytes(answer(request, 500), worker_hop(1))
    assert bench.take(CALLER) == ["503 INVITE"]
    assert bench.last[0].get("Retry-After")
    assert bench.core.status()["idle"] == 2


def test_a_burst_waits_in_order_for_the_next_workers_and_no_longer_than_four_seconds() -> None:
    bench = Bench()
    for name in "abc":
        bench.bytes(invite(name))
    assert bench.take() == ["100 INVITE"] * 3
    bench.wait(1)
    bench.worker(1)
    assert bench.take() == ["INVITE"]
    assert bench.last[0].call_id == "a"
    bench.bytes(answer(bench.last[0], 200), worker_hop(1))
    bench.take()
    bench.wait(3.1)
    assert bench.take(CALLER) == ["503 INVITE"] * 2
    assert all(refusal.get("Retry-After") for refusal in bench.last)
    assert bench.core.status()["held"] == 0


def test_a_full_door_refuses_at_once_and_keeps_nothing() -> None:
    bench = Bench(max_calls=1)
    bench.worker(1)
    bench.worker(2)
    bench.bytes(invite("a"))
    bench.take()
    bench.bytes(invite("b"))
    assert bench.take() == ["503 INVITE"]
    assert bench.last[0].get("Retry-After") == "5"
    assert bench.core.status()["calls"] == 1


def test_a_call_whose_bye_never_came_by_is_forgotten_in_the_end() -> None:
    bench = Bench(max_calls=1)
    bench.worker(1)
    answered(bench)
    bench.worker(2)
    bench.wait(3500)
    bench.bytes(invite("b"))
    assert bench.take() == ["503 INVITE"]
    bench.wait(200)
    bench.bytes(invite("c"))
    assert bench.take() == ["100 INVITE", "INVITE"]


def test_calls_older_than_the_door_count_by_their_workers() -> None:
    bench = Bench(max_calls=1)
    bench.worker(1, idle=False)
    bench.worker(2)
    bench.bytes(invite())
    assert bench.take() == ["503 INVITE"]


def test_a_repeated_invite_gets_the_last_response_again() -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite())
    bench.take(worker_hop(1))
    bench.bytes(answer(bench.last[0], 183), worker_hop(1))
    bench.take()
    bench.bytes(invite())
    assert bench.take() == ["183 INVITE"]


def test_a_2xx_repeated_by_the_worker_passes_each_time() -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite())
    bench.take(worker_hop(1))
    request = bench.last[0]
    for _ in range(3):
        bench.bytes(answer(request, 200), worker_hop(1))
    assert bench.take() == ["200 INVITE"] * 3


def test_cancel_before_a_provisional_waits_for_it() -> None:
    bench = Bench()
    bench.worker(1)
    bench.bytes(invite())
    bench.take(worker_hop(1))
    request = bench.last[0]
    bench.bytes(invite(method="CANCEL"))
    assert bench.take() == ["200 CANCEL"]
    bench.bytes(answer(request, 100), worker_hop(1))
    assert bench.take() == ["CANCEL"]
    assert bench.last[0].via.branch == request.via.branch
    bench.bytes(answer(request, 487), worker_hop(1))
    assert bench.take() == ["ACK", "487 INVITE"]


def test_cancel_of_a_silent_or_missing_worker_is_answered_by_the_door() -> None:
    bench = Bench()
    bench.bytes(invite("held"))
    bench.take()
    bench.bytes(invite("held", method="CANCEL"))
    assert bench.take() == ["200 CANCEL", "487 INVITE"]
    bench.worker(1)
    bench.bytes(invite("silent"))
    bench.bytes(invite("silent", method="CANCEL"))
    bench.take()
    bench.wait(0.6)
    assert bench.take(CALLER) == ["487 INVITE"] * 2  # one of them repeats the first
    bench.bytes(invite("unknown", method="CANCEL"))
    assert bench.take() == ["481 CANCEL"]
