"""Draws a flow: Mermaid text and SVG. Pure; the layout is in layers from the first step on, deterministic."""

from dataclasses import dataclass
from html import escape

from flows.flow import Flow
from flows.steps.base import Step
from flows.steps.speech import Asking

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 168, 44, 48, 74, 28
_COLOURS = {"asks": "#dbeafe", "ends": "#fee2e2", "decides": "#fef3c7", "does": "#dcfce7"}
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0,0L8,4L0,8z" fill="#6b7280"/></marker></defs>'
)
_SHAPES = {"asks": ("([", "])"), "decides": ("{{", "}}"), "ends": ("[[", "]]"), "does": ("[", "]")}
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#111827}.type{fill:#4b5563;font-size:10px}"
    ".way{fill:none;stroke:#6b7280;stroke-width:1.2}.event{stroke-dasharray:4 3}.label{font-size:10px;fill:#374151}"
)


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
        lines.append(f'  {name}{opening}"{name}<br/><small>{step.type}</small>"{closing}')
    for edge in edges(flow):
        arrow = "-.->" if edge.on_event else "-->"
        label = edge.label.replace('"', "'").replace("|", "/")
        lines.append(f"  {edge.source} {arrow}" + (f'|"{escape(label)}"|' if label else "") + f" {edge.target}")
    return "\n".join(lines) + "\n"


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
    return places, width, 2 * MARGIN + len(layers) * BOX_HEIGHT + (len(layers) - 1) * GAP_Y


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


def _way(edge: Edge, places: dict[str, tuple[int, int]]) -> str:
    (x1, y1), (x2, y2) = places[edge.source], places[edge.target]
    below = y2 > y1
    start = (x1 + BOX_WIDTH // 2, y1 + BOX_HEIGHT) if below else (x1 + BOX_WIDTH, y1 + BOX_HEIGHT // 2)
    end = (x2 + BOX_WIDTH // 2, y2) if below else (x2 + BOX_WIDTH, y2 + BOX_HEIGHT // 2)
    bend = GAP_Y // 2 if below else GAP_X
    first = (start[0], start[1] + bend) if below else (start[0] + bend, start[1])
    second = (end[0], end[1] - bend) if below else (end[0] + bend, end[1])
    kind = "way event" if edge.on_event else "way"
    path = f"M{start[0]},{start[1]}C{first[0]},{first[1]} {second[0]},{second[1]} {end[0]},{end[1]}"
    label = ""
    if edge.label:
        x, y = (start[0] + end[0]) // 2, (start[1] + end[1]) // 2
        label = f'<text class="label" x="{x + 4}" y="{y}">{escape(_short(edge.label, 28))}</text>'
    return f'<path class="{kind}" d="{path}" marker-end="url(#tip)"/>{label}'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
