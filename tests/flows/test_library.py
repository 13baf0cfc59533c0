"""The flows that ship: no problem in any of them, every golden conversation passes, every step is walked."""

from pathlib import Path

import pytest

from flows.checker import check_all
from flows.coverage import coverage
from flows.golden import Conversation, play, read
from flows.loader import read as read_flow
from flows.positions import Places

LIBRARY = Path(__file__).parents[2] / "flows" / "library"
STARTER = LIBRARY.parents[1] / "asr" / "starter_en" / "graph" / "words.txt"
KNOWN = frozenset(line.split()[0] for line in STARTER.read_text("utf-8").splitlines())
READ = [read_flow(path.read_text("utf-8"), path.name) for path in LIBRARY.glob("*.toml") if ".test." not in path.name]
FLOWS, PROBLEMS = check_all({flow.name: flow for flow, _ in READ if flow}, {"en": KNOWN})
GOLDEN = {path: read(path.read_text("utf-8"), path.name) for path in sorted(LIBRARY.glob("*.test.toml"))}
CASES: list[tuple[Path, int, Conversation]] = [
    (path, number, conversation)
    for path, (golden, _, _) in GOLDEN.items()
    if golden
    for number, conversation in enumerate(golden.conversation)
]


def test_nothing_is_wrong_with_the_library() -> None:
    assert [problem for _, problems in READ for problem in problems] == []
    assert PROBLEMS == []
    assert [problem for _, _, problems in GOLDEN.values() for problem in problems] == []


@pytest.mark.parametrize(("path", "number", "conversation"), CASES, ids=lambda value: getattr(value, "name", None))
def test_golden(path: Path, number: int, conversation: Conversation) -> None:
    golden, where, _ = GOLDEN[path]
    assert golden is not None
    outcome = play(FLOWS[golden.flow], conversation, path.name, where, number)
    transcript = "\n".join(f"{line.at:6.1f} {line.who} {line.text}" for line in outcome.lines)
    assert not outcome.problems, f"{outcome.problems[0]}\n{transcript}"


def test_every_step_of_the_library_is_walked() -> None:
    walks = [
        play(FLOWS[golden.flow], conversation, "", Places({}, {}), number).walked
        for golden, _, _ in GOLDEN.values()
        if golden
        for number, conversation in enumerate(golden.conversation)
    ]
    assert {name: coverage(flow, walks).missed_steps for name, flow in FLOWS.items()} == {name: [] for name in FLOWS}
