"""What is made from the models: schema, reference, drawings."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from flows.checker import check
from flows.golden import play
from flows.golden import read as read_golden
from flows.graph import edges, mermaid, svg
from flows.loader import read
from flows.reference import reference
from flows.schema import schema
from flows.steps.kinds import BY_TYPE

ROOT = Path(__file__).parents[2]
FLOW = """
[step.start]
type = "menu"
prompt = "?"
choices = [{ key = "1", next = "end" }, { key = "2", next = "end" }, { key = "3", next = "split" }]
on.noinput = "end"
[step.split]
type = "branch"
cases = [{ when = "1 < 2", next = "start" }]
otherwise = "end"
[step.end]
type = "hangup"
[step.alone]
type = "hangup"
"""


def test_the_schema_knows_every_step_and_its_keys() -> None:
    made = schema()
    steps = made["properties"]["step"]["patternProperties"]["^[A-Za-z_][A-Za-z0-9_]*$"]["oneOf"]
    assert len(steps) == len(BY_TYPE)
    menu = made["$defs"]["MenuStep"]
    assert menu["properties"]["type"]["const"] == "menu"
    assert {"type", "prompt", "choices"} <= set(menu["required"])
    assert menu["additionalProperties"] is False
    assert menu["properties"]["timeout"]["anyOf"][0]["pattern"]
    for definition in made["$defs"].values():
        for name in _references(definition):
            assert name in made["$defs"]


def _references(part: object) -> list[str]:
    if isinstance(part, list):
        return [name for item in part for name in _references(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"].rsplit("/", 1)[1]] if isinstance(part.get("$ref"), str) else []
    return own + [name for item in part.values() for name in _references(item)]


def test_the_reference_in_the_docs_is_that_of_the_code() -> None:
    written = (ROOT / "docs" / "flows-reference.md").read_text("utf-8")
    assert written == reference(), "run: ivr flow reference > docs/flows-reference.md"


def test_the_schema_in_the_docs_is_that_of_the_code() -> None:
    written = (ROOT / "docs" / "flow.schema.json").read_text("utf-8")
    assert json.loads(written) == schema(), "run: ivr flow schema > docs/flow.schema.json"


def test_editors_that_know_no_look_around_find_the_schema() -> None:
    written = re.search(r"^\{ \"evenBetterToml.*$", (ROOT / "docs" / "flows.md").read_text("utf-8"), re.MULTILINE)
    assert written is not None
    (pattern,) = json.loads(written[0])["evenBetterToml.schema.associations"]
    assert "(?" not in pattern, "Even Better TOML is written in Rust, whose regular expressions have none"
    assert re.search(pattern, "file:///home/me/hotline/flows/library/bank-en.toml")
    assert not re.search(pattern, "file:///home/me/hotline/flows/library/bank-en.test.toml")


def test_ways_between_the_same_steps_are_one_line(flow_of) -> None:
    found = [(edge.source, edge.target, edge.label, edge.on_event) for edge in edges(flow_of(FLOW))]
    assert found == [
        ("start", "end", "1, 2", False),
        ("start", "split", "3", False),
        ("start", "end", "noinput", True),
        ("split", "start", "1 < 2", False),
        ("split", "end", "otherwise", False),
    ]


def test_mermaid(flow_of) -> None:
    drawn = mermaid(flow_of(FLOW))
    assert drawn.startswith("flowchart TD\n")
    assert '  start -->|"1, 2"| step_end' in drawn, "end is a word of Mermaid's"
    assert '  step_end[["end<br/>' in drawn
    assert '  split -->|"1 &lt; 2"| start' in drawn


def test_svg_is_well_formed_and_shows_every_step(flow_of) -> None:
    picture = ET.fromstring(svg(flow_of(FLOW)))
    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"start", "split", "end", "alone"} <= set(texts)
    boxes = [
        (float(box.attrib["x"]), float(box.attrib["y"]))
        for box in picture.iter("{http://www.w3.org/2000/svg}rect")
        if "x" in box.attrib
    ]
    assert len(set(boxes)) == 4


def test_drawings_survive_any_text(flow_of) -> None:
    odd = flow_of(FLOW.replace('"1 < 2"', r'"\"<b>&|#\u0001\n\u4f59\" == 1"'))
    assert "  split -->|\"'&lt;b&gt;&amp;/#35; \u4f59' == 1\"| start\n" in mermaid(odd)
    assert ET.fromstring(svg(odd)) is not None


@pytest.mark.parametrize("name", ["bank-en", "bank-zh", "city", "shop"])
def test_no_label_of_a_drawing_lies_on_another_or_outside(name: str) -> None:
    flow, _ = read((ROOT / f"flows/library/{name}.toml").read_text("utf-8"), f"{name}.toml")
    assert flow is not None
    picture = ET.fromstring(svg(flow))
    labels = [text for text in picture.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "label"]
    places = [(text.attrib["x"], text.attrib["y"]) for text in labels]
    assert len(set(places)) == len(places) > 5
    assert all(0 < float(y) < float(picture.attrib["height"]) for _, y in places)
    assert any(str(text.text).startswith("at any time: operator") for text in labels)


def test_the_tutorial_works(flow_of) -> None:
    text = (ROOT / "docs" / "flows.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    flow = flow_of(f'flow = "pizza"\nversion = 1\nstart = "size"\n{blocks[1]}')
    assert check(flow_of(blocks[0])) == check(flow) == []
    golden, where, problems = read_golden(
        next(block for block in blocks if "[[conversation]]" in block), "pizza.test.toml"
    )
    assert golden is not None, problems
    for number, conversation in enumerate(golden.conversation):
        assert play(flow, conversation, "pizza.test.toml", where, number).problems == []
    wrong = flow_of(f'flow = "pizza"\nversion = 1\nstart = "size"\n{blocks[1]}'.replace("{count}", "{cuont}"))
    (problem,) = check(wrong)
    assert problem.what in text
