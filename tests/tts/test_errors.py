"""Error codes cross process borders."""

import pytest

from tts import errors


@pytest.mark.parametrize("kind", errors.SynthesiserFailed.__subclasses__())
def test_every_error_survives_the_way_by_its_code(kind: type[errors.SynthesiserFailed]) -> None:
    again = errors.from_code(kind.code, "why")
    assert type(again) is kind
    assert str(again) == "why"


def test_codes_are_drawn_in_the_docstring_and_differ() -> None:
    kinds = [errors.SynthesiserFailed, *errors.SynthesiserFailed.__subclasses__()]
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert f"{kind.__name__} " in str(errors.__doc__)
        assert f" {kind.code} " in str(errors.__doc__)


def test_an_unknown_code_is_still_a_failure() -> None:
    assert type(errors.from_code("tts.new", "x")) is errors.SynthesiserFailed
