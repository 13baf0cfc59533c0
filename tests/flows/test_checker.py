"""A corpus of good and bad flows, each with the report it must give; and texts that no checker likes."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.checker import check
from flows.document import MAX_CHARACTERS
from flows.flow import Flow
from flows.loader import read
from flows.problems import Problem, in_order

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.toml"))


def report(text: str, name: str) -> tuple[Flow | None, list[Problem]]:
    flow, problems = read(text, name)
    return flow, in_order(problems) if flow is None else check(flow)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus(path: Path) -> None:
    _, problems = report(path.read_text("utf-8"), path.name)
    expected = path.with_suffix(".txt").read_text("utf-8")
    assert "".join(f"{problem}\n" for problem in problems) == expected


def test_words_the_recogniser_does_not_know_are_named() -> None:
    flow, _ = read(
        'flow = "x"\nstart = "a"\n[step.a]\ntype = "menu"\nprompt = "?"\n'
        'choices = [{ key = "1", say = ["hyena"], next = "b" }]\n[step.b]\ntype = "hangup"\n',
        "x.toml",
    )
    assert flow is not None
    (problem,) = check(flow, {"en": frozenset({"balance"})})
    assert (problem.at.line, problem.code) == (6, "word.unknown")
    assert "hyena" in problem.what


def test_queues_that_nobody_has_set_up_are_named() -> None:
    flow, _ = read((CORPUS[0].parent / "people.toml").read_text("utf-8"), "people.toml")
    assert flow is not None
    unknown = [problem for problem in check(flow, queues={"card", "shop"}) if problem.code == "queue.unknown"]
    assert [problem.at.line for problem in unknown] == [6, 12, 23]
    assert "did you mean card?" in str(unknown[0])
    (problem, *_) = check(flow, queues=())
    assert "write [queues.cards] into config.toml" in str(problem)
    assert not any(problem.code == "queue.unknown" for problem in check(flow, queues={"cards"}))


@settings(deadline=None)
@given(st.text())
@example("[" * 5000)
@example("a = " + "[" * 500 + "]" * 500)
@example("a." * 5000 + "b = 1")
@example("step = 5")
@example("[[step]]")
@example("[step]\na = 5\n'b c' = {}")
@example('flow = "x"\nstart="a"\n[variables]\nx = 1979-05-27\n[step.a]\ntype=["say"]')
@example('flow = "x"\nstart="a"\n[variables]\nx = nan\n[step.a]\ntype="hangup"\non=5')
@example('flow="x"\nstart="a"\non.error=1\n[step.a]\ntype="hangup"\non.error.tts=[]')
def test_no_text_makes_the_loader_raise(text: str) -> None:
    flow, problems = report(text, "x.toml")
    assert flow is not None or problems


def test_a_huge_text_is_refused_with_its_place() -> None:
    flow, problems = read('flow = "' + "x" * 10_000_000 + '"', "x.toml")
    assert flow is None
    assert problems[0].code == "file.too_big"
    text = (
        'flow = "x"\nstart = "a"\n[step.a]\ntype = "say"\nprompt = 1\nnext = "' + "y" * (MAX_CHARACTERS // 2) + '!"\n'
    )
    flow, problems = read(text, "x.toml")
    assert flow is None
    assert [problem.at.line for problem in problems] == [5, 6]
    assert all(len(str(problem)) < 500 for problem in problems)


@pytest.mark.timeout(30)
def test_a_menu_of_thousands_is_checked_in_time() -> None:
    choices = ",".join(f'{{ say = ["order number {number}"], next = "b" }}' for number in range(5000))
    flow, problems = read(
        f'flow = "x"\nstart = "a"\n[step.a]\ntype = "menu"\nprompt = "?"\nchoices = [{choices}]\n'
        '[step.b]\ntype = "hangup"\n',
        "x.toml",
    )
    assert flow is not None, problems
    assert "phrase.alike" in {problem.code for problem in check(flow)}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", ["<a", '<say-as interpret-as="digits">', '<break time="1', "{{", "{1}"])
def test_a_prompt_of_endless_tags_is_checked_in_time(piece: str) -> None:
    text = f"flow = 'x'\nstart = 'a'\n[step.a]\ntype = 'hangup'\nprompt = '{piece * (MAX_CHARACTERS // 60)}'\n"
    flow, problems = read(text, "x.toml")
    assert flow is not None or problems


@pytest.mark.timeout(30)
def test_of_endless_mistakes_the_first_hundred_are_named() -> None:
    keys = "".join(f"k{number} = 1\n" for number in range(100_000))
    _, problems = read(f'flow = "x"\nstart = "a"\n{keys}[step.a]\ntype = "hangup"\n', "x.toml")
    assert len(problems) == 101
    assert problems[-1].what == "99900 more mistakes like these"


def test_a_circle_of_waiting_that_nobody_leaves_is_found() -> None:
    flow, _ = read(
        'flow = "x"\nstart = "a"\n[step.a]\ntype = "wait"\ntime = "1s"\nnext = "b"\n'
        '[step.b]\ntype = "say"\nprompt = "Hm."\nnext = "a"\n',
        "x.toml",
    )
    assert flow is not None
    (problem,) = check(flow)
    assert (problem.at.line, problem.code) == (3, "loop.silent")


@pytest.mark.parametrize(
    "step",
    [
        'type = "set"\nvalues = { call = "5" }\nnext = "b"',
        'type = "gather"\nkind = "digits"\ninto = "heard"\nprompt = "?"\nnext = "b"',
    ],
)
def test_names_of_the_engine_are_not_for_variables(step: str) -> None:
    flow, _ = read(f'flow = "x"\nstart = "a"\n[step.a]\n{step}\n[step.b]\ntype = "hangup"\n', "x.toml")
    assert flow is not None
    assert "name.reserved" in {problem.code for problem in check(flow)}


def test_a_step_name_is_one_line() -> None:
    _, problems = read('flow = "x"\nstart = "a"\n[step."a\\n"]\ntype = "hangup"\n', "x.toml")
    assert [problem.code for problem in problems] == ["step.name"]


def test_a_step_that_cannot_be_read_hides_no_other_problem() -> None:
    _, problems = read(
        'flow = "x"\nstart = "a"\n'
        '[step.a]\ntype = "gather"\nkind = "digit"\ninto = "pin"\nprompt = "?"\nnext = "b"\n'
        '[step.b]\ntype = "menu"\nprompt = "{pin} {cuont}"\n'
        'choices = [{ key = "1", next = "nowhere" }, { key = "1", next = "a" }]\n',
        "x.toml",
    )
    assert [(problem.at.line, problem.code) for problem in in_order(problems)] == [
        (5, "key.value"),
        (11, "name.unknown"),
        (12, "step.unknown"),
        (12, "key.twice"),
    ]


def test_a_number_without_end_is_named_at_its_place() -> None:
    _, (problem,) = read('flow = "x"\nstart = "a"\nversion = ' + "1" * 5000, "x.toml")
    assert (problem.at.line, problem.at.column, problem.what) == (3, 11, "this number is too long")


def test_a_broken_flow_is_held_to_words_and_queues_too() -> None:
    text = (
        'flow = "x"\nstart = "a"\n[step.a]\ntype = "say"\n[step.b]\ntype = "staffing"\nqueue = "q"\nstaffed = "a"\n'
        'unstaffed = "c"\n[step.c]\ntype = "menu"\nprompt = "?"\nchoices = [{ say = ["hyena"], next = "a" }]\n'
    )
    _, problems = read(text, "x.toml", {"en": frozenset({"balance"})}, ["cards"])
    assert {"key.missing", "queue.unknown", "word.unknown"} <= {problem.code for problem in problems}


def test_a_key_that_cannot_be_read_hides_no_other_key_of_its_step() -> None:
    text = (
        'flow = "x"\nstart = "a"\n[variables]\nn = 1\n[step.a]\ntype = "set"\nnext = "b"\n[step.a.values]\n'
        'r = "1 +"\nm = "open(n)"\nk = "n"\n'
        '[step.b]\ntype = "menu"\nprompt = "{r} {oops}"\ntimeout = 5\nchoices = [{ key = "1", next = "nowhere" }]\n'
    )
    _, problems = read(text, "x.toml")
    assert [(problem.at.line, problem.code) for problem in in_order(problems)] == [
        (9, "expression"),
        (10, "function.unknown"),
        (14, "name.unknown"),
        (15, "key.value"),
        (16, "step.unknown"),
    ]
