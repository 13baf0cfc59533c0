"""What of the live calls is still to be saved."""

from ivr.livecalls import LiveCalls
from recordings.event import Event

A, B = "20261121-031500-00000a", "20261121-031500-00000b"


def note(seq: int) -> Event:
    return Event(seq, "note", None, 1.0)


def ended(seq: int) -> Event:
    return Event(seq, "call.ended", None, 2.0, None, {"termination": "completed", "by": "hotline"})


def test_events_come_in_any_order_and_twice() -> None:
    live = LiveCalls()
    live.take(A, [note(2), note(1), note(2)])
    [(call, numbers)] = live.unsaved()
    assert numbers == {1, 2}
    assert [row["seq"] for row in call.rows(numbers).events] == [1, 2]
    live.take(A, [note(3)])
    live.saved(call, numbers)
    [(call, numbers)] = live.unsaved()
    assert numbers == {3}
    assert [row["seq"] for row in call.rows(numbers).events] == [3]


def test_a_call_that_ended_is_forgotten_once_all_is_saved_and_its_late_events_are_ignored() -> None:
    live = LiveCalls()
    live.take(A, [note(1), ended(2)])
    [(call, numbers)] = live.unsaved()
    live.take(A, [note(3)])
    live.saved(call, numbers)
    assert len(live) == 1
    live.saved(call, frozenset({3}))
    assert len(live) == 0
    live.take(A, [note(1)])
    assert len(live) == 0


def test_a_batch_is_bounded() -> None:
    live = LiveCalls()
    live.take(A, [note(seq) for seq in range(1, 11)])
    live.take(B, [note(1)])
    assert [call.call_id for call, _ in live.unsaved(most_events=5)] == [A]
    assert len(live.unsaved(most_events=11)) == 2


def test_what_the_manifest_told_goes_into_the_rows() -> None:
    live = LiveCalls()
    live.take(A, [note(1)], {"caller": "1001", "created": 0.5})
    [(call, numbers)] = live.unsaved()
    row = call.rows(numbers).call
    assert (row["caller"], row["started"], row["archived"]) == ("1001", 0.5, False)
