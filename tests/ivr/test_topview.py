"""The live board: everything that matters is on it, whatever the terminal."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from ivr import topview
from ivr.desk import Present
from ivr.liveboard import AgentLine, CallLine, QueueLine, WaitingLine
from ivr.topview import span

NOW = 1_795_230_000.0
STATES = ("ready", "ringing", "answered", "hold", "wrap_up", "paused", "offline")


def call_id(number: int) -> str:
    return f"20261121-0315{number:02}-7f3a9c"


def present(agents: int = 7, waiting: int = 4, calls: int = 4) -> Present:
    queues = [
        QueueLine("cards", "longest-idle", 20.0, 12, 83.4, 130.2, 2, 5, 1, 4, 0, 1, 120, 14, 0.873, 0.81),
        QueueLine("support-in-the-english-language", "ringall", 20.0, 0, None, None, *[0] * 8, None, None),
    ]
    people = [
        AgentLine(
            f"agent{number}", "", state := STATES[number % 7], NOW - 40 * number, True,
            "lunch" if state == "paused" else "", "pause" if number == 2 else "", "cards", call_id(number),
            {"cards": 0, "support-in-the-english-language": 1}, {}, number, 100.0,
        )
        for number in range(agents)
    ]  # fmt: skip
    callers = [
        WaitingLine(
            call_id(number), "cards", number + 1, NOW - 83 + number, 130.0, 5, "客户服务" * 9, "hotline", "en", {},
            ("agent1",), callback=number == 3,
        )
        for number in range(waiting)
    ]  # fmt: skip
    up = [
        CallLine(
            call_id(number), NOW - 4000, "+4930123\x1b[2J456789", "bank", "bank-en", "verify_pin", "en", None, None
        )
        for number in range(calls)
    ]
    return Present(NOW, queues, people, callers, up)


def drawn(
    what: Present | None, width: int, height: int | None = None, controls: int | None = 1, trouble: str = ""
) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, markup=False, emoji=False, highlight=False)
    console.print(topview.board(what, controls, trouble, width, height))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 100, 132])
def test_every_line_fits_and_nothing_that_counts_is_cut(width: int) -> None:
    text = drawn(present(), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    for seen in (call_id(3), "12+2", "120/134", "87%", "answered, then pause", "paused (lunch)", "wrap-up", "1:06:40"):
        assert seen in text
    assert "1 control" not in text
    assert "\x1b[2J" not in text


def test_the_queues_alone_name_each_queue_on_80_columns_and_its_strategy_where_there_is_room() -> None:
    def shown(width: int) -> str:
        out = io.StringIO()
        Console(file=out, width=width).print(topview.queues_table(present().queues, width))
        return out.getvalue()

    for seen in ("cards ", "support-", "12+2", "1:23", "2:10", "120/134", "87%"):
        assert seen in shown(80)
    assert "longest-idle" not in shown(80)
    assert "longest-idle" in shown(120)
    assert "1 agent logged in" in drawn(present(agents=1), 80)


def test_a_low_terminal_gets_the_first_of_each_list() -> None:
    text = drawn(present(agents=40, waiting=30, calls=20), 80, 24)
    assert len(text.splitlines()) <= 24
    assert "... 37 more" in text
    assert "offline" not in text
    assert call_id(19) in drawn(present(agents=40, waiting=30, calls=20), 80)


@pytest.mark.parametrize(("controls", "told"), [(None, "no broker"), (0, "no control"), (2, "control up")])
def test_it_says_who_is_there(controls: int | None, told: str) -> None:
    assert told in drawn(present(), 80, controls=controls)


def test_without_a_store_it_says_so() -> None:
    assert "store cannot be reached" in drawn(None, 80, trouble="the store cannot be reached: gone")


@pytest.mark.parametrize(("seconds", "text"), [(None, "-"), (-3, "0:00"), (59.9, "0:59"), (3600, "1:00:00")])
def test_spans(seconds: float | None, text: str) -> None:
    assert span(seconds) == text
