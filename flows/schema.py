"""The JSON Schema of flow files, made from the models, for editors that complete and check while one writes."""

from typing import Any

from flows.flow import Header
from flows.steps.base import NAME, Handler
from flows.steps.kinds import KINDS

DRAFT = "http://json-schema.org/draft-07/schema#"


def schema() -> dict[str, Any]:
    """The schema of a whole flow file."""
    definitions: dict[str, Any] = {}
    header = _taken(Header.model_json_schema(ref_template="#/$defs/{model}"), definitions)
    _taken(Handler.model_json_schema(ref_template="#/$defs/{model}"), definitions, "Handler")
    kinds = []
    for kind in KINDS:
        name = f"{kind.__name__}Step"
        _taken(kind.model_json_schema(ref_template="#/$defs/{model}"), definitions, name)
        definitions[name]["description"] = " ".join((kind.__doc__ or "").split())
        definitions[name].setdefault("required", []).append("type")
        kinds.append({"$ref": f"#/$defs/{name}"})
    one = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Handler"}]}
    many = {"anyOf": [*one["anyOf"], {"type": "array", "items": one}]}
    definitions["On"] = {
        "type": "object",
        "description": "what happens on events: a step, a handler, or a list of them, one for each time",
        "properties": {"error": {"anyOf": [*many["anyOf"], {"type": "object", "additionalProperties": many}]}},
        "additionalProperties": many,
    }
    for definition in (header, *definitions.values()):
        if "on" in definition.get("properties", {}):
            definition["properties"]["on"] = {"$ref": "#/$defs/On"}
    header["properties"]["step"] = {
        "type": "object",
        "description": "the steps, [step.NAME]",
        "patternProperties": {NAME: {"oneOf": kinds}},
        "additionalProperties": False,
    }
    return {
        "$schema": DRAFT,
        "title": "Hotline flow",
        "description": "A phone dialogue: header, variables, steps",
        "type": "object",
        "properties": header["properties"],
        "required": [*header["required"], "step"],
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def _taken(made: dict[str, Any], definitions: dict[str, Any], name: str = "") -> dict[str, Any]:
    """Moves inner definitions to the one table of all; with a name the model itself goes there too."""
    definitions.update(made.pop("$defs", {}))
    for key in ("title", "description"):
        made.pop(key, None)
    if "required" in made:
        made["required"] = [key for key in made["required"] if key != "type"]
    if name:
        definitions[name] = made
    return made
