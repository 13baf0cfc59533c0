"""Golden conversations: what they find, and where they say it."""

import pytest

from flows.coverage import coverage
from flows.golden import play, read

FLOW = """
[variables]
out = ""
[step.start]
type = "menu"
prompt = "Balance or order?"
choices = [{ key = "1", say = ["balance"], next = "end" }, { key = "2", say = ["order"], next = "order" }]
[step.order]
type = "http"
url = "http://shop.example/1"
method = "POST"
body = { colour = "'red'" }
into = "order"
fields = { total = "number" }
on.error.http = "bad"
next = "tell"
[step.tell]
type = "emit"
event = "order.asked"
next = "end"
[step.end]
type = "hangup"
prompt = "Done, {order.total}."
[step.bad]
type = "hangup"
prompt = "Bad."
reason = "sorry"
"""


PEOPLE = """
[step.start]
type = "queue"
queue = "cards"
max_wait = "60s"
on.timeout = "staff"
on.no_agents = "staff"
next = "book"
[step.staff]
type = "staffing"
queue = "cards"
staffed = "book"
unstaffed = "out"
[step.book]
type = "callback"
number = "1"
queue = "cards"
into = "booked"
on.unavailable = "out"
next = "told"
[step.told]
type = "hangup"
prompt = "Ticket {booked.ticket}."
[step.out]
type = "transfer"
to = "100"
on.busy = "bye"
on.failed = "start"
[step.bye]
type = "hangup"
prompt = "Busy."
"""


def run(flow_of, turns: str, more: str = "", steps: str = FLOW):
    golden, where, problems = read(
        f'flow = "test"\n[[conversation]]\nname = "x"\n{more}\nturns = [\n{turns}\n]', "x.test.toml"
    )
    assert golden is not None, problems
    return play(flow_of(steps), golden.conversation[0], "x.test.toml", where, 0)


def test_a_conversation_that_goes_as_written_passes(flow_of) -> None:
    outcome = run(
        flow_of,
        '{ hears = "order?" },\n{ says = "order" },\n'
        '{ http = "order", url = "http://shop.example/1", body = { colour = "red" }, emitted = "order.asked" },\n'
        '{ hears = "Done, 7", ends = "completed", within = 30 }',
        'answers = [{ step = "order", json = { total = 7 } }]',
    )
    assert outcome.problems == []
    assert [step for _, step in outcome.walked] == ["start", "order", "tell", "end"]


def test_everything_that_differs_is_named_at_its_turn(flow_of) -> None:
    outcome = run(
        flow_of,
        '{ hears = "pizza" },\n{ says = "order", hears = "Good", step = "end", ends = "completed" },\n'
        '{ not_hears = "bad", variables = { out = 1 }, http = "tell", emitted = "order.asked", within = 0.1 },\n'
        '{ http = "order", url = "http://x/", body = {} }',
    )
    assert [(problem.at.line, problem.what.split(",")[0]) for problem in outcome.problems] == [
        (6, "expected to hear 'pizza'"),
        (7, "expected to hear 'Good'"),
        (7, "expected to be in step end"),
        (7, "expected the end completed"),
        (8, "expected not to hear 'bad'"),
        (8, "expected out = 1"),
        (8, "expected a request by step tell"),
        (8, "expected the event order.asked"),
        (8, "expected within 0.1 s"),
        (9, "expected the address http://x/"),
        (9, "expected the body {}"),
    ]


def test_a_service_can_be_made_to_fail(flow_of) -> None:
    for answer in ('fails = "refused"', "status = 500"):
        outcome = run(flow_of, '{ keys = "2" },\n{ ends = "sorry" }', f'answers = [{{ step = "order", {answer} }}]')
        assert outcome.problems == []


def test_what_people_do_is_written_too(flow_of) -> None:
    answered = '{ queue = "joined" },\n{ queue = "answered" },\n{ queue = "ended" },\n{ hears = "Ticket 1." }'
    assert run(flow_of, answered, steps=PEOPLE).problems == []
    waits = '{ queue = "joined" },\n{ waits = "70s" },\n{ asked = "staffing", arguments = { queue = "cards" } },\n'
    busy = 'answers = [{ step = "staff", json = { logged_in = 0 } }, { step = "out", json = { outcome = "busy" } }]'
    assert run(flow_of, waits + '{ hears = "Busy." }', busy, PEOPLE).problems == []
    nobody = 'answers = [{ step = "book", fails = "no control" }]'
    outcome = run(flow_of, '{ queue = "no_agents" },\n{ ends = "transferred" }', nobody, PEOPLE)
    assert outcome.problems == []


def test_what_people_should_have_done_is_named(flow_of) -> None:
    turns = '{ queue = "no_agents" },\n{ queue = "answered" },\n{ asked = "transfer" },\n'
    outcome = run(flow_of, turns + '{ asked = "callback", arguments = { number = "2" } }', steps=PEOPLE)
    assert [problem.what for problem in outcome.problems] == [
        "nobody waits for a person at step told",
        "expected a request for transfer, there was none",
        "expected callback with number = '2', it was '1'",
    ]


def test_what_is_wrong_with_the_file_is_named() -> None:
    golden, _, problems = read('flow = "x"\n[[conversation]]\nname = "a"\nturns = [{ say = "x" }]\n', "x.test.toml")
    assert golden is None
    assert (problems[0].at.line, problems[0].file) == (4, "x.test.toml")
    assert (problems[0].what, problems[0].mend) == ('there is no key "say" here', "did you mean says?")
    assert read("flow = ", "x")[0] is None


def test_coverage_names_what_nobody_walked(flow_of) -> None:
    outcome = run(flow_of, '{ keys = "1" }')
    found = coverage(flow_of(FLOW), [outcome.walked])
    assert found.missed_steps == ["order", "tell", "bad"]
    assert [(name, way.target) for name, way in found.missed_ways] == [("start", "order")]
    assert found.percent == 40


def test_time_counts_even_before_a_word_was_said(flow_of) -> None:
    quiet = '[step.start]\ntype = "wait"\ntime = "1s"\nnext = "end"\n[step.end]\ntype = "hangup"\n'
    assert run(flow_of, '{ within = 5, ends = "completed" }', steps=quiet).problems == []


def test_answers_that_come_at_once_for_ever_are_cut_off(flow_of) -> None:
    endless = '[step.start]\ntype = "staffing"\nqueue = "q"\ninto = "s"\nstaffed = "start"\nunstaffed = "start"\n'
    assert run(flow_of, "{ hangs_up = true }", steps=endless).problems == []


@pytest.mark.parametrize(
    ("turn", "what"),
    [
        ("{ hears = 5 }", "hears: must be text in quotes, not 5"),
        ("{ says = 'x', confidence = 2 }", "confidence: must be less than or equal to 1"),
        ("{ waits = 'long' }", 'waits: not a duration; write "400ms", "5s", "10m" or "4h"'),
        ("{ within = 'x' }", "within: must be a number, not 'x'"),
        ("{}", "a turn is something the caller does, or something that must be so"),
        ("", "turns: must not be empty"),
    ],
)
def test_a_mistake_in_a_turn_is_named_once(turn: str, what: str) -> None:
    text = f'flow = "test"\n[[conversation]]\nname = "a"\nturns = [{turn}]\n'
    golden, _, problems = read(text, "x.test.toml")
    assert golden is None
    assert [problem.what for problem in problems] == [what]


def test_an_answer_for_a_step_that_is_not_there_is_named(flow_of) -> None:
    outcome = run(flow_of, "{ hangs_up = true }", 'answers = [{ step = "ordr" }]')
    assert [(problem.what, problem.mend) for problem in outcome.problems] == [
        ("there is no step ordr", "did you mean order?")
    ]


@pytest.mark.parametrize("now", ["1e20", "-1", "nan"])
def test_a_call_at_a_time_no_calendar_knows_is_refused(now: str) -> None:
    text = f'flow = "x"\n[[conversation]]\nname = "a"\nnow = {now}\nturns = [{{ silent = true }}]\n'
    golden, _, (problem,) = read(text, "x.test.toml")
    assert (golden, problem.at.line) == (None, 4)
