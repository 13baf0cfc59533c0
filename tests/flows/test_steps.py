"""What each step does that asks nothing, and those that wait for something outside."""

import pytest

from flows.actions import CancelTimer, Request, StartTimer, StopPrompts
from flows.events import HungUp, PromptFailed, PromptFinished, Replied, TimerFired
from flows.session import Session

END = """
[step.end]
type = "hangup"
prompt = "End {out}."
[step.bad]
type = "hangup"
prompt = "Bad."
[variables]
out = ""
"""
SORRY = "I am sorry, this service is not available yet."


def requests(caller) -> list[Request]:
    return [action for action in caller.actions if isinstance(action, Request)]


HTTP = """
[step.start]
type = "http"
method = "POST"
url = "http://shop.example/orders/{call.caller}"
headers = { X-Who = "{call.id}" }
query = { full = true }
body = { amount = 2 + 3 }
into = "order"
fields = { total = "number" }
status = { 404 = "missing" }
filler = "One moment."
retries = 1
timeout = "2s"
on.error.http = "bad"
next = "show"
[step.show]
type = "set"
values.out = "order.total"
next = "end"
[step.missing]
type = "hangup"
prompt = "Not there."
""".replace("amount = 2 + 3", 'amount = "2 + 3"')


def test_http_sends_what_the_author_wrote(calling) -> None:
    caller = calling(HTTP + END)
    (request,) = requests(caller)
    assert request.kind == "http"
    assert request.arguments == {
        "step": "start",
        "method": "POST",
        "url": "http://shop.example/orders/%2B4912345",
        "headers": {"X-Who": "call-1"},
        "query": {"full": True},
        "body": {"amount": 5},
        "timeout_s": 2.0,
        "retries": 1,
        "retry_wait_s": 0.2,
        "idempotency_key": "call-1-start-1",
    }
    assert caller.timers["request"] - caller.now == pytest.approx(9.2)


@pytest.mark.parametrize(
    ("reply", "heard"),
    [
        (Replied(1, True, {"status": 200, "json": {"total": 7}}), "End 7."),
        (Replied(1, True, {"status": 404, "json": None}), "Not there."),
        (Replied(1, True, {"status": 500, "json": {"total": 7}}), "Bad."),
        (Replied(1, True, {"status": 200, "json": {"total": "7"}}), "Bad."),
        (Replied(1, True, {"status": 200, "json": [object()]}), "Bad."),
        (Replied(1, False, {"error": "refused"}), "Bad."),
        (TimerFired("request"), "Bad."),
    ],
)
def test_http_answers(calling, reply, heard: str) -> None:
    caller = calling(HTTP + END)
    caller.tell(reply)
    assert caller.heard[-1] == heard


def test_a_late_or_foreign_answer_changes_nothing(calling) -> None:
    caller = calling(HTTP + END)
    assert caller.tell(Replied(7, True, {"status": 200, "json": {"total": 1}})) == ()
    caller.tell(TimerFired("request"))
    assert caller.tell(Replied(1, True, {"status": 200, "json": {"total": 1}})) == ()


def test_the_filler_plays_while_waiting_and_again(calling) -> None:
    caller = calling(HTTP + END)
    caller.silence()
    assert caller.heard == ["One moment."]
    caller.silence()
    assert caller.heard == ["One moment.", "One moment."]


def test_a_slow_service_leaves_nobody_in_silence_though_the_author_wrote_no_filler(calling) -> None:
    text = HTTP.replace('filler = "One moment."', 'filler_after = "1s"').replace('timeout = "2s"', 'timeout = "9s"')
    caller = calling(text + END)
    began = caller.now
    caller.silence()
    assert (caller.heard, caller.now - began) == (["One moment, please."], 5.0)


def test_split_goes_by_chance(calling) -> None:
    text = """
[step.start]
type = "split"
shares = [{ percent = 30, next = "end" }, { percent = 70, next = "bad" }]
"""
    for value, heard in ((0.1, "End ."), (0.3, "Bad."), (0.99, "Bad.")):
        caller = calling(text + END)
        assert requests(caller)[0].kind == "random"
        caller.tell(Replied(1, True, {"value": value}))
        assert caller.heard == [heard]
    caller = calling(text + END)
    caller.tell(TimerFired("request"))
    assert caller.heard == ["End ."]


def test_record_waits_for_the_prompt_and_keeps_the_file(calling) -> None:
    text = """
[step.start]
type = "voicemail"
mailbox = "office"
prompt = "Leave a message."
into = "message"
on.error.recording = "bad"
next = "show"
[step.show]
type = "set"
values.out = "message.seconds"
next = "end"
"""
    caller = calling(text + END)
    assert not requests(caller)
    caller.listen_out()
    assert requests(caller)[0].arguments["mailbox"] == "office"
    caller.tell(Replied(1, True, {"file": "m.wav", "seconds": 4}))
    assert caller.heard[-1] == "End 4."
    assert caller.noted("voicemail") == [{"mailbox": "office", "file": "m.wav", "seconds": 4}]
    caller = calling(text + END).listen_out()
    caller.tell(Replied(1, False, {"error": "disk full"}))
    assert caller.heard[-1] == "Bad."


def test_the_recording_is_paused_before_the_next_step(calling) -> None:
    text = '[step.start]\ntype = "recording"\ndo = "pause"\non.error.recording = "bad"\nnext = "end"\n'
    caller = calling(text + END)
    assert requests(caller)[0].arguments == {"do": "pause"}
    assert caller.heard == []
    caller.tell(Replied(1, True))
    assert caller.heard == ["End ."]


def test_wait_begins_when_the_prompt_ended(calling) -> None:
    text = """
[step.start]
type = "say"
prompt = "Hold on."
next = "wait"
[step.wait]
type = "wait"
time = "3s"
next = "end"
"""
    caller = calling(text + END)
    assert StartTimer("wait", 3.0) not in caller.actions
    caller.silence()
    assert caller.heard[-1] == "End ."


def test_keys_are_sent(calling) -> None:
    text = '[step.start]\ntype = "send_dtmf"\nkeys = "1 2x{3}"\nnext = "end"\n'
    caller = calling(text + END)
    assert requests(caller)[0].arguments == {"keys": "123"}
    caller.tell(Replied(1, True))
    assert caller.hung_up == "completed"


def test_emit_masks_secrets(calling) -> None:
    text = """
[step.start]
type = "gather"
kind = "digits"
length = 2
secret = true
into = "pin"
prompt = "PIN?"
next = "tell"
[step.tell]
type = "emit"
event = "pin.given"
data = { pin = "pin", copy = "pin + 'x'", length = "1" }
next = "end"
"""
    caller = calling(text + END).key("42")
    assert caller.noted("emit") == [{"event": "pin.given", "data": {"pin": "**", "copy": "***", "length": 1}}]


@pytest.mark.parametrize(
    ("now", "heard"),
    [
        (1795420800.0, "End ."),  # Monday 2026-11-23, 09:00 in Berlin
        (1795420799.0, "Bad."),
        (1795431600.0, "Bad."),  # noon: lunch
        (1798185600.0, "Holiday."),  # Christmas Day
        (1798102800.0, "End ."),  # the day before has its own hours
    ],
)
def test_hours(flow_of, caller_of, now: float, heard: str) -> None:
    flow = flow_of(
        """
[calendar.office]
zone = "Europe/Berlin"
mon = ["09:00-12:00", "13:00-17:00"]
fri = "09:00-17:00"
holidays = ["12-25"]
special = { "12-24" = "10:00-12:00" }
[step.start]
type = "hours"
calendar = "office"
open = "end"
closed = "bad"
holiday = "holiday"
[step.holiday]
type = "hangup"
prompt = "Holiday."
"""
        + END
    )
    caller = caller_of(Session.start(flow), now).call()
    assert caller.heard == [heard]


def test_rules_decide_by_the_first_row_that_fits(calling) -> None:
    text = """
[variables]
days = 12
state = "opened"
[rules.refund]
inputs = ["days", "state"]
outputs = ["out", "fee"]
rows = [
  ["<= 14", "sealed | opened", "all", 0],
  ["15..30", "!= 'broken'", "half", 2.5],
  ["> 30", "any", "none", 0],
]
[step.start]
type = "rule"
rules = "refund"
next = "end"
otherwise = "bad"
""" + END.replace("[variables]\n", "[step.end.x]\n").split("[step.end.x]")[0]
    assert calling(text).heard == ["End all."]
    assert calling(text, days=20).heard == ["End half."]
    assert calling(text, days=20, state="broken").heard == ["Bad."]
    assert calling(text, days=31, state="broken").heard == ["End none."]
    assert calling(text, days="soon").heard == ["Bad."]


def test_a_language_step_changes_everything_spoken(calling) -> None:
    text = """
[step.start]
type = "language"
language = "zh-CN"
voice = "cmn"
next = "ask"
[step.ask]
type = "menu"
prompt = { en = "Balance?", zh-CN = "余额？" }
choices = [{ key = "1", say = { en = ["balance"], zh-CN = ["余额"] }, next = "end" }]
"""
    caller = calling(text + END)
    assert caller.heard == ["余额？"]
    assert caller.listens[0].expect.language == "zh-CN"
    assert caller.listen_out().say("查余额").heard[-1] == "End ."
    assert caller.listen_out().session.language == "zh-CN"


@pytest.mark.parametrize(
    ("step", "heard"),
    [
        ('type = "ticket"\nsubject = "x"\non.unavailable = "bad"', [SORRY, "Bad."]),
        (
            'type = "llm"\ninstructions = "x"\non.unavailable = { prompt = "Later.", next = "end" }',
            ["Later.", "End ."],
        ),
        ('type = "answer"\nprompt = "?"\nknowledge = "x"', [SORRY]),
    ],
)
def test_what_is_not_available_says_so(calling, step: str, heard: list[str]) -> None:
    caller = calling(f"[step.start]\n{step}\n{END}")
    assert caller.heard == heard
    assert caller.hung_up == "completed"
    assert caller.noted("error")[0]["code"] == "step.unavailable"


def test_after_the_hangup_only_notes_are_left(calling) -> None:
    text = """
on.hangup = "told"
[step.start]
type = "menu"
prompt = "?"
choices = [{ key = "1", next = "end" }]
[step.told]
type = "emit"
event = "caller.left"
next = "start"
"""
    caller = calling(text + END)
    caller.tell(HungUp())
    assert caller.session.ended
    assert caller.noted("emit")[0]["event"] == "caller.left"
    assert caller.tell(PromptFinished(1)) == ()


def test_a_flow_that_runs_in_circles_ends_with_an_apology(calling) -> None:
    caller = calling('[step.start]\ntype = "goto"\nnext = "there"\n[step.there]\ntype = "goto"\nnext = "start"\n')
    assert caller.hung_up == "flow_error"
    assert caller.noted("error")[0]["code"] == "flow.loop"
    assert len(caller.heard) == 1


def test_a_prompt_that_cannot_be_played_raises_error_tts(calling) -> None:
    text = '[step.start]\ntype = "menu"\nprompt = "?"\nchoices = [{ key = "1", next = "end" }]\non.error.tts = "bad"\n'
    caller = calling(text + END)
    caller.tell(PromptFailed(1, "no voice"))
    assert caller.heard[-1] == "Bad."
    caller = calling(text.replace("on.error.tts", "# ") + END)
    caller.tell(PromptFailed(1, "no voice"))
    assert isinstance(caller.actions[-1], StartTimer)


def test_a_survey_asks_for_the_mark_and_the_reason(calling) -> None:
    text = """
[step.start]
type = "survey"
prompt = "One to five?"
reason = "Why?"
into = "out"
next = "end"
"""
    caller = calling(text + END).key("4")
    assert caller.heard[-1] == "Why?"
    caller.listen_out().say("the line was noisy", 0.6)
    assert caller.session.variables["survey_reason"] == "the line was noisy"
    assert caller.heard[-1] == "End 4."
    caller = calling(text + END).key("9").key("5").silence()
    assert caller.heard[1:] == ["I did not understand.", "One to five?", "Why?", "End 5."]


def test_stopping_prompts_is_told_once(calling) -> None:
    caller = calling('[step.start]\ntype = "menu"\nprompt = "?"\nchoices = [{ key = "1", next = "end" }]\n' + END).key(
        "1"
    )
    assert sum(isinstance(action, StopPrompts) for action in caller.actions) == 1
    assert not any(isinstance(action, CancelTimer) for action in caller.actions)
