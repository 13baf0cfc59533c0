"""Calls as people read them: the list as a table, one call as a script with times and latencies.

Text that came from outside (a SIP name, a transcript) is shown as it is but for characters that could steer a terminal.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ivr.peopleview import in_words
from recordings.event import Event
from recordings.layout import AUDIO
from recordings.summary import Summary
from recordings.transcript import Line, clock, lines_of, words
from recordings.waterfall import Turn, turns_of

STAGE_WORDS = {"endpoint": "end-point", "final": "text", "step": "step", "prompt": "prompt", "rtp": "RTP"}
_WHO = {"caller": "bold cyan", "hotline": "green"}
_PIPE_COLUMNS = 160
_WIDE_COLUMNS = 130
_COLUMNS = {"call": 22, "start": 11, "from": 4, "to": 4, "flow": 4, "length": 7, "turns": 5, "ended": 9, "latency": 7}


def console(file: TextIO | None = None) -> Console:
    """A console that colours on a terminal only, and does not wrap at 80 columns in a pipe; default standard output."""
    file = file or sys.stdout
    width = None if file.isatty() else _PIPE_COLUMNS
    return Console(file=file, width=width, markup=False, emoji=False, highlight=False)


def plain(text: str) -> str:
    """The text without control characters."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def calls_table(calls: Iterable[Summary], columns: int = _PIPE_COLUMNS) -> Table:
    """The list of calls, one row each; on fewer than 130 columns only what matters most."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, padding=(0, 1, 0, 0))
    names = [name for name in _COLUMNS if columns >= _WIDE_COLUMNS or name not in {"start", "to", "turns"}]
    for name in names:
        shrinks = name in {"from", "to", "flow"}
        right = name in {"length", "turns", "latency"}
        most = columns // 9 if shrinks else None
        table.add_column(
            name, no_wrap=True, min_width=_COLUMNS[name], max_width=most, justify="right" if right else "left"
        )
    for call in calls:
        cells = {
            "call": Text(call.call_id),
            "start": Text(f"{datetime.fromtimestamp(call.started).astimezone():%m-%d %H:%M}"),
            "from": Text(plain(call.caller)),
            "to": Text(plain(call.called)),
            "flow": Text(plain(_flow(call))),
            "length": Text(clock(call.length_s)),
            "turns": Text(str(call.turns)),
            "ended": Text(call.termination or "up", style=_mood(call.termination)),
            "latency": Text(milliseconds(call.latency_median_ms)),
        }
        table.add_row(*(cells[name] for name in names))
    return table


def print_call(out: Console, call: Summary, events: Sequence[Event], audio: Sequence[Path]) -> None:
    """One call: who, the script, the figures, the recording."""
    out.print(Text(f"call {call.call_id}", style="bold"))
    out.print(
        Text(plain(f"{call.caller or '?'} → {call.called or '?'}"), style="bold"),
        Text(plain(f" {_flow(call)}  {call.language}  {call.codec}".rstrip())),
    )
    out.print(f"{when(call.started)}  {clock(call.length_s)}", Text(_ending(call), style=_mood(call.termination)))
    out.print()
    out.print(script(events))
    turns = len([turn for turn in turns_of(events) if turn.total_ms is not None])
    if turns:
        out.print(
            f"latency: median {milliseconds(call.latency_median_ms)}, longest {milliseconds(call.latency_max_ms)}"
            f" ({turns} {'turn' if turns == 1 else 'turns'}; end of speech or key to first RTP packet)"
        )
    for path in audio:
        sides = "  (caller left, hotline right)" if path.name == AUDIO else ""
        out.print(f"recording: {path}{sides}", soft_wrap=True)
    if not audio:
        out.print("recording: none")


def script(events: Sequence[Event]) -> Table:
    """The conversation in order of time, each turn's latency below what the caller said."""
    table = script_table()
    lines = lines_of(events)
    notes = [(event.sample or 0, 1, event) for event in events if _is_note(event)]
    entries: list[tuple[float, int, Line | Event]] = [(line.start_s, 0, line) for line in lines]
    entries += [(sample / 8000, order, event) for sample, order, event in notes]
    turns = _by_line(lines, turns_of(events))
    for at_s, _, entry in sorted(entries, key=lambda item: item[:2]):
        if isinstance(entry, Line):
            table.add_row(*line_cells(entry))
            for turn in turns.get(entry.seq, []):
                table.add_row("", "", "", waterfall(turn))
        else:
            table.add_row(clock(at_s), "", Text(plain(str(entry.data.get("step", "")))), note(entry))
    return table


def script_table() -> Table:
    """An empty script: time, who, step, what."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("time", "who", "step"):
        table.add_column(column, no_wrap=True)
    table.add_column("what", overflow="fold")
    return table


def line_cells(line: Line) -> tuple[Text, Text, Text, Text]:
    """One line of a conversation: time, who, step, what was said and how sure that is."""
    style = _WHO.get(line.who, "")
    sure = "" if line.confidence is None else f"  ({line.confidence:.0%})"
    return (
        Text(clock(line.start_s), style="dim"),
        Text(line.who, style=style),
        Text(plain(line.step), style="dim"),
        Text.assemble((plain(words(line)), style), (sure, "dim")),
    )


def waterfall(turn: Turn) -> Text:
    """`answered after 520 ms: end-point 400 → text 425 → ...`, each counted from the end of speech."""
    text = Text("└ ", style="dim")
    if turn.total_ms is not None:
        text.append(f"answered after {turn.total_ms:.0f} ms: ", style="yellow")
    text.append(" → ".join(f"{STAGE_WORDS[name]} {at_ms:.0f}" for name, at_ms in turn.stages_ms.items()))
    return text


def note(event: Event) -> Text:
    """An event of the flow, or an error."""
    if (words := in_words(event)) is not None:
        return Text(plain(f"· {words}"), style="blue")
    if event.kind == "error":
        return Text(plain(f"! {event.data.get('code', '?')} {event.data.get('detail', '')}".rstrip()), style="red")
    count = event.data.get("count")
    times = f" ({count})" if isinstance(count, int) and count > 1 else ""
    return Text(plain(f"· {event.data.get('event', '?')}{times}"), style="magenta")


def _is_note(event: Event) -> bool:
    return event.kind in {"flow.event", "error"} or in_words(event) is not None


def when(wall: float) -> str:
    """Local date and time."""
    return f"{datetime.fromtimestamp(wall).astimezone():%Y-%m-%d %H:%M:%S}"


def milliseconds(value: float | None) -> str:
    """A latency, "-" when there is none."""
    return "-" if value is None else f"{value:.0f} ms"


def _by_line(lines: Sequence[Line], turns: Iterable[Turn]) -> dict[int, list[Turn]]:
    """Each turn below the last thing that the caller had begun to say when the turn ended."""
    placed: dict[int, list[Turn]] = {}
    spoken = [line for line in lines if line.who == "caller"]
    for turn in turns:
        before = [line for line in spoken if line.start_s <= turn.sample / 8000]
        if before:
            placed.setdefault(before[-1].seq, []).append(turn)
    return placed


def _flow(call: Summary) -> str:
    return f"{call.flow} v{call.version}" if call.flow and call.version else call.flow


def _ending(call: Summary) -> str:
    if not call.termination:
        return " up"
    return f" {call.termination}, by {call.ended_by}" if call.ended_by else f" {call.termination}"


def _mood(termination: str) -> str:
    if termination in {"completed", "caller_hangup"}:
        return "green"
    return "yellow" if termination in {"", "cancelled", "max_duration", "shutdown"} else "red"
