"""The engine's rarer ways: each of them a caller or a service that does the unexpected."""

import dataclasses

import pytest

from flows.actions import AudioFile, Play
from flows.errors import SnapshotError
from flows.events import CallStarted, KeyPressed, RecogniserFailed, Replied, TimerFired
from flows.session import Session

MENU = """
[step.start]
type = "menu"
prompt = "Balance?"
confirm = "Did you say {heard}?"
into = "where"
choices = [{ key = "1", say = ["balance"], next = "end" }]
on.attempts = { prompt = "Enough." }
on.error.asr = { prompt = "Keys, please.", again = true }
[command.help]
say = ["help"]
key = "*"
next = "end"
[step.end]
type = "hangup"
prompt = "End."
"""
ENDS = '[step.end]\ntype = "hangup"\nprompt = "End."\n[step.bad]\ntype = "hangup"\nprompt = "Bad."\n'


def test_asking_back_takes_keys_and_the_authors_words(calling) -> None:
    caller = calling(MENU).listen_out().say("balance", 0.6)
    assert caller.heard[-1] == "Did you say balance?"
    caller.key("1")
    assert caller.hung_up == "completed"
    assert caller.session.variables["where"] == "end"


def test_a_commands_key_works_where_the_step_has_no_use_for_it(calling) -> None:
    assert calling(MENU).key("*").heard[-1] == "End."


def test_giving_up_in_the_authors_words(calling) -> None:
    caller = calling(MENU).key("777")
    assert (caller.heard[-1], caller.hung_up) == ("Enough.", "completed")


def test_a_lost_recogniser_is_answered_by_its_handler(calling) -> None:
    caller = calling(MENU)
    caller.tell(RecogniserFailed("gone"))
    assert caller.heard[-2:] == ["Keys, please.", "Balance?"]
    assert caller.tell(RecogniserFailed("gone")) == ()


def test_keys_that_nobody_knows_are_ignored(calling) -> None:
    caller = calling(MENU)
    assert caller.tell(KeyPressed("x")) == ()


def test_a_rule_that_decides_nothing_is_trouble(calling) -> None:
    text = (
        '[rules.r]\ninputs = ["1"]\noutputs = ["x"]\nrows = [[2, "y"]]\n'
        '[step.start]\ntype = "rule"\nrules = "r"\nnext = "end"\n'
    )
    assert calling(text + ENDS).hung_up == "flow_error"
    caller = calling(
        text.replace('rules = "r"', 'rules = "r"\non.error.semantic = { prompt = "Hm.", next = "bad" }') + ENDS
    )
    assert caller.heard == ["Hm.", "Bad."]


def test_what_the_checker_would_have_found_ends_with_an_apology(calling) -> None:
    for step in ('type = "goto"\nnext = "nowhere"', 'type = "call"\nflow = "nobody"\nnext = "end"'):
        caller = calling(f"[step.start]\n{step}\n{ENDS}")
        assert caller.hung_up == "flow_error"
        assert caller.heard[-1].startswith("I am sorry, something went wrong")


def test_a_voice_step_and_a_recorded_prompt(calling) -> None:
    text = (
        '[step.start]\ntype = "voice"\nvoice = "deep"\nnext = "say"\n'
        '[step.say]\ntype = "say"\nprompt = [{ file = "jingle.wav" }, ""]\nnext = "quiet"\n'
        '[step.quiet]\ntype = "say"\nprompt = { zh-CN = "" }\nnext = "end"\n'
    )
    plays = [action for action in calling(text + ENDS).actions if isinstance(action, Play)]
    assert plays[0].pieces[0] == AudioFile("jingle.wav")
    assert [play.voice for play in plays] == ["deep", "deep"]


def test_keys_that_cannot_be_sent_are_trouble(calling) -> None:
    caller = calling('[step.start]\ntype = "send_dtmf"\nkeys = "1"\non.error.semantic = "bad"\nnext = "end"\n' + ENDS)
    caller.tell(Replied(1, ok=False))
    assert caller.heard == ["Bad."]


def test_a_return_in_a_flow_that_nobody_called_ends_the_call(calling) -> None:
    assert calling('[step.start]\ntype = "return"\n').hung_up == "completed"


def test_an_http_answer_that_is_not_wanted_is_not_kept(calling) -> None:
    text = (
        '[step.start]\ntype = "http"\nurl = "http://x/"\nfiller = "Wait."\nfiller_after = "100ms"\nstatus.404 = "end"\n'
        'on.error.http = "bad"\nnext = "end"\n'
    )
    caller = calling('[step.start2]\ntype = "goto"\nnext = "end"\n' + text + ENDS)
    caller.playing.clear()
    caller.silence()
    assert caller.heard == ["Wait."]
    caller.tell(Replied(1, ok=True, result={"status": 200, "json": {"a": 1}}))
    assert caller.heard[-1] == "End."


def test_a_saved_conversation_fits_only_its_flow(calling, flow_of) -> None:
    session = calling(MENU).session
    saved = session.snapshot()
    with pytest.raises(SnapshotError, match="fields do not fit"):
        Session.resume(session.flow, {"flow": 5})
    with pytest.raises(SnapshotError, match="this is test 1"):
        Session.resume(session.flow, {**saved, "version": 2})
    with pytest.raises(SnapshotError, match="has no step"):
        Session.resume(session.flow, {**saved, "step": "gone"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        session._state.step = "x"


def test_the_filler_does_not_talk_into_a_prompt(calling) -> None:
    text = (
        '[step.start]\ntype = "say"\nprompt = "Let me see."\nnext = "ask"\n'
        '[step.ask]\ntype = "http"\nurl = "http://x/"\nfiller = "Wait."\non.error.http = "bad"\nnext = "end"\n'
    )
    caller = calling(text + ENDS)
    caller.tell(TimerFired("filler"))
    assert caller.heard == ["Let me see."]
    caller.listen_out()
    caller.tell(TimerFired("filler"))
    assert caller.heard == ["Let me see.", "Wait."]


def test_chance_at_its_very_edge_takes_the_last_way(calling) -> None:
    shares = '[{ percent = 50, next = "bad" }, { percent = 50, next = "end" }]'
    caller = calling(f'[step.start]\ntype = "split"\nshares = {shares}\n{ENDS}')
    caller.tell(Replied(1, ok=True, result={"value": 1.0}))
    assert caller.heard == ["End."]


def test_a_return_to_a_step_that_calls_nothing_ends_with_an_apology(flow_of, caller_of) -> None:
    flow = flow_of(f'[step.start]\ntype = "menu"\nprompt = "?"\nchoices = [{{ key = "1", next = "back" }}]\n'
                   f'[step.back]\ntype = "return"\n{ENDS}')  # fmt: skip
    saved = caller_of(Session.start(flow)).call().session.snapshot()
    frame = {"flow": "test", "step": "end", "variables": {}, "secrets": []}
    caller = caller_of(Session.resume(flow, {**saved, "frames": [frame]}))
    assert caller.key("1").hung_up == "flow_error"


SECRET = """
[step.start]
type = "menu"
prompt = "?"
choices = [{ key = "1", next = "pin" }]
[step.pin]
type = "gather"
kind = "digits"
into = "pin"
secret = true
prompt = "Your secret number?"
next = "start"
"""


def test_a_key_typed_ahead_is_secret_where_any_step_that_may_take_it_asks_for_a_secret(flow_of) -> None:
    plain = flow_of(SECRET.replace("secret = true", ""))
    secret = flow_of(SECRET)
    for flow, before, asked in ((plain, False, False), (secret, True, False)):
        session = Session.start(flow)
        assert session.is_key_secret is before, "nothing is asked yet"
        session.handle(CallStarted("1", "2", "3"), 0.0)
        assert session.is_key_secret is asked, "a menu asks"
    session.handle(KeyPressed("1"), 0.0)
    assert session.step == "pin"
    assert session.is_key_secret
    assert session.is_secret


def test_keys_are_not_hidden_from_the_archive_while_the_caller_waits_for_a_person(calling) -> None:
    text = (
        '[step.start]\ntype = "queue"\nqueue = "q"\non.no_agents = "pin"\n'
        '[step.pin]\ntype = "gather"\nkind = "digits"\nsecret = true\ninto = "pin"\nprompt = "PIN?"\nnext = "end"\n'
    )
    caller = calling(text + ENDS)
    assert not caller.session.is_key_secret, "nobody keeps them for the next step"
    caller.news("answered")
    assert caller.session.is_key_secret, "they may be told to the agent in confidence"
