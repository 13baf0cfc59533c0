"""A conversation line by line, as it happens, from the events on the bus."""

from dataclasses import replace

from rich.console import Console
from rich.text import Text

from ivr.callview import line_cells, note, plain, waterfall
from ivr.clock import SAMPLES_PER_S
from ivr.messages import Envelope, MessageError, parse_call_event
from recordings.event import Event
from recordings.transcript import Line, clock, lines_of
from recordings.waterfall import turn_of

_WIDTHS = (7, 7, 16)
_NARROWEST = 20


class LiveView:
    """Prints what it is told. `only` limits it to one call, else each call's beginning and end are named."""

    def __init__(self, out: Console, only: str = "") -> None:
        self._out = out
        self._only = only
        self._steps: dict[str, str] = {}
        self._seen: dict[str, int] = {}

    def heard(self, topic: str, envelope: Envelope) -> None:
        """For `Bus.listen(messages.CALL_EVENTS, view.heard)`."""
        try:
            self.show(*parse_call_event(topic, envelope.data))
        except MessageError:
            return

    def show(self, call_id: str, event: Event) -> None:
        """Prints one event if it is part of the conversation; an event that comes again is left out."""
        if (self._only and call_id != self._only) or event.seq <= self._seen.get(call_id, 0):
            return
        self._seen[call_id] = event.seq
        match event.kind:
            case "call.started":
                self._say(event, "call", f"{event.data.get('caller', '?')} → {event.data.get('called', '?')}")
            case "step.entered":
                self._steps[call_id] = str(event.data.get("step", ""))
            case "prompt.started" | "utterance" | "key":
                for line in lines_of([event]):
                    self._line(line if line.step else replace(line, step=self._steps.get(call_id, "")))
            case "prompt.ended" if event.data.get("reason") == "barge_in":
                played_ms = event.data.get("played_ms")
                after = f" after {played_ms / 1000:.1f} s" if isinstance(played_ms, int | float) else ""
                self._row(Text(""), Text(""), Text(""), Text(f"└ the caller cut the prompt off{after}", style="dim"))
            case "turn":
                turn = turn_of(event)
                if turn is not None:
                    self._row(Text(""), Text(""), Text(""), waterfall(turn))
            case "flow.event" | "error":
                self._row(_at(event), Text(""), Text(plain(str(event.data.get("step", "")))), note(event))
            case "call.ended":
                self._say(event, "call", f"ended: {event.data.get('termination')}, by {event.data.get('by')}")
                self._steps.pop(call_id, None)

    def _say(self, event: Event, who: str, what: str) -> None:
        self._row(_at(event), Text(who, style="bold"), Text(""), Text(plain(what), style="bold"))

    def _line(self, line: Line) -> None:
        self._row(*line_cells(line))

    def _row(self, at: Text, who: Text, step: Text, what: Text) -> None:
        for cell, width in zip((at, who, step), _WIDTHS, strict=True):
            cell.truncate(width, pad=True)
            cell.append("  ")
        margin = Text.assemble(at, who, step)
        if not self._out.is_terminal:
            self._out.print(margin, what, sep="", soft_wrap=True)
            return
        for line in what.wrap(self._out, max(_NARROWEST, self._out.width - len(margin))):
            self._out.print(margin, line, sep="", soft_wrap=True)
            margin = Text(" " * len(margin))


def _at(event: Event) -> Text:
    return Text(clock((event.sample or 0) / SAMPLES_PER_S), style="dim")
