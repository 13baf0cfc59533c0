"""Transfers, staffing, calls back: what is asked for, and where callers go whom it does not help."""

from typing import Any

import pytest

from flows.actions import AudioFile, Request, Text
from flows.events import (
    News,
    PromptFailed,
    Replied,
)
from flows.people import moment

END = (
    '[step.end]\ntype = "hangup"\nprompt = "End."\n[step.bad]\ntype = "hangup"\nprompt = "Bad."\n'
    '[step.told]\ntype = "emit"\nevent = "told"\ndata = { how = "default(how, 0)" }\nnext = "end"\n'
)
MUSIC = (AudioFile("audio/music.wav"),)


TRANSFER = '[step.start]\ntype = "transfer"\nto = " sip:{who}@b "\nnext = "end"\n'


def test_a_transfer_begins_when_the_prompts_before_it_have_been_heard(calling) -> None:
    text = '[step.start]\ntype = "say"\nprompt = "Hold on."\nnext = "go"\n' + TRANSFER.replace("start", "go")
    more = 'mode = "attended"\ndtmf = "1,,{pin}x#"\nwhisper = "From {who}."\ntimeout = "20s"\n'
    caller = calling(text + more + END, who="a", pin=42)
    assert not any(isinstance(action, Request) for action in caller.actions)
    caller.listen_out()
    assert caller.asked("transfer").arguments == {
        "step": "go",
        "to": "sip:a@b",
        "mode": "attended",
        "dtmf": "1,,42#",
        "whisper": (Text("From a."),),
        "language": "en",
        "voice": "",
        "timeout_s": 20.0,
    }
    assert caller.plays[-1] == MUSIC
    caller.over("transferred", "transfer")
    assert (caller.hung_up, caller.playing) == ("transferred", [])


def test_after_a_transfer_the_flow_may_still_tell_somebody(calling) -> None:
    caller = calling(TRANSFER + 'on.transfer = "told"\n' + END, who="a")
    caller.over("transferred", "transfer")
    assert caller.noted("emit")


def test_a_bridge_is_a_talk(calling) -> None:
    caller = calling(TRANSFER + 'mode = "bridge"\n' + END, who="a")
    caller.news(News.ANSWERED, "transfer")
    assert caller.session.is_talking
    assert caller.timers == {}
    caller.over("ended", "transfer", by="agent")
    assert caller.heard[-1] == "End."


@pytest.mark.parametrize(
    ("handlers", "outcome", "heard"),
    [
        ('on.busy = "bad"', "busy", ["Bad."]),
        ('on.no_answer = { prompt = "No answer.", next = "bad" }', "no_answer", ["No answer.", "Bad."]),
        ('on.failed = "bad"', "refused", ["Bad."]),
        ('on.failed = "bad"', "failed", ["Bad."]),
        ('on.failed = "bad"', "", ["Bad."]),
        ('on.failed = "bad"', "odd", ["Bad."]),
        ("", "busy", ["I am sorry, I cannot connect you right now.", "End."]),
    ],
)
def test_a_transfer_that_fails(calling, handlers: str, outcome: str, heard: list[str]) -> None:
    caller = calling(TRANSFER + handlers + "\n" + END, who="a")
    caller.over(outcome, "transfer")
    assert caller.heard[1:] == heard
    assert caller.noted("error")[0]["code"] == f"transfer.{outcome or 'unavailable'}"


def test_a_transfer_of_which_nothing_is_heard_was_not_answered(calling) -> None:
    caller = calling(TRANSFER + 'timeout = "20s"\non.no_answer = "bad"\n' + END, who="a")
    caller.tell(PromptFailed(1, "no music"))
    assert caller.heard[-1] == "One moment, please. I am connecting you."
    caller.later(100, "request")
    assert caller.heard[-1] == "Bad."


# -- staffing, callback


STAFFING = '[step.start]\ntype = "staffing"\nqueue = "q"\ninto = "there"\nstaffed = "end"\nunstaffed = "bad"\n'


@pytest.mark.parametrize(
    ("ok", "result", "heard", "kept"),
    [
        (True, {"logged_in": 2, "ready": 0, "waiting": 3, "expected_wait_s": 61.5}, "End.", (2, 0, 3, 61.5)),
        (True, {"logged_in": 0, "ready": 0, "waiting": 0, "expected_wait_s": None}, "Bad.", (0, 0, 0, 0)),
        (True, {"logged_in": "two"}, "Bad.", (0, 0, 0, 0)),
        (False, {"error": "nobody knows"}, "Bad.", (0, 0, 0, 0)),
    ],
)
def test_staffing(calling, ok: bool, result: dict[str, Any], heard: str, kept: tuple[float, ...]) -> None:
    caller = calling(STAFFING + END)
    assert caller.asked("staffing").arguments == {"step": "start", "queue": "q"}
    caller.tell(Replied(1, ok=ok, result=result))
    assert caller.heard == [heard]
    assert tuple(caller.session.variables["there"].values()) == kept


def test_staffing_that_nobody_knows_is_answered_by_its_handler(calling) -> None:
    caller = calling(STAFFING + 'on.unavailable = { prompt = "Who knows.", next = "end" }\n' + END)
    caller.later(5, "request")
    assert caller.heard == ["Who knows.", "End."]


def test_a_callback_keeps_the_place_of_who_has_waited(calling) -> None:
    text = (
        '[step.start]\ntype = "queue"\nqueue = "q"\nexit_key = "1"\non.exit_key = "book"\non.no_agents = "end"\n'
        'skills = { cards = 2 }\npriority = 9\ncontext = { about = "a card" }\n'
        '[step.book]\ntype = "callback"\nnumber = "{call.caller} "\nqueue = "q"\ninto = "booked"\nnext = "told2"\n'
        '[step.told2]\ntype = "hangup"\nprompt = "Number {booked.position}, {booked.ticket}."\n'
    )
    caller = calling(text + END)
    began = caller.now
    caller.now += 50
    caller.key("1")
    assert caller.asked("callback").arguments == {
        "step": "book",
        "number": "+4912345",
        "queue": "q",
        "joined": began,
        "at": None,
        "skills": {"cards": 2},
        "priority": 9,
        "language": "en",
        "context": {"about": "a card"},
    }
    caller.tell(Replied(caller.asked("callback").request, ok=True, result={"position": 4, "ticket": "c-17"}))
    assert caller.heard[-1] == "Number 4, c-17."


CALLBACK = '[step.start]\ntype = "callback"\nnumber = "1"\nqueue = "q"\nnext = "end"\n'


@pytest.mark.parametrize(
    ("more", "heard"),
    [
        ("", ["I am sorry, I cannot connect you right now.", "Please call again later. Goodbye."]),
        ('on.unavailable = "bad"', ["Bad."]),
    ],
)
def test_a_callback_that_cannot_be_booked(calling, more: str, heard: list[str]) -> None:
    caller = calling(CALLBACK + more + "\n" + END)
    assert caller.asked("callback").arguments["joined"] is None
    assert caller.asked("callback").arguments["skills"] == {}
    caller.tell(Replied(1, ok=False, result={"error": "no control"}))
    assert (caller.heard, caller.hung_up) == (heard, "completed")


def test_a_callback_at_a_time(calling) -> None:
    text = 'zone = "Europe/Berlin"\n' + CALLBACK + 'at = "{when}"\non.error.semantic = "bad"\n' + END
    caller = calling(text, when="1970-01-20 09:30")
    assert caller.asked("callback").arguments["at"] == 1_672_200.0
    assert calling(text, when="yesterday").heard == ["Bad."]


NOON = 1_000_000.0 - 1_000_000 % 86400 + 43200  # noon in UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-13 15:30", NOON + 12600 + 86400),
        ("1970-01-13T15:30", NOON + 12600 + 86400),
        ("15:30", NOON + 12600),
        (" 09:00 ", NOON - 10800 + 86400),
        ("1970-01-12 11:59", None),
        ("15", NOON + 10800),
        ("soon", None),
        ("9999-12-31 23:59", 253402300740.0),
        ("", None),
        ("15:30:00+99:00", None),
    ],
)
def test_times_to_come(text: str, expected: float | None) -> None:
    assert moment(text, NOON, "UTC") == expected
