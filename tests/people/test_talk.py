"""What an agent can do during a talk from an ordinary phone, proven by who hears whose tone."""

import os
import signal
from collections.abc import Callable

import pytest

from tests.people.conftest import Host, Party

pytestmark = [pytest.mark.net, pytest.mark.timeout(120)]
Talk = tuple[Host, Party, Party]


@pytest.fixture
def talk(call: tuple[Host, Party], party: Callable[..., Party]) -> Talk:
    """The caller talks with anna."""
    host, caller = call
    anna = party("anna")
    host.ask("queue", queue="cards")
    host.until(news="joined")
    host.offer(anna)
    caller.hears("anna")
    anna.hears("caller")
    return host, caller, anna


@pytest.mark.parametrize("way", ["keys", "info"])
def test_hold_gives_the_caller_music_and_the_same_code_takes_the_caller_back(talk: Talk, way: str) -> None:
    host, caller, anna = talk
    anna.tell(do=way, keys="*1")
    caller.hears("music")
    anna.hears()
    host.asked("talk", state="hold")
    seen = len(host.lines)
    anna.tell(do=way, keys="*1")
    caller.hears("anna")
    anna.hears("caller")
    host.asked("talk", after=seen, state="talking")


def test_the_hold_key_of_the_phone_does_the_same(talk: Talk) -> None:
    host, caller, anna = talk
    anna.tell(do="hold")
    caller.hears("music")
    host.asked("talk", state="hold")
    anna.tell(do="unhold")
    caller.hears("anna")
    anna.hears("caller")


def test_consult_conference_and_back(talk: Talk, party: Callable[..., Party]) -> None:
    host, caller, anna = talk
    ben = party("ben", "ring")
    host.tell(numbers={"12": ben.uri})
    anna.tell(do="keys", keys="*212#")
    ben.until(event="incoming")
    caller.hears("music")
    ben.tell(do="answer")
    anna.hears("ben")
    ben.hears("anna")
    caller.hears("music")
    anna.tell(do="keys", keys="*1")
    caller.hears("anna")
    anna.hears("caller")
    ben.hears()
    anna.tell(do="keys", keys="*1")
    anna.hears("ben")
    caller.hears("music")
    anna.tell(do="keys", keys="*3")
    caller.hears("anna", "ben")
    anna.hears("caller", "ben")
    ben.hears("caller", "anna")
    anna.tell(do="keys", keys="*5")
    assert ben.until(event="ended")["by_far_end"]
    caller.hears("anna")
    anna.hears("caller")
    anna.tell(do="hang_up")
    assert host.until(replied=True)["outcome"] == "answered"


@pytest.mark.parametrize("way", ["*4", "hang up"])
def test_an_agent_hands_the_caller_over_and_is_free(talk: Talk, party: Callable[..., Party], way: str) -> None:
    host, caller, anna = talk
    ben = party("ben")
    host.tell(numbers={"12": ben.uri})
    anna.tell(do="keys", keys="*212#")
    anna.hears("ben")
    anna.tell(**({"do": "hang_up"} if way == "hang up" else {"do": "keys", "keys": way}))
    anna.until(event="ended")
    host.asked("talk", state="over")
    caller.hears("ben")
    ben.hears("caller")
    assert not [line for line in host.lines if "replied" in line], "the caller still talks"
    ben.tell(do="hang_up")
    assert host.until(replied=True)["outcome"] == "answered"
    caller.tell(do="hang_up")
    assert (host.closed() / "consulted-1.wav").exists()


def test_a_transfer_without_consulting_comes_back_where_nobody_takes_it(
    talk: Talk, party: Callable[..., Party]
) -> None:
    host, caller, anna = talk
    ben = party("ben", "busy")
    host.tell(numbers={"12": ben.uri})
    anna.tell(do="keys", keys="*612#")
    host.until(kind="consult.ended", reason="busy")
    caller.hears("anna")
    anna.hears("caller")
    ben.tell(do="manner", manner="answer")
    anna.tell(do="keys", keys="*612#")
    caller.hears("ben")
    ben.hears("caller")
    assert anna.until(event="ended")["by_far_end"]


def test_a_code_that_does_not_fit_is_told_to_the_agent_alone(talk: Talk) -> None:
    _host, caller, anna = talk
    anna.tell(do="keys", keys="*3")
    anna.hears("caller", "signal")
    caller.hears("anna")
    anna.tell(do="keys", keys="*9")
    assert anna.until(event="ended")["by_far_end"]


def test_an_agents_phone_that_vanishes_does_not_keep_the_caller_for_ever(talk: Talk) -> None:
    host, _caller, anna = talk
    os.kill(anna.process.pid, signal.SIGSTOP)
    try:
        host.asked("talk", state="over")
        assert host.until(replied=True)["outcome"] == "answered"
    finally:
        os.kill(anna.process.pid, signal.SIGCONT)


def test_a_caller_who_hangs_up_ends_it_for_everybody(talk: Talk, party: Callable[..., Party]) -> None:
    host, caller, anna = talk
    ben = party("ben")
    host.tell(numbers={"12": ben.uri})
    anna.tell(do="keys", keys="*212#")
    anna.hears("ben")
    caller.tell(do="hang_up")
    for phone in (anna, ben):
        assert phone.until(event="ended")["by_far_end"]
    host.asked("talk", state="over")
    host.closed()
