"""The recogniser's thread: order, bounds, cancelling, failure."""

import queue

import pytest

from asr.fake import FakeRecogniser, Script, says
from asr.recogniser import NOTHING, Expected
from asr.recogniser_thread import BACKLOG_BYTES, Failure, FinalResult, PartialResult, RecogniserThread

EXPECTED = Expected("en", phrases=("yes", "no"))
SECOND = bytes(16000)


class Desk:
    """A recogniser thread and the results it delivers."""

    def __init__(self, recogniser: FakeRecogniser) -> None:
        self.results: queue.SimpleQueue = queue.SimpleQueue()
        self.thread = RecogniserThread(recogniser, self.results.put)

    def next(self) -> object:
        return self.results.get(timeout=20)


@pytest.fixture
def desk():
    desks = []

    def make(*scripts: Script) -> tuple[Desk, FakeRecogniser]:
        recogniser = FakeRecogniser(scripts)
        desks.append((Desk(recogniser), recogniser))
        return desks[-1]

    yield make
    for desk, recogniser in desks:
        recogniser.release()
        desk.thread.close()
        assert desk.thread.join(20)


def test_an_utterance_gives_partials_and_a_final_in_order(desk) -> None:
    it, recogniser = desk(says("yes please"))
    it.thread.begin(1, EXPECTED)
    it.thread.sound(1, SECOND)
    it.thread.sound(1, SECOND)
    it.thread.end(1)
    assert [it.next(), it.next()] == [PartialResult(1, "yes please"), FinalResult(1, says("yes please").final)]
    assert recogniser.opened == [EXPECTED]
    assert recogniser.turns[0].samples == 16000
    assert recogniser.turns[0].closed


def test_each_utterance_is_a_turn_of_its_own(desk) -> None:
    it, recogniser = desk(says("yes"), says("no"))
    for number in (1, 2):
        it.thread.begin(number, EXPECTED)
        it.thread.end(number)
    assert [it.next(), it.next()] == [FinalResult(1, says("yes").final), FinalResult(2, says("no").final)]
    assert [turn.closed for turn in recogniser.turns] == [True, True]


def test_a_cancelled_utterance_gives_nothing_more(desk) -> None:
    it, recogniser = desk(Script(hangs_at_s=0.5), says("no"))
    it.thread.begin(1, EXPECTED)
    it.thread.sound(1, SECOND)
    it.thread.end(1)
    it.thread.cancel(1)
    it.thread.begin(2, EXPECTED)
    it.thread.end(2)
    recogniser.release()
    assert isinstance(result := it.next(), FinalResult)
    assert result.utterance == 2


@pytest.mark.parametrize("error", [True, False])
def test_a_broken_recogniser_is_reported_once_and_the_thread_ends(desk, error: bool) -> None:
    it, recogniser = desk(Script(breaks_at_s=0.5))
    if not error:
        recogniser.open = lambda expect: 1 / 0
    it.thread.begin(1, EXPECTED)
    it.thread.sound(1, SECOND)
    it.thread.end(1)
    result = it.next()
    assert isinstance(result, Failure)
    assert result.reason == ("the script breaks here" if error else "ZeroDivisionError: division by zero")
    assert it.thread.join(20)
    assert it.results.empty()


def test_a_recogniser_that_hangs_keeps_nobody_waiting_and_sound_is_bounded(desk) -> None:
    it, recogniser = desk(Script(hangs_at_s=0.5, final=NOTHING))
    it.thread.begin(1, EXPECTED)
    for _ in range(30):
        it.thread.sound(1, SECOND)
    assert it.thread.dropped_bytes >= 30 * 16000 - BACKLOG_BYTES - 16000
    assert recogniser.hanging.wait(20)
    it.thread.close()
    assert not it.thread.join(0.05)
    recogniser.release()
    assert it.thread.join(20)
    assert it.results.empty()


def test_a_receiver_whose_loop_has_ended_does_no_harm(desk) -> None:
    it, _ = desk(says("yes"))

    def gone(result: object) -> None:
        raise RuntimeError("Event loop is closed")

    it.thread._deliver = gone
    it.thread.begin(1, EXPECTED)
    it.thread.end(1)
    it.thread.close()
    assert it.thread.join(20)
