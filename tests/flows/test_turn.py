"""Who may speak: barge-in, pause and resume, hotword, type-ahead."""

from flows.actions import PausePrompt, ResumePrompt, StopPrompts
from flows.events import PromptFinished, SpeechEnded, SpeechPartial, SpeechStarted

MENU = """
[step.start]
type = "menu"
prompt = "Say balance."
barge_in = BARGE
choices = [{ key = "1", say = ["balance"], next = "end" }]
[step.end]
type = "hangup"
prompt = "Done."
"""


def begin(calling, barge_in: str):
    return calling(MENU.replace("BARGE", barge_in))


def test_the_first_sound_pauses_the_prompt_at_once(calling) -> None:
    caller = begin(calling, "true")
    assert caller.tell(SpeechStarted())[0] == PausePrompt()


def test_noise_and_uh_huh_let_the_prompt_go_on(calling) -> None:
    for text in ("", "[unk]", "uh-huh", "mm", "嗯"):
        caller = begin(calling, "true").say(text)
        assert ResumePrompt() in caller.actions, text
        assert not caller.noted("flow.event"), text


def test_uh_huh_is_an_answer_where_yes_is_expected(calling) -> None:
    text = MENU.replace("BARGE", "true").replace('say = ["balance"]', 'say = ["okay"]')
    assert calling(text).say("okay").heard[-1] == "Done."


def test_words_stop_the_prompt_even_if_they_do_not_match(calling) -> None:
    caller = begin(calling, "true").say("fish")
    assert StopPrompts() in caller.actions
    assert caller.noted("flow.event")[0]["event"] == "nomatch"


def test_without_barge_in_speech_is_ignored_and_keys_wait(calling) -> None:
    caller = begin(calling, "false").say("balance")
    assert caller.heard == ["Say balance."]
    caller.key("1")
    assert caller.heard == ["Say balance."]
    assert not any(isinstance(action, PausePrompt | StopPrompts) for action in caller.actions)
    assert caller.listen_out().heard[-1] == "Done."


def test_speech_that_outlasts_the_prompt_counts(calling) -> None:
    caller = begin(calling, "false")
    caller.tell(SpeechStarted())
    caller.tell(PromptFinished(1))
    caller.tell(SpeechEnded("balance", 1.0))
    assert caller.heard[-1] == "Done."


def test_hotword_stops_only_for_what_fits(calling) -> None:
    caller = begin(calling, '"hotword"').say("fish and chips")
    assert caller.heard == ["Say balance."]
    assert not caller.noted("flow.event")
    caller.tell(SpeechStarted())
    assert caller.tell(SpeechPartial("bal")) == ()
    assert StopPrompts() in caller.tell(SpeechPartial("balance"))
    caller.tell(SpeechEnded("balance", 1.0))
    assert caller.heard[-1] == "Done."


def test_a_recogniser_that_says_nothing_more_does_not_leave_the_prompt_paused(calling) -> None:
    caller = begin(calling, "true")
    caller.tell(SpeechStarted())
    assert "speech" in caller.timers
    caller.playing.clear()
    caller.silence()
    assert ResumePrompt() in caller.actions
