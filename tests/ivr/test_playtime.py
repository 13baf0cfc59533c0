"""How long a prompt was heard, whatever was done to it."""

from ivr.playtime import PlayTime

SECOND = 8000


def test_a_prompt_that_is_heard_to_its_end() -> None:
    times = PlayTime()
    times.began(1, 2 * SECOND)
    assert times.ended_ms(1, 5 * SECOND) == 3000


def test_pauses_do_not_count() -> None:
    times = PlayTime()
    times.began(1, 0)
    times.paused(SECOND)
    times.paused(2 * SECOND)
    times.resumed(4 * SECOND)
    assert times.ended_ms(1, 6 * SECOND) == 3000


def test_one_that_is_stopped_in_a_pause_was_heard_until_then() -> None:
    times = PlayTime()
    times.began(1, 0)
    times.paused(SECOND)
    assert times.ended_ms(1, 9 * SECOND) == 1000
    times.began(2, 10 * SECOND)
    assert times.ended_ms(2, 11 * SECOND) == 1000, "the next one is not paused"


def test_one_that_never_began_was_not_heard() -> None:
    times = PlayTime()
    assert times.ended_ms(1, SECOND) == 0
    times.paused(SECOND)
    assert times.ended_ms(2, 2 * SECOND) == 0
