"""Menus and gathers: words, keys, confidence, counted failures."""

import pytest

from flows.actions import Expect, Listen, Play, StartTimer
from flows.events import RecogniserFailed, SpeechTooLong

MENU = """
[step.start]
type = "menu"
prompt = "Balance or card?"
prompt_keys = "Press 1 or 2."
choices = [
  { key = "1", say = ["balance", "my balance"], next = "balance" },
  { key = "2", say = ["lost card"], next = "card" },
  { key = "23", say = ["long"], next = "card" },
]
on.noinput = [{ prompt = "Nothing?" }, { prompt = "Still nothing?", again = true }, { next = "card" }]
on.nomatch = [{ prompt = "Pardon?" }]
[step.balance]
type = "hangup"
prompt = "Balance."
[step.card]
type = "hangup"
prompt = "Card."
"""

DIGITS = """
[step.start]
type = "gather"
kind = "digits"
min = 2
max = 4
into = "number"
prompt = "Number?"
next = "end"
[step.end]
type = "hangup"
prompt = "It was {number}."
"""


def test_a_word_chooses(calling) -> None:
    caller = calling(MENU).listen_out().say("i want my balance please")
    assert caller.heard == ["Balance or card?", "Balance."]
    assert caller.hung_up == "completed"
    assert caller.noted("matched") == [
        {"step": "start", "text": "balance", "value": "balance", "confidence": 1.0, "by": "speech"}
    ]


def test_a_key_chooses_and_stops_the_prompt(calling) -> None:
    caller = calling(MENU).key("1")
    assert caller.heard[-1] == "Balance."


def test_a_key_that_may_become_a_longer_one_waits(calling) -> None:
    caller = calling(MENU).key("2")
    assert caller.hung_up is None
    assert caller.actions[-1] == StartTimer("interdigit", 3.0)
    assert caller.silence().heard[-1] == "Card."
    assert calling(MENU).key("23").heard[-1] == "Card."
    assert calling(MENU).key("2#").heard[-1] == "Card."


def test_the_second_noinput_takes_the_second_handler(calling) -> None:
    caller = calling(MENU).silence().silence().silence()
    assert caller.heard == ["Balance or card?", "Nothing?", "Still nothing?", "Balance or card?", "Card."]
    assert [data["count"] for data in caller.noted("flow.event")] == [1, 2, 3]


def test_after_attempts_the_call_ends_politely(calling) -> None:
    caller = calling(MENU).listen_out().say("fish").say("fish").say("fish")
    assert caller.hung_up == "completed"
    assert caller.heard[-1].startswith("I am sorry")
    assert [data["event"] for data in caller.noted("flow.event")] == ["nomatch", "nomatch", "nomatch", "attempts"]


def test_low_confidence_is_no_match(calling) -> None:
    assert calling(MENU).listen_out().say("balance", 0.4).heard[-1] == "Pardon?"


@pytest.mark.parametrize(("answer", "last"), [("yes", "Balance."), ("no", "Pardon?")])
def test_middling_confidence_asks_back(calling, answer: str, last: str) -> None:
    caller = calling(MENU).listen_out().say("balance", 0.6)
    assert caller.heard[-1] == "I heard balance. Is that right?"
    assert caller.listen_out().say(answer).heard[-1] == last


def test_digits_by_key_end_at_the_limit_the_key_or_the_gap(calling) -> None:
    assert calling(DIGITS).key("1234").heard[-1] == "It was 1234."
    assert calling(DIGITS).key("12#").heard[-1] == "It was 12."
    assert calling(DIGITS).key("123").silence().heard[-1] == "It was 123."
    assert calling(DIGITS).key("1#").heard[1] == "I did not understand."


def test_digits_by_voice(calling) -> None:
    assert calling(DIGITS).listen_out().say("double five oh").heard[-1] == "It was 550."
    assert calling(DIGITS).listen_out().say("one").heard[1] == "I did not understand."


def test_what_is_expected_is_told_to_the_recogniser(calling) -> None:
    expect = calling(DIGITS).listens[0].expect
    assert expect.digits == (2, 4)
    assert {"oh", "double"} <= set(expect.words)
    assert "lost card" in calling(MENU).listens[0].expect.phrases


def test_without_a_recogniser_the_menu_goes_on_by_keys(calling) -> None:
    caller = calling(MENU)
    caller.tell(RecogniserFailed("no model"))
    assert caller.heard[-1] == "Press 1 or 2."
    assert caller.noted("flow.event") == [{"event": "error.asr", "step": "start", "count": 1}]
    listens = len(caller.listens)
    assert caller.silence().heard[-1] == "Nothing?"
    assert len(caller.listens) == listens
    assert caller.key("1").heard[-1] == "Balance."


def test_a_caller_who_never_stops_is_interrupted(calling) -> None:
    caller = calling(MENU).listen_out()
    caller.tell(SpeechTooLong("bla bla", 0.9))
    assert caller.noted("flow.event")[0]["event"] == "max_speech"
    assert caller.heard[1] == "Please say it in fewer words."


def test_secret_digits_are_masked_everywhere_but_in_the_prompt(calling) -> None:
    caller = calling(DIGITS.replace('into = "number"', 'into = "number"\nsecret = true'))
    assert caller.session.is_secret
    caller.key("1234")
    assert caller.heard[-1] == "It was 1234."
    assert "1234" not in str(caller.notes)
    assert caller.noted("variable") == [{"name": "number", "value": "****"}]
    assert next(action for action in reversed(caller.actions) if hasattr(action, "secret")).secret


def test_keys_typed_ahead_answer_the_next_question(calling) -> None:
    text = DIGITS.replace('next = "end"', 'next = "more"') + (
        '[step.more]\ntype = "menu"\nprompt = "More?"\nchoices = [{ key = "9", next = "end" }]\n'
    )
    caller = calling(text).key("12349")
    assert caller.heard[-1] == "It was 1234."


def test_a_yes_or_no_becomes_a_variable(calling) -> None:
    text = """
[step.start]
type = "gather"
kind = "yes_no"
into = "sure"
prompt = "Sure?"
next = "which"
[step.which]
type = "branch"
cases = [{ when = "sure", next = "yes" }]
otherwise = "no"
[step.yes]
type = "hangup"
prompt = "Good."
[step.no]
type = "hangup"
prompt = "Bad."
"""
    assert calling(text).listen_out().say("yes please").heard[-1] == "Good."
    assert calling(text).key("2").heard[-1] == "Bad."


def test_noise_on_the_line_keeps_nobody_waiting_for_ever(calling) -> None:
    caller = calling(MENU).listen_out()
    for _ in range(20):
        heard = len(caller.heard)
        due = min(caller.timers.values())
        if due <= caller.now + 0.6:  # the timer runs out before the next noise
            caller.silence()
            break
        caller.now += 0.6
        caller.say("")
    assert caller.heard[heard:] == ["Nothing?"]


def test_a_sound_at_the_last_moment_gives_a_moment_more(calling) -> None:
    caller = calling(MENU).listen_out()
    caller.now += 4.9
    caller.say("um")
    assert caller.timers == {"noinput": caller.now + 1.0}
    assert caller.say("balance").heard[-1] == "Balance."


def test_repeat_and_back_work_everywhere(calling) -> None:
    text = MENU.replace('next = "balance" }', 'next = "number" }') + DIGITS.replace("start", "number").split(
        "[step.end]"
    )[0].replace('"end"', '"card"')
    caller = calling(text).key("1")
    assert caller.listen_out().say("say that again").heard[-1] == "Number?"
    assert caller.listen_out().say("go back").heard[-1] == "Balance or card?"
    assert caller.session.step == "start"


def test_asking_back_is_repeated_and_back_leads_to_the_question(calling) -> None:
    caller = calling(MENU).listen_out().say("balance", 0.6)
    assert caller.heard[-1] == "I heard balance. Is that right?"
    assert caller.listen_out().say("repeat that").heard[-1] == "I heard balance. Is that right?"
    assert caller.listen_out().say("go back").heard[-1] == "Balance or card?"
    assert caller.listen_out().say("balance", 0.6).listen_out().say("yes").heard[-1] == "Balance."


def test_repeat_says_the_news_again_and_not_only_the_question_after_it(calling) -> None:
    text = """
[step.start]
type = "gather"
kind = "digits"
length = 2
into = "account"
secret = true
prompt = "Account?"
next = "told"
[step.told]
type = "say"
prompt = "Account {account} has 12 dollars."
next = "more"
[step.more]
type = "menu"
prompt = "Anything else?"
choices = [{ key = "1", say = ["yes"], next = "start" }, { key = "2", say = ["no"], next = "more" }]
"""
    caller = calling(text).key("42").listen_out()
    for _ in range(2):
        caller.say("repeat that")
        assert caller.heard[-2:] == ["Account 42 has 12 dollars.", "Anything else?"]
        caller.listen_out()
    assert [action.secret for action in caller.actions if isinstance(action, Play)][-2:] == [True, False]
    assert caller.say("no").listen_out().say("repeat that").heard[-2:] == ["Anything else?", "Anything else?"]


SURVEY = """
[step.start]
type = "survey"
prompt = "How was it?"
reason = "And why?"
next = "end"
[step.end]
type = "hangup"
prompt = "Because {survey_reason}."
"""


def test_commands_work_where_any_words_are_an_answer(calling) -> None:
    caller = calling(SURVEY).listen_out().say("four")
    assert caller.listen_out().say("say that again").heard[-1] == "And why?"
    assert caller.listen_out().say("go back").heard[-1] == "How was it?"
    caller.listen_out().say("five").listen_out()
    assert caller.say("they had to repeat that twice").heard[-1] == "Because they had to repeat that twice."


def test_own_words_are_not_narrowed_down_to_commands(calling) -> None:
    def expected(text: str) -> Expect:
        listens = [action for action in calling(text).actions if isinstance(action, Listen)]
        return listens[-1].expect

    text = DIGITS.replace('"digits"\nmin = 2\nmax = 4', '"text"')
    assert (expected(text).phrases, expected(text).words, expected(text).digits) == ((), (), None)
    assert "go back" in expected(DIGITS).phrases


def test_the_recogniser_knows_of_okay_where_phrases_are_expected_and_not_among_digits(calling) -> None:
    (menu,) = [action.expect for action in calling(MENU).actions if isinstance(action, Listen)]
    assert "okay" in menu.words
    (number,) = [action.expect for action in calling(DIGITS).actions if isinstance(action, Listen)]
    assert "okay" not in number.words
