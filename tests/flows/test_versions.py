"""Live versions: publishing, canary, automatic rollback, history."""

from hypothesis import given
from hypothesis import strategies as st

from flows.versions import (
    Limits,
    Shelf,
    Standing,
    Tally,
    Verdict,
    ended,
    pick,
    promote,
    publish,
    rollback,
    verdict,
)

LIMITS = Limits(share=0.2, enough_calls=20, least_calls=5, error_margin=0.1, hangup_margin=0.2)
AT_ONCE = Limits(share=0)


def two(limits: Limits = LIMITS) -> Shelf:
    return publish(publish(Shelf("bank"), "aaa", 1, 1.0, limits), "bbb", 2, 2.0, limits)


def standings(shelf: Shelf) -> list[str]:
    return [str(one.standing) for one in shelf.versions]


def test_the_first_version_is_current_and_the_next_on_trial() -> None:
    shelf = two()
    assert standings(shelf) == ["current", "trial"]
    assert [pick(shelf, chance, LIMITS).digest for chance in (0.0, 0.19, 0.2, 0.99)] == ["bbb", "bbb", "aaa", "aaa"]


def test_without_a_share_publishing_is_at_once() -> None:
    shelf = two(AT_ONCE)
    assert standings(shelf) == ["retired", "current"]
    assert pick(shelf, 0.0, AT_ONCE).digest == "bbb"


def test_the_same_text_again_changes_nothing() -> None:
    assert publish(two(), "bbb", 2, 3.0, LIMITS) == two()
    assert pick(Shelf("bank"), 0.5, LIMITS) is None


def test_a_newer_trial_takes_the_place_of_the_one_before() -> None:
    assert standings(publish(two(), "ccc", 3, 3.0, LIMITS)) == ["current", "retired", "trial"]


def test_a_trial_with_errors_is_withdrawn_as_soon_as_it_shows() -> None:
    shelf = two()
    for _ in range(5):
        assert shelf.trial
        shelf = ended(shelf, 2, "flow_error", LIMITS)
    assert standings(shelf) == ["current", "withdrawn"]
    assert shelf.versions[1].why == "100% errors in 5 calls"
    assert pick(shelf, 0.0, LIMITS).digest == "aaa"


def test_a_trial_that_callers_leave_is_withdrawn() -> None:
    shelf = two()
    for termination in ["completed"] * 9 + ["caller_hangup"]:
        shelf = ended(shelf, 1, termination, LIMITS)
    for termination in ["completed", "caller_hangup"] * 10:
        shelf = ended(shelf, 2, termination, LIMITS)
    assert standings(shelf) == ["current", "withdrawn"]
    assert "hangups" in shelf.versions[1].why


def test_a_good_trial_becomes_current() -> None:
    shelf = two()
    for _ in range(20):
        shelf = ended(shelf, 2, "completed", LIMITS)
    assert standings(shelf) == ["retired", "current"]


def test_a_late_end_of_an_old_version_only_counts() -> None:
    shelf = ended(promote(two()), 1, "flow_error", LIMITS)
    assert shelf.versions[0].tally == Tally(1, 1, 0)
    assert standings(shelf) == ["retired", "current"]


def test_rollback_by_hand() -> None:
    assert standings(rollback(two(), "by hand")) == ["current", "withdrawn"]
    back = rollback(promote(two()), "by hand")
    assert standings(back) == ["current", "withdrawn"]
    assert back.versions[1].why == "by hand"
    assert rollback(back, "again") == back


def test_a_withdrawn_text_comes_back_only_after_an_edit() -> None:
    back = rollback(promote(two()), "by hand")
    assert publish(back, "bbb", 2, 9.0, LIMITS) == back
    edited = publish(back, "ccc", 3, 9.0, LIMITS)
    assert standings(edited) == ["current", "withdrawn", "trial"]
    assert standings(publish(edited, "bbb", 2, 9.0, LIMITS))[-1] == "trial"


def test_going_back_to_the_current_text_ends_the_trial() -> None:
    assert standings(publish(two(), "aaa", 1, 9.0, LIMITS)) == ["current", "withdrawn"]


def test_a_version_without_a_trial_is_taken_back_too() -> None:
    shelf = two(AT_ONCE)
    for _ in range(LIMITS.least_calls):
        shelf = ended(shelf, 2, "flow_error", LIMITS)
    assert standings(shelf) == ["current", "withdrawn"]
    first = publish(Shelf("bank"), "aaa", 1, 1.0, AT_ONCE)
    for _ in range(LIMITS.least_calls):
        first = ended(first, 1, "flow_error", LIMITS)
    assert standings(first) == ["current"]


def test_few_calls_decide_nothing() -> None:
    assert verdict(Tally(4, 4, 0), Tally(100, 0, 0), LIMITS) is Verdict.UNDECIDED
    assert verdict(Tally(19, 0, 0), Tally(), LIMITS) is Verdict.UNDECIDED


CHANGE = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from("abcd")),
    st.tuples(st.just("ended"), st.integers(1, 6), st.sampled_from(["completed", "flow_error", "caller_hangup"])),
    st.tuples(st.just("rollback")),
    st.tuples(st.just("promote")),
)


@given(st.lists(CHANGE, max_size=60))
def test_once_published_there_is_always_one_current_version(changes) -> None:
    shelf = publish(Shelf("bank"), "first", 1, 0.0, LIMITS)
    for change in changes:
        match change:
            case ("publish", digest):
                shelf = publish(shelf, digest, 1, 0.0, LIMITS)
            case ("ended", number, termination):
                shelf = ended(shelf, number, termination, LIMITS)
            case ("rollback",):
                shelf = rollback(shelf, "x")
            case ("promote",):
                shelf = promote(shelf)
        found = [one.standing for one in shelf.versions]
        assert found.count(Standing.CURRENT) == 1
        assert found.count(Standing.TRIAL) <= 1
        assert [one.number for one in shelf.versions] == list(range(1, len(found) + 1))
        assert pick(shelf, 0.0, LIMITS) is not None


def test_a_version_that_is_as_good_is_not_withdrawn_by_chance() -> None:
    assert verdict(Tally(10, 1, 0), Tally(200, 2, 40), Limits()) is Verdict.UNDECIDED
    assert verdict(Tally(10, 0, 5), Tally(200, 2, 40), Limits()) is Verdict.UNDECIDED
    assert verdict(Tally(10, 4, 0), Tally(200, 2, 40), Limits()) is Verdict.ERRORS
    assert verdict(Tally(50, 4, 0), Tally(200, 2, 40), Limits()) is Verdict.ERRORS
    assert verdict(Tally(50, 3, 10), Tally(200, 2, 40), Limits()) is Verdict.GOOD
