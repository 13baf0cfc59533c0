"""Draws a flow: Mermaid text and SVG. Pure; the layout is in layers from the first step on, deterministic."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from flows.flow import Flow
from flows.steps.base import Step
from flows.steps.speech import Asking

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN, LINE = 168, 44, 48, 74, 28, 12
_COLOURS = {"asks": "#dbeafe", "ends": "#fee2e2", "decides": "#fef3c7", "does": "#dcfce7"}
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0,0L8,4L0,8z" fill="#6b7280"/></marker></defs>'
)
_SHAPES = {"asks": ("([", "])"), "decides": ("{{", "}}"), "ends": ("[[", "]]"), "does": ("[", "]")}
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#111827}.type{fill:#4b5563;font-size:10px}"
    ".way{fill:none;stroke:#6b7280;stroke-width:1.2}.event{stroke-dasharray:4 3}"
    ".label{font-size:10px;fill:#374151;stroke:white;stroke-width:3px;paint-order:stroke}"
)
_MERMAID_WORDS = (
    "call", "class", "click", "default", "end", "flowchart", "graph", "href", "interpolate", "linkstyle", "style",
    "subgraph", "step_",
)  # fmt: skip
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one step to another; `on_event` when a handler leads there."""

    source: str
    target: str
    label: str
    on_event: bool


def edges(flow: Flow) -> list[Edge]:
    """Every way, the labels of ways between the same two steps joined."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for name, step in flow.steps.items():
        own = {way.path for way in step.ways()}
        for way in step.exits():
            if way.target in flow.steps:
                found.setdefault((name, way.target, way.path not in own), []).append(way.label)
    return [
        Edge(source, target, ", ".join(dict.fromkeys(filter(None, labels))), on_event)
        for (source, target, on_event), labels in found.items()
    ]


def mermaid(flow: Flow) -> str:
    """The flow as a Mermaid flowchart, for Markdown pages."""
    lines = ["flowchart TD"]
    for name, step in flow.steps.items():
        opening, closing = _SHAPES[_sort(step)]
        lines.append(f'  {_node(name)}{opening}"{name}<br/><small>{step.type}</small>"{closing}')
    for edge in edges(flow):
        arrow = "-.->" if edge.on_event else "-->"
        label = edge.label.replace('"', "'").replace("|", "/").replace("`", "'").replace("#", "#35;")
        lines.append(
            f"  {_node(edge.source)} {arrow}" + (f'|"{_escaped(label)}"|' if label else "") + f" {_node(edge.target)}"
        )
    return "\n".join(lines) + "\n"


def _node(name: str) -> str:
    """A step's name as a node of Mermaid, which trips over names that begin with a word of its own."""
    return f"step_{name}" if name.lower().startswith(_MERMAID_WORDS) else name


def _escaped(text: str) -> str:
    """A text that can stand in a picture: on one line, without what XML has no place for."""
    return escape(_UNSEEN.sub(" ", text), quote=False)


def svg(flow: Flow) -> str:
    """The flow as an SVG picture."""
    places, width, height = _layout(flow)
    title = escape(f"{flow.name} {flow.version}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<title>{title}</title><style>{_STYLE}</style>",
        _TIP,
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    parts += [_way(edge, places) for edge in edges(flow)]
    parts += [_box(name, step, places[name]) for name, step in flow.steps.items()]
    parts += _labels(flow, places)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _sort(step: Step) -> str:
    if step.ends:
        return "ends"
    if isinstance(step, Asking):
        return "asks"
    return "decides" if len({way.target for way in step.ways()}) > 1 else "does"


def _layout(flow: Flow) -> tuple[dict[str, tuple[int, int]], int, int]:
    """The top left corner of every box, and the size of the picture."""
    ways: dict[str, list[str]] = {name: [] for name in flow.steps}
    for edge in edges(flow):
        ways[edge.source].append(edge.target)
    layers = _layers(flow, ways)
    rank: dict[str, float] = {}
    for layer in layers:
        layer.sort(key=lambda name: rank.get(name, 0.0))
        for place, name in enumerate(layer):
            for target in ways[name]:
                rank.setdefault(target, place - len(layer) / 2)
    widest = max(len(layer) for layer in layers)
    width = 2 * MARGIN + widest * BOX_WIDTH + (widest - 1) * GAP_X
    places = {}
    for depth, layer in enumerate(layers):
        span = len(layer) * BOX_WIDTH + (len(layer) - 1) * GAP_X
        for place, name in enumerate(layer):
            x = (width - span) // 2 + place * (BOX_WIDTH + GAP_X)
            places[name] = (x, MARGIN + depth * (BOX_HEIGHT + GAP_Y))
    return places, width, 2 * MARGIN + len(layers) * (BOX_HEIGHT + GAP_Y) - GAP_Y // 2


def _layers(flow: Flow, ways: dict[str, list[str]]) -> list[list[str]]:
    """Steps by their distance from the start; those nothing leads to come last."""
    layers: list[list[str]] = []
    seen: set[str] = set()
    layer = [flow.header.start] if flow.header.start in flow.steps else []
    while layer:
        seen.update(layer)
        layers.append(layer)
        layer = [name for name in dict.fromkeys(target for one in layer for target in ways[one]) if name not in seen]
    rest = [name for name in flow.steps if name not in seen]
    return [*layers, rest] if rest else layers


def _box(name: str, step: Step, place: tuple[int, int]) -> str:
    x, y = place
    middle = x + BOX_WIDTH // 2
    radius = BOX_HEIGHT // 2 if _sort(step) == "asks" else 5
    size = f'width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="{radius}"'
    return (
        f'<g><rect x="{x}" y="{y}" {size} fill="{_COLOURS[_sort(step)]}" stroke="#6b7280"/>'
        f'<text x="{middle}" y="{y + 19}" text-anchor="middle">{escape(_short(name, 24))}</text>'
        f'<text class="type" x="{middle}" y="{y + 34}" text-anchor="middle">{escape(step.type)}</text></g>'
    )


def _ends(edge: Edge, places: dict[str, tuple[int, int]]) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Where an edge leaves and arrives, and how its curve bends there: down the page from bottom to top, to the same
    layer beneath the boxes, and up the page by the right side."""
    (x1, y1), (x2, y2) = places[edge.source], places[edge.target]
    middle = BOX_WIDTH // 2
    if y2 > y1:
        return (x1 + middle, y1 + BOX_HEIGHT), (x2 + middle, y2), (0, GAP_Y // 2)
    if y2 == y1 and x1 != x2:
        return (x1 + middle, y1 + BOX_HEIGHT), (x2 + middle, y2 + BOX_HEIGHT), (0, GAP_Y // 2)
    return (x1 + BOX_WIDTH, y1 + BOX_HEIGHT // 2), (x2 + BOX_WIDTH, y2 + BOX_HEIGHT // 3), (GAP_X, 0)


def _way(edge: Edge, places: dict[str, tuple[int, int]]) -> str:
    start, end, (right, down) = _ends(edge, places)
    first = (start[0] + right, start[1] + down)
    second = (end[0] + right, end[1] - down if end[1] > start[1] else end[1] + down)
    kind = "way event" if edge.on_event else "way"
    path = f"M{start[0]},{start[1]}C{first[0]},{first[1]} {second[0]},{second[1]} {end[0]},{end[1]}"
    return f'<path class="{kind}" d="{path}" marker-end="url(#tip)"/>'


def _labels(flow: Flow, places: dict[str, tuple[int, int]]) -> Iterator[str]:
    """What leads down stands stacked above the step it leads to, anything else below the step it comes from.

    Above a step that a command leads to from anywhere stands the command.
    """
    above: Counter[str] = Counter()
    below: Counter[str] = Counter()
    entries = [(f"at any time: {name}", one.next) for name, one in flow.header.command.items() if one.next in places]
    for edge in edges(flow):
        if places[edge.target][1] > places[edge.source][1]:
            entries.append((edge.label, edge.target))
        elif edge.label:
            below[edge.source] += 1
            x, y = places[edge.source]
            at = (x + BOX_WIDTH, y + BOX_HEIGHT + LINE * below[edge.source])
            yield _label(at, f"{edge.label} → {edge.target}", "end")
    for text, target in entries:
        if text and target:
            above[target] += 1
            x, y = places[target]
            yield _label((x + BOX_WIDTH // 2 + 5, y + 2 - LINE * above[target]), text, "start")


def _label(at: tuple[int, int], text: str, anchor: str) -> str:
    return f'<text class="label" x="{at[0]}" y="{at[1]}" text-anchor="{anchor}">{_escaped(_short(text, 28))}</text>'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
