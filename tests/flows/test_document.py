"""TOML texts: what is wrong is said in an author's words, and no text takes long."""

import pytest

from flows.document import read
from flows.problems import Problem

HEAD = 'flow = "x"\nstart = "a"\n[step.a]\n'
MISTAKES = [
    ('type = "hangup', 15, "the text on this line has no end"),
    ("type = \u201changup\u201d", 8, "\u201c is no quote that counts"),
    ("type = hangup", 8, "this is no value"),
    ('type "hangup"', 6, 'after a key comes "="'),
    ('prompt = "say "hi""', 16, "more stands on this line"),
    ('choices = [{ key = "1" } { key = "2" }]', 26, 'expected "," or "]"'),
    ('choices = [{ key = "1",\nnext = "a" }]', 24, "a key was expected here"),
    ('prompt = "C:\\dir"', 15, "a backslash has a meaning of its own"),
    ("[step b]", 7, 'expected "]" after the name'),
    ("  [step.a]", 3, "step.a stands twice in this file"),
    ('type = "say"\ntype = "menu"', 14, "this key stands twice"),
    ('prompt = """never', 1, "this text never ends"),
    ("= 5", 1, "a line begins with a key"),
    ('prompt = "\x01"', 11, "a character that cannot be seen"),
]


@pytest.mark.parametrize(("text", "column", "what"), MISTAKES)
def test_a_mistake_is_named_in_plain_words_at_its_place(text: str, column: int, what: str) -> None:
    problem = read(f"{HEAD}{text}\n", "x.toml")
    assert isinstance(problem, Problem)
    assert problem.at.line >= 4
    assert problem.at.column == column
    assert problem.what.startswith(what)
    assert problem.mend
    assert "TOML" not in str(problem)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "key", ["a." * 900_000 + "b = 1", "[" + "a." * 900_000 + "b]", "x = { " + "a . " * 100_000 + "b = 1 }"]
)
def test_a_key_of_endless_parts_is_refused_at_once(key: str) -> None:
    problem = read(f'flow = "x"\n{key}\n', "x.toml")
    assert isinstance(problem, Problem)
    assert (problem.at.line, problem.what) == (2, "this is nested too deeply")


def test_many_short_sentences_are_no_deep_key() -> None:
    assert not isinstance(read(f'flow = "{"Yes. " * 60}"\n', "x.toml"), Problem)
