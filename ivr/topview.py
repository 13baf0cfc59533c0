"""The live board as text: queues, callers who wait, agents, calls. Pure: fits any width from 60 columns on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from ivr.callview import plain
from ivr.desk import Present
from ivr.liveboard import AgentLine, CallLine, QueueLine, WaitingLine

_STYLES = {
    "ready": "green",
    "ringing": "bold yellow",
    "answered": "cyan",
    "hold": "magenta",
    "wrap_up": "blue",
    "paused": "yellow",
    "offline": "dim",
}
_ORDER = list(_STYLES)
_WIDE = 100
_LEAST = 4
_TABLE_LINES = 3  # a blank line, the titles, and perhaps "... 3 more"


@dataclass(frozen=True, slots=True)
class Column:
    """One that `shrinks` is cut where the terminal is narrow, one that is `wide` is left out there."""

    title: str
    right: bool = False
    shrinks: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A table before it is fitted to the terminal."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Text]]

    def table(self, width: int, most: int | None = None) -> Table:
        """The first `most` rows on `width` columns."""
        shown = [at for at, column in enumerate(self.columns) if width >= _WIDE or not column.wide]
        columns = [self.columns[at] for at in shown]
        rows = [[row[at] for at in shown] for row in self.rows[:most]]
        gap = 2 if width >= _WIDE else 1
        sizes = [max(len(column.title), *(row[at].cell_len for row in rows), 0) for at, column in enumerate(columns)]
        while sum(sizes) + gap * (len(sizes) - 1) > width:
            widest = max((at for at, column in enumerate(columns) if column.shrinks), key=sizes.__getitem__)
            if sizes[widest] <= _LEAST:
                break
            sizes[widest] -= 1
        table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), collapse_padding=True, header_style="dim")
        for column, size in zip(columns, sizes, strict=True):
            justify: JustifyMethod = "right" if column.right else "left"
            table.add_column(column.title, justify=justify, width=size, no_wrap=True, overflow="ellipsis")
        for row in rows:
            table.add_row(*row)
        return table


def board(present: Present | None, controls: int | None, trouble: str, width: int, height: int | None) -> Group:
    """Everything on `width` columns; on `height` lines (None: any number) the lists are cut to what matters most.

    `controls`: the control processes on the bus (None: no bus); `trouble`: why what is shown may be old.
    """
    parts: list[RenderableType] = [_header(present, controls)]
    if trouble:
        parts.append(Text(plain(trouble), style="bold red", no_wrap=True, overflow="ellipsis"))
    if present is None:
        return Group(*parts)
    lists = [_queues(present.queues), _waiting(present), _agents(present), _calls(present)]
    room = None if height is None else height - len(parts) - _TABLE_LINES * len(lists)
    for each, most in zip(lists, _shares([len(each.rows) for each in lists], room), strict=True):
        parts += [Text(), each.table(width, most)]
        if len(each.rows) > most:
            parts.append(Text(f"... {len(each.rows) - most} more", style="dim"))
    return Group(*parts)


def _header(present: Present | None, controls: int | None) -> Text:
    control = {None: "no broker", 0: "no control"}.get(controls, "control up")
    text = Text("Hotline", style="bold", no_wrap=True, overflow="ellipsis")
    if present is not None:
        text.append(f" {datetime.fromtimestamp(present.now).astimezone():%H:%M:%S}", style="not bold")
    text.append("  ")
    text.append(control, style="not bold green" if controls else "bold red")
    if present is not None:
        calls = "1 call" if len(present.calls) == 1 else f"{len(present.calls)} calls"
        people = sum(agent.state != "offline" for agent in present.agents)
        waiting = sum(not line.callback for line in present.waiting)
        agents = "1 agent" if people == 1 else f"{people} agents"
        text.append(f"  {calls}, {waiting} waiting, {agents} logged in", style="not bold")
    return text


def _queues(queues: Sequence[QueueLine]) -> Listing:
    columns = (
        Column("queue", shrinks=True), Column("strategy", wide=True), Column("waiting", right=True),
        Column("longest", right=True), Column("expected", right=True), Column("ready", right=True),
        Column("busy", right=True), Column("wrap", right=True), Column("paused", right=True),
        Column("today", right=True), Column("SL", right=True),
    )  # fmt: skip
    rows = []
    for queue in queues:
        late = queue.longest_wait_s is not None and queue.longest_wait_s > queue.servicelevel_s
        waiting = f"{queue.waiting}+{queue.callbacks}" if queue.callbacks else str(queue.waiting)
        rows.append(
            [
                Text(plain(queue.queue), style="bold"),
                Text(queue.strategy),
                Text(waiting, style="bold red" if late else ""),
                Text(span(queue.longest_wait_s), style="bold red" if late else ""),
                Text(span(queue.expected_wait_s)),
                Text(str(queue.ready), style="green" if queue.ready else "red"),
                *(Text(str(number)) for number in (queue.busy, queue.wrap_up, queue.paused)),
                Text(f"{queue.answered}/{queue.answered + queue.abandoned}"),
                Text("-" if queue.service_level is None else f"{queue.service_level:.0%}"),
            ]
        )
    return Listing(columns, rows)


def queues_table(queues: Sequence[QueueLine], width: int) -> Table:
    """The queues alone."""
    return _queues(queues).table(width)


def _waiting(present: Present) -> Listing:
    columns = (
        Column("waiting in", shrinks=True), Column("#", right=True), Column("caller", shrinks=True),
        Column("wait", right=True), Column("expected", right=True), Column("prio", right=True),
        Column("rings", shrinks=True), Column("call"),
    )  # fmt: skip
    return Listing(columns, [_waiting_row(line, present.now) for line in present.waiting])


def _waiting_row(line: WaitingLine, now: float) -> list[Text]:
    return [
        Text(plain(line.queue), style="bold"),
        Text(str(line.position)),
        Text(("callback " if line.callback else "") + plain(line.caller)),
        Text(span(now - line.joined)),
        Text(span(line.expected_wait_s)),
        Text(str(line.priority) if line.priority else ""),
        Text(plain(", ".join(line.ringing)), style="bold yellow"),
        Text(line.call_id),
    ]


def _agents(present: Present) -> Listing:
    columns = (
        Column("agent", shrinks=True), Column("state"), Column("since", right=True), Column("phone"),
        Column("calls", right=True), Column("serves", shrinks=True), Column("talks to", shrinks=True),
    )  # fmt: skip
    callers = {call.call_id: call.caller for call in present.calls}
    agents = sorted(present.agents, key=lambda agent: (_ORDER.index(agent.state), agent.agent))
    return Listing(columns, [_agent_row(agent, callers.get(agent.call_id or "", ""), present.now) for agent in agents])


def _agent_row(agent: AgentLine, caller: str, now: float) -> list[Text]:
    reason = f" ({agent.reason})" if agent.reason and agent.state == "paused" else ""
    follows = f", then {agent.next}" if agent.next else ""
    away = agent.state == "offline"
    return [
        Text(plain(agent.agent), style="dim" if away else ""),
        Text(plain(agent.state.replace("_", "-") + reason + follows), style=_STYLES[agent.state]),
        Text("" if agent.since is None else span(now - agent.since)),
        Text({True: "yes", False: "no", None: "?"}[agent.registered], style="red" if agent.registered is False else ""),
        Text(str(agent.calls)),
        Text(plain(", ".join(agent.queues))),
        Text(plain(caller) if agent.state in {"answered", "hold", "ringing"} else ""),
    ]


def _calls(present: Present) -> Listing:
    columns = (
        Column("call"), Column("caller", shrinks=True), Column("to", shrinks=True, wide=True),
        Column("flow", shrinks=True), Column("step", shrinks=True), Column("agent", shrinks=True),
        Column("length", right=True),
    )  # fmt: skip
    return Listing(columns, [_call_row(call, present.now) for call in present.calls])


def _call_row(call: CallLine, now: float) -> list[Text]:
    return [
        Text(call.call_id),
        *(Text(plain(cell)) for cell in (call.caller, call.called, call.flow, call.step, call.agent or "")),
        Text(span(now - call.since)),
    ]


def calls_table(calls: Sequence[CallLine], now: float, width: int) -> Table:
    """The calls that are up, alone."""
    return _calls(Present(now, [], [], [], list(calls))).table(width)


def span(seconds: float | None) -> str:
    """Minutes and seconds, or hours too; "-" for None."""
    if seconds is None:
        return "-"
    whole = max(int(seconds), 0)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60}:{whole % 60:02}"


def _shares(wanted: Sequence[int], room: int | None) -> list[int]:
    """How many rows each table gets: small ones all of theirs, the others equal shares of what is left."""
    if room is None:
        return list(wanted)
    shares = [0] * len(wanted)
    left = max(room, len(wanted))
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    for done, index in enumerate(order):
        shares[index] = min(wanted[index], left // (len(order) - done))
        left -= shares[index]
    return shares
