"""Guesses and roles."""

import pytest

from ivr.rest.guard import MOST_WRONG, WITHIN_S, Failures
from ivr.tokens import ApiRole, TokenError, digest, new_token


def test_who_guesses_too_often_has_to_wait_and_only_they() -> None:
    failures = Failures()
    for number in range(MOST_WRONG):
        assert failures.wait_s("192.0.2.1", float(number)) == 0.0
        failures.note("192.0.2.1", float(number))
    assert failures.wait_s("192.0.2.1", 10.0) == WITHIN_S - 10.0
    assert failures.wait_s("192.0.2.2", 10.0) == 0.0
    assert failures.wait_s("192.0.2.1", WITHIN_S) == 0.0


def test_guesses_from_everywhere_take_no_memory_for_ever() -> None:
    failures = Failures()
    for number in range(5000):
        failures.note(str(number), 0.0)
    assert len(failures._times) == 1000


def test_a_role_may_what_those_below_it_may() -> None:
    assert ApiRole.ADMIN.may(ApiRole.AGENT)
    assert ApiRole.AGENT.may(ApiRole.AGENT)
    assert not ApiRole.AGENT.may(ApiRole.SUPERVISOR)


def test_of_a_token_only_the_digest_is_kept() -> None:
    secret, token = new_token("wall", ApiRole.ADMIN, 1.0)
    assert token.digest == digest(secret)
    assert secret not in repr(token)
    assert new_token("wall", ApiRole.ADMIN, 1.0)[0] != secret


@pytest.mark.parametrize(
    ("name", "role", "agent"),
    [("a b", ApiRole.ADMIN, None), ("x", ApiRole.AGENT, None), ("x", ApiRole.ADMIN, "anna")],
)
def test_a_token_that_makes_no_sense_is_refused(name: str, role: ApiRole, agent: str | None) -> None:
    with pytest.raises(TokenError):
        new_token(name, role, 1.0, agent)
