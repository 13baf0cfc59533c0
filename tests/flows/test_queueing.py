"""The queue step: what callers hear who wait, are answered, or reach nobody."""

from typing import Any

import pytest

from flows.actions import AudioFile, Request, StopPrompts, Text
from flows.events import (
    HungUp,
    KeyPressed,
    News,
    PromptFailed,
    PromptFinished,
    QueueNews,
    Replied,
    SpeechEnded,
    TimerFired,
)

END = (
    '[step.end]\ntype = "hangup"\nprompt = "End."\n[step.bad]\ntype = "hangup"\nprompt = "Bad."\n'
    '[step.told]\ntype = "emit"\nevent = "told"\ndata = { how = "default(how, 0)" }\nnext = "end"\n'
)
MUSIC = (AudioFile("audio/music.wav"),)


@pytest.fixture
def waiting(calling):
    """A caller in a queue step who hears music; `more` are further keys of it."""

    def begin(more: str = "", header: str = "", **variables: Any):
        step = f'[step.start]\ntype = "queue"\nqueue = "cards"\nnext = "end"\n{more}\n'
        caller = calling(f"{header}\n{step}{END}", **variables)
        caller.later(0, "music")
        return caller

    return begin


# -- what is asked for


def test_the_request_says_everything_that_the_queue_must_know(waiting) -> None:
    caller = waiting(
        'skills = { cards = 3 }\npriority = 7\nannounce_position = "limit"\nwhisper = "It is {name}, code {code}."\n'
        'context = { name = "{name}", code = "{code}" }',
        name="Ann",
        code="1234",
    )
    assert caller.asked().arguments == {
        "step": "start",
        "queue": "cards",
        "skills": {"cards": 3},
        "priority": 7,
        "language": "en",
        "voice": "",
        "joined": caller.now,
        "announce": {"position": "limit"},
        "whisper": (Text("It is Ann, code 1234."),),
        "context": {"name": "Ann", "code": "1234"},
    }


def test_what_the_caller_gave_in_confidence_is_not_told_to_the_agent(calling) -> None:
    caller = calling(
        '[step.start]\ntype = "gather"\nkind = "digits"\nlength = 4\nsecret = true\ninto = "pin"\nprompt = "PIN?"\n'
        'next = "wait"\n[step.wait]\ntype = "queue"\nqueue = "cards"\ncontext = { pin = "{pin}" }\n'
        'whisper = ["A caller.", "The PIN is {pin}."]\n' + END
    )
    caller.key("1234")
    assert caller.asked().arguments["whisper"] == (Text("A caller."),)
    assert caller.asked().arguments["context"] == {"pin": "****"}


def test_a_priority_step_counts_for_queues_to_come_that_have_none_of_their_own(calling) -> None:
    text = (
        '[step.start]\ntype = "priority"\npriority = 30\nnext = "first"\n'
        '[step.first]\ntype = "queue"\nqueue = "a"\non.no_agents = "second"\n'
        '[step.second]\ntype = "queue"\nqueue = "b"\npriority = 5\n'
    )
    caller = calling(text)
    assert caller.asked("queue_priority").arguments == {"priority": 30}
    assert caller.asked().arguments["priority"] == 30
    caller.over("no_agents")
    assert caller.asked().arguments["priority"] == 5


def test_one_who_comes_back_to_a_queue_has_kept_the_place(calling) -> None:
    text = (
        '[step.start]\ntype = "queue"\nqueue = "a"\nmax_wait = "60s"\non.timeout = "other"\nnext = "start"\n'
        '[step.other]\ntype = "queue"\nqueue = "b"\non.no_agents = "start"\n'
    )
    caller = calling(text)
    began = caller.now
    caller.later(60, "max_wait")
    assert caller.asked().arguments["joined"] == began + 60
    caller.over("no_agents")
    assert caller.asked().arguments["joined"] == began
    caller.news(News.ANSWERED, agent="anna")
    caller.now += 100
    caller.over("answered")
    assert caller.asked().arguments["joined"] == began + 160, "after a talk a new wait begins"


# -- waiting


def test_music_plays_whenever_nothing_else_does(calling) -> None:
    text = (
        '[step.start]\ntype = "say"\nprompt = "Hello."\nnext = "wait"\n[step.wait]\ntype = "queue"\nqueue = "a"\n' + END
    )
    caller = calling(text)
    caller.news(News.JOINED)
    assert caller.plays == [(Text("Hello."),)]
    for number in (1, 2, 3):
        caller.now += 24
        caller.tell(PromptFinished(number))
    assert caller.plays[1:] == [MUSIC, MUSIC, MUSIC]
    caller.tell(SpeechEnded("is anybody there", 1.0))
    assert caller.heard[0] == "Hello."
    assert len(caller.plays) == 4


def test_who_finds_nobody_there_hears_no_note_of_music(calling) -> None:
    text = '[step.start]\ntype = "queue"\nqueue = "a"\non.no_agents = "end"\n'
    caller = calling(text + END)
    caller.over("no_agents")
    assert caller.plays == [(Text("End."),)]
    caller = calling(text + END)
    assert caller.timers["music"] == caller.now + 1, "nobody waits in silence for the queue's first word"
    caller.later(1, "music")
    assert caller.plays == [MUSIC]


def test_the_authors_music(waiting) -> None:
    assert waiting('music = { file = "jazz.wav" }').plays == [(AudioFile("jazz.wav"),)]


def test_words_come_where_music_cannot_be_played(waiting) -> None:
    caller = waiting()
    caller.tell(PromptFailed(1, "no such file"))
    words = caller.heard[-1]
    assert words == "Please stay on the line. The next free agent will take your call."
    caller.tell(PromptFinished(2))
    caller.later(5, "music")
    assert caller.heard[-1] == words
    caller.tell(PromptFailed(3, "no voice either"))
    assert caller.timers["music"] > caller.now, "not at once, not never"
    assert MUSIC not in caller.plays[1:]


@pytest.mark.parametrize("music", ['music = ""', 'music = { file = "empty.wav" }'])
def test_music_without_a_sound_is_none(waiting, music: str) -> None:
    caller = waiting(f'{music}\ncomfort = "Thank you."')
    caller.listen_out()
    assert "music" in caller.timers
    caller.later(5, "music")
    assert caller.heard[-1] == "Thank you."


def test_comfort_messages_take_turns_and_the_music_goes_on(waiting) -> None:
    caller = waiting('comfort = ["One.", "Two."]\ncomfort_every = "30s"')
    for _ in range(3):
        caller.later(30, "comfort")
        caller.tell(PromptFinished(caller.playing.pop(0)))
    assert caller.plays[1::2] == [(Text("One."),), (Text("Two."),), (Text("One."),)]
    assert caller.plays[0::2] == [MUSIC] * 4


def test_words_are_not_cut_by_words(waiting) -> None:
    caller = waiting('comfort = "One."\non.offered = { prompt = "It rings." }')
    caller.later(45, "comfort")
    caller.news(News.OFFERED, agent="anna")
    assert sum(isinstance(action, StopPrompts) for action in caller.actions) == 1
    assert [caller.heard[-2], caller.heard[-1]] == ["One.", "It rings."]


# app_queue's documentation (queues.conf.sample) is quoted for each row.
@pytest.mark.parametrize(
    ("settings", "position", "heard"),
    [
        # "If set to 'no,' then the caller's position will never be announced."
        ('announce_position = "no"', 3, None),
        # "If 'yes,' then the caller's position in the queue will be announced to the caller."
        ('announce_position = "yes"', 30, "You are number 30 in line."),
        ('announce_position = "yes"', 1, "You are next in line."),
        # "If set to 'limit,' then only callers within the limit ... will have their position announced."
        ('announce_position = "limit"', 5, "You are number 5 in line."),
        ('announce_position = "limit"', 6, None),
        # "If a caller number 6 is in a queue with the announce-position-limit set to 5, then that caller will hear
        # that there are more than 5 callers waiting."
        ('announce_position = "more"', 6, "There are more than 5 callers before you."),
        ('announce_position = "more"', 5, "You are number 5 in line."),
        ('announce_position = "more"\nannounce_position_limit = 3', 4, "There are more than 3 callers before you."),
        ('announce_position = "limit"\nannounce_position_limit = 7', 7, "You are number 7 in line."),
    ],
)
def test_the_place_is_announced_as_app_queue_does(waiting, settings: str, position: int, heard: str | None) -> None:
    caller = waiting(settings)
    caller.news(News.JOINED, position=position, expected_wait_s=100)
    assert caller.heard[-1] == (heard or "")


@pytest.mark.parametrize(
    ("expected_wait_s", "heard"),
    [
        (20, "The expected wait is about one minute."),
        (100, "The expected wait is about 2 minutes."),
        (3600.5, "The expected wait is about 60 minutes."),
        (0, ""),
        (None, ""),
        (float("nan"), ""),
        ("soon", ""),
    ],
)
def test_the_expected_wait_is_announced_in_minutes(waiting, expected_wait_s: Any, heard: str) -> None:
    caller = waiting('announce_holdtime = "yes"')
    caller.news(News.JOINED, position=2, expected_wait_s=expected_wait_s)
    assert caller.heard[-1] == heard


def test_the_expected_wait_is_told_once_where_that_is_wanted(waiting) -> None:
    caller = waiting('announce_position = "yes"\nannounce_holdtime = "once"')
    caller.news(News.JOINED, position=2, expected_wait_s=100)
    assert caller.heard[-1] == "You are number 2 in line.The expected wait is about 2 minutes."
    caller.tell(PromptFinished(caller.playing.pop(0)))
    caller.later(60, "position")
    assert caller.heard[-1] == "You are number 2 in line."


def test_a_new_place_is_told_at_once_but_not_twice_in_15_s(waiting) -> None:
    caller = waiting('announce_position = "yes"')
    caller.news(News.JOINED, position=4, expected_wait_s=None)
    assert caller.timers["position"] == caller.now + 60
    caller.now += 5
    caller.news(News.POSITION, position=3, expected_wait_s=None)
    assert caller.heard[-1] == "You are number 4 in line."
    assert caller.timers["position"] == caller.now + 10
    caller.later(10, "position")
    assert caller.heard[-1] == "You are number 3 in line."
    caller.now += 20
    caller.news(News.POSITION, position=2, expected_wait_s=None)
    assert caller.heard[-1] == "You are number 2 in line."
    caller.news(News.POSITION, position=2, expected_wait_s=None)
    assert caller.heard.count("You are number 2 in line.") == 1


def test_the_queues_own_settings_count_where_the_author_said_nothing(waiting) -> None:
    settings = {"position": "yes", "holdtime": "yes"}
    caller = waiting('announce_holdtime = "no"')
    caller.news(News.JOINED, position=3, expected_wait_s=200, announce=settings)
    assert caller.heard[-1] == "You are number 3 in line."


def test_announcements_in_mandarin(waiting) -> None:
    caller = waiting('announce_position = "more"\nannounce_holdtime = "yes"', header='language = "zh-CN"')
    caller.news(News.JOINED, position=8, expected_wait_s=120)
    assert caller.heard[-1] == "您前面有超过5位来电者在等待。预计等待约2分钟。"


# -- the answer and the talk


def test_an_answer_ends_prompts_and_timers_and_the_flow_goes_on_after_the_talk(waiting) -> None:
    caller = waiting('into = "how"\ncomfort = "Wait."\nexit_key = "1"\non.exit_key = "bad"')
    caller.news(News.JOINED, position=1, expected_wait_s=5)
    caller.now += 12
    caller.news(News.OFFERED, agent="anna")
    answered = caller.news(News.ANSWERED, agent="anna", display="Anna")
    assert isinstance(answered[0], StopPrompts)
    assert caller.timers == {}
    assert caller.session.is_talking
    for event in (KeyPressed("1"), SpeechEnded("hello", 1.0), TimerFired("max_wait"), PromptFinished(1)):
        assert caller.tell(event) == (), "keys and speech are the agent's"
    caller.now += 300
    caller.news(News.ENDED, by="agent")
    assert caller.timers["request"] == caller.now + 5
    caller.over("answered", agent="anna", by="agent")
    assert caller.session.variables["how"] == {"outcome": "answered", "agent": "anna", "waited_s": 12.0}
    assert (caller.heard[-1], caller.hung_up) == ("End.", "completed")
    assert [data["event"] for data in caller.noted("flow.event")] == ["joined", "offered", "answered"]


def test_a_talk_that_ended_and_of_which_nothing_more_is_heard_goes_on(waiting) -> None:
    caller = waiting()
    caller.news(News.ANSWERED, agent="anna")
    caller.news(News.ENDED, by="agent")
    caller.later(5, "request")
    assert caller.heard[-1] == "End."


def test_a_talk_without_a_next_step_ends_the_call(calling) -> None:
    caller = calling('[step.start]\ntype = "queue"\nqueue = "a"\n')
    caller.news(News.ANSWERED, agent="anna")
    caller.over("answered")
    assert (caller.hung_up, caller.heard) == ("completed", [])


# -- nobody answers


@pytest.mark.parametrize(
    ("handlers", "outcome", "heard"),
    [
        ('on.no_agents = "bad"', "no_agents", ["Bad."]),
        ('on.no_agents = "bad"', "full", ["Bad."]),
        ('on.no_agents = "bad"\non.full = { prompt = "Full.", next = "bad" }', "full", ["Full.", "Bad."]),
        ('on.no_agents = "bad"', "unavailable", ["Bad."]),
        ('on.unavailable = "bad"', "what?", ["Bad."]),
        ('on.no_agents = { prompt = "Nobody." }', "no_agents", ["Nobody.", "End."]),
        ("", "no_agents", ["I am sorry, nobody is here to take your call right now.", "End."]),
        ("", "full", ["I am sorry, all our agents are busy.", "End."]),
        ("", "unavailable", ["I am sorry, I cannot connect you right now.", "End."]),
    ],
)
def test_who_is_not_answered_goes_where_the_author_says(waiting, handlers: str, outcome: str, heard: list[str]) -> None:
    caller = waiting(f'{handlers}\ninto = "how"')
    caller.over(outcome)
    assert caller.heard[1:] == heard
    known = outcome if outcome != "what?" else "unavailable"
    assert caller.session.variables["how"]["outcome"] == known


def test_without_a_step_to_go_to_the_call_ends_with_an_apology(calling) -> None:
    caller = calling('[step.start]\ntype = "queue"\nqueue = "a"\n')
    caller.tell(Replied(1, ok=False, result={"error": "queue is not available"}))
    assert caller.heard == ["I am sorry, I cannot connect you right now.", "Please call again later. Goodbye."]
    assert caller.hung_up == "completed"
    assert caller.noted("error")[0] == {"code": "queue.unavailable", "detail": "queue is not available"}


def test_a_queue_that_says_nothing_is_unavailable(waiting) -> None:
    caller = waiting('on.unavailable = "bad"')
    assert caller.timers["request"] == caller.now + 15
    caller.later(15, "request")
    assert caller.asked("queue_leave").arguments == {"reason": "timeout"}
    assert caller.heard[-1] == "Bad."


def test_the_longest_wait(waiting) -> None:
    caller = waiting('max_wait = "90s"\non.timeout = "bad"')
    caller.news(News.JOINED, position=1, expected_wait_s=5)
    assert caller.timers == {"max_wait": caller.now + 90}
    actions = caller.later(90, "max_wait")
    assert [one.kind for one in actions if isinstance(one, Request)] == ["queue_leave"]
    assert caller.asked("queue_leave").arguments == {"reason": "timeout"}
    assert caller.heard[-1] == "Bad."
    assert caller.over("left") == (), "the engine has gone on"


def test_the_key_that_leaves(waiting) -> None:
    caller = waiting('exit_key = "1"\non.exit_key = "bad"')
    assert caller.key("5").heard == [""]
    caller.key("1")
    assert caller.asked("queue_leave").arguments == {"reason": "exit_key"}
    assert caller.heard[-1] == "Bad."


def test_overflow_to_another_queue_leaves_the_first(calling) -> None:
    text = (
        '[step.start]\ntype = "queue"\nqueue = "a"\nmax_wait = "20s"\non.timeout = "more"\n'
        '[step.more]\ntype = "queue"\nqueue = "b"\non.no_agents = "end"\n'
    )
    caller = calling(text + END)
    first = caller.asked()
    caller.later(20, "max_wait")
    assert [one.kind for one in caller.actions if isinstance(one, Request)] == ["queue", "queue_leave", "queue"]
    caller.tell(QueueNews(first.request, News.ANSWERED, {"agent": "late"}))
    assert not caller.session.is_talking, "news of the queue that was left"
    caller.over("no_agents")
    assert caller.heard[-1] == "End."


def test_a_prompt_from_before_the_wait_is_heard_to_its_end(calling) -> None:
    text = (
        '[step.start]\ntype = "say"\nprompt = "Hello."\nnext = "wait"\n'
        '[step.wait]\ntype = "queue"\nqueue = "a"\non.no_agents = "end"\n'
    )
    caller = calling(text + END)
    caller.over("no_agents")
    assert not any(isinstance(action, StopPrompts) for action in caller.actions)
    assert caller.heard == ["Hello.", "End."]


@pytest.mark.parametrize(("talks", "outcome"), [(False, "abandoned"), (True, "answered")])
def test_who_hangs_up_is_told_of(waiting, talks: bool, outcome: str) -> None:
    caller = waiting('into = "how"\non.abandoned = "told"\non.hangup = "told"')
    caller.now += 7
    if talks:
        caller.news(News.ANSWERED, agent="anna")
    caller.tell(HungUp())
    (emitted,) = caller.noted("emit")
    assert emitted["data"]["how"] == {"outcome": outcome, "agent": "anna" if talks else "", "waited_s": 7.0}
    assert [data["event"] for data in caller.noted("flow.event")][-1] == ("hangup" if talks else "abandoned")
