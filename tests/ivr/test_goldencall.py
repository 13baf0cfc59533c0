"""Golden conversations as real calls: which can be, what the phone does, and how the archive's events are judged."""

import pytest

from flows.checker import check_all
from flows.golden import Conversation, play
from flows.golden import read as read_golden
from flows.loader import read
from ivr.goldencall import faults, left_out, phone_turns, voice
from recordings.event import Event

FLOW = """flow = "good"
start = "ask"
[variables]
pin = ""
[calendar.hall]
zone = "UTC"
[step.ask]
type = "menu"
prompt = "Balance?"
choices = [
  { key = "1", say = { en = ["balance"], zh-CN = ["余额"] }, next = "end" }, { key = "2", next = "split" },
  { key = "3", next = "hours" }, { key = "4", next = "http" }, { key = "5", next = "queue" },
]
[step.split]
type = "split"
shares = [{ percent = 100, next = "end" }]
[step.hours]
type = "hours"
calendar = "hall"
open = "end"
closed = "end"
[step.http]
type = "http"
url = "http://127.0.0.1:1/"
on.error.http = "end"
next = "end"
[step.queue]
type = "queue"
queue = "cards"
next = "end"
[step.end]
type = "hangup"
prompt = "Done."
"""
KNOWN = {"en": frozenset({"balance"})}


def flow():
    read_flow, problems = read(FLOW, "good.toml")
    assert read_flow, problems
    flows, _ = check_all({"good": read_flow})
    return flows["good"]


def conversation(turns: str, more: str = "") -> Conversation:
    text = f'flow = "good"\n[[conversation]]\nname = "n"\n{more}\nturns = [{turns}]\n'
    golden, _, problems = read_golden(text, "good.test.toml")
    assert golden, problems
    return golden.conversation[0]


@pytest.mark.parametrize(
    ("turns", "more", "why"),
    [
        ('{ says = "balance" }, { hears = "Done" }', "", ""),
        ('{ keys = "1" }', 'answers = [{ step = "http" }]', "web services"),
        ('{ keys = "4" }', "", "web services"),
        ('{ keys = "5" }, { queue = "answered" }', "", "people answer"),
        ('{ keys = "1" }, { waits = "5s" }', "", "for a set time"),
        ('{ keys = "2" }', "", "by chance"),
        ('{ keys = "1" }', "random = [0.5]", "by chance"),
        ('{ keys = "3" }', "", "time of day"),
        ('{ keys = "1" }', "now = 2026-11-23T09:00:00Z", "time of day"),
        ('{ keys = "1" }', 'fails = ["record"]', "record requests are made to fail"),
        ('{ keys = "1" }', 'caller = "+1"', "caller's number"),
        ('{ keys = "1" }', "variables.pin = '1'", "variables are set"),
        ('{ says = "balance", confidence = 0.6 }', "", "confidence"),
        ('{ says = "余额" }', "", "no recogniser for zh"),
        ('{ says = "hyena balance" }', "", "does not know: hyena"),
    ],
)
def test_what_a_real_call_cannot_have_is_left_out_with_the_reason(turns, more, why):
    wanted = conversation(turns, more)
    _, where, _ = read_golden("", "x")
    reason = left_out(flow(), wanted, play(flow(), wanted, "x", where, 0), KNOWN)
    assert why in reason
    assert bool(why) is bool(reason)


def test_one_voice_cannot_speak_two_languages():
    wanted = conversation('{ says = "balance" }, { says = "余额" }')
    _, where, _ = read_golden("", "x")
    virtual = play(flow(), wanted, "x", where, 0)
    assert "two languages" in left_out(flow(), wanted, virtual, {**KNOWN, "zh-CN": frozenset()})
    assert voice(conversation('{ says = "余额" }')) == "cmn"
    assert voice(conversation('{ keys = "1" }')).startswith("en")


def test_turns_become_options_of_the_phone():
    turns = '{ hears = "Balance" }, { says = "balance", interrupts = true }, { silent = true }, { keys = "12#" }'
    options = ["--wait", "1.2", "--say", "balance", "--silence", "--keys", "12#"]
    assert phone_turns(conversation(turns)) == options
    assert phone_turns(conversation(turns + ', { ends = "completed" }')) == [*options, "--wait", "10"]
    assert phone_turns(conversation(turns + ', { hangs_up = true }, { keys = "1" }')) == options


def call(*happened: tuple[float, str, dict]) -> list[Event]:
    return [Event(number, kind, None, at, None, data) for number, (at, kind, data) in enumerate(happened, 1)]


EVENTS = call(
    (100, "call.started", {}),
    (101, "step.entered", {"step": "ask"}),
    (101, "prompt.started", {"text": "Balance?", "file": ""}),
    (105.5, "utterance", {"text": "balance", "confidence": 0.9}),
    (105.6, "variable", {"name": "pin", "value": "****"}),
    (105.7, "emit", {"event": "asked"}),
    (105.8, "step.entered", {"step": "end"}),
    (106, "prompt.started", {"text": "Done.", "file": "bye.wav"}),
    (108, "call.ended", {"reason": "completed", "termination": "completed"}),
)


def judged(turns: str, began: list[float], events: list[Event] = EVENTS) -> list[tuple[int, str]]:
    return list(faults(flow(), conversation(turns), began, events))


def test_a_call_that_went_as_written_has_no_faults():
    turns = (
        '{ hears = "Balance?", variables = { pin = "" } }, { says = "balance" }, { hears = "done", step = "end" },'
        '{ variables = { pin = "1234" }, emitted = "asked", not_hears = "Balance" },'
        '{ hears = "[bye.wav]", ends = "completed", within = 9 }'
    )
    assert judged(turns, [105]) == []


@pytest.mark.parametrize(
    ("turns", "place", "what"),
    [
        ('{ hears = "Done" }, { says = "balance" }', 0, "heard 'Balance?'"),
        ('{ says = "balance" }, { hears = "Balance?" }', 1, "expected to hear 'Balance?', heard 'Done. [bye.wav]'"),
        ('{ says = "balance" }, { not_hears = "Done" }', 1, "expected not to hear"),
        ('{ says = "balance", step = "ask" }', 0, "expected to be in step ask, is in end, understood 'balance' (0.90)"),
        ('{ says = "balance" }, { variables = { pin = "123" } }', 1, "expected pin = '123', it is '****'"),
        ('{ says = "balance" }, { emitted = "other" }', 1, "emitted were asked"),
        ('{ says = "balance" }, { within = 7 }', 1, "the call is at 8.0 s"),
        ('{ says = "balance" }, { ends = "flow_error" }', 1, "it is: completed"),
        ('{ says = "balance" }, { keys = "1" }', 1, "the call was over before this turn: completed"),
    ],
)
def test_what_went_otherwise_is_told_with_its_turn(turns, place, what):
    found = judged(turns, [105])
    assert [where for where, _ in found] == [place]
    assert what in found[0][1]


def test_a_prompt_that_was_not_written_down_may_have_been_anything():
    hidden = call((1, "call.started", {}), (2, "prompt.started", {"text": "***"}), (3, "call.ended", {"reason": "x"}))
    assert judged('{ hears = "1 1 1 1" }', [], hidden) == []
