"""The order of a leg's files and when they are silent, with files that only note who hears them."""
# ruff: noqa: N802 - pjsua2 names its methods so

from collections.abc import Callable
from typing import Any

import pytest

from telephony import player
from telephony.legevents import Played, Playing
from telephony.player import Player


class File:
    """Stands in for pjsua2's player: `heard_by` are the sinks it plays into."""

    made: list["File"]

    def __init__(self, token: int, on_end: Callable[[int], None]) -> None:
        self.token, self.on_end = token, on_end
        self.heard_by: set[str] = set()
        self.made.append(self)

    def createPlayer(self, path: str, options: int) -> None:
        pass

    def startTransmit(self, sink: str) -> None:
        self.heard_by.add(sink)

    def stopTransmit(self, sink: str) -> None:
        self.heard_by.discard(sink)


class Bench:
    """A player whose posted commands wait in `posted`."""

    def __init__(self) -> None:
        self.files = File.made = []
        self.told: list[Any] = []
        self.posted: list[Callable[[], object]] = []
        self.player = Player(lambda: ["leg"], self.told.append, self.posted.append, lambda file: None)  # type: ignore[list-item,return-value]

    def heard(self) -> list[int]:
        return [file.token for file in self.files if file.heard_by]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(player, "_File", File)
    return Bench()


def test_nothing_is_played_to_a_caller_on_hold_whatever_the_flow_does_meanwhile(bench: Bench) -> None:
    bench.player.play(1, "a.wav")
    assert bench.heard() == [1]
    bench.player.hold(True)
    assert bench.heard() == []
    bench.player.pause()
    bench.player.resume()  # the silence of the hold was no speech
    assert bench.heard() == []
    bench.player.stop()
    bench.player.play(2, "b.wav")
    assert bench.heard() == []
    bench.player.hold(False)
    assert bench.heard() == [2]


def test_a_prompt_that_was_barged_into_before_the_hold_stays_silent_after_it(bench: Bench) -> None:
    bench.player.play(1, "a.wav")
    bench.player.pause()
    bench.player.hold(True)
    bench.player.hold(False)
    assert bench.heard() == []
    bench.player.resume()
    assert bench.heard() == [1]


def test_the_end_of_a_file_is_handled_on_the_stacks_thread_and_not_where_pjmedia_tells_it(bench: Bench) -> None:
    bench.player.play(1, "a.wav")
    bench.player.play(2, "b.wav")
    bench.files[0].on_end(1)
    assert bench.told == [Playing(1)]
    bench.posted.pop()()
    assert bench.told == [Playing(1), Played(1), Playing(2)]


def test_a_file_that_ended_while_it_was_being_stopped_reports_nothing(bench: Bench) -> None:
    bench.player.play(1, "a.wav")
    bench.files[0].on_end(1)
    bench.player.stop()
    bench.posted.pop()()
    assert bench.told == [Playing(1)]
