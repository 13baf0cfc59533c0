"""Says what pydantic found wrong with a table in words that are no programmer's."""

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError


def plainly(item: Any, message: str) -> str:
    """What is wrong with a value; `message` where nothing better can be said."""
    given = item.get("input")
    shown = repr(given) if len(repr(given)) < 60 else f"{type(given).__name__} of {len(str(given))} characters"
    match item["type"]:
        case "string_type":
            return f"must be text in quotes, not {shown}"
        case "int_type" | "int_parsing":
            return f"must be a whole number, not {shown}"
        case "bool_type" | "bool_parsing":
            return f"must be true or false, not {shown}"
        case "literal_error":
            return f"{shown} is not one of {item['ctx']['expected']}"
        case "string_pattern_mismatch":
            return f"{shown} does not fit the pattern {item['ctx']['pattern']}"
        case "model_type" | "dict_type":
            return f"must be a table, not {shown}"
        case "tuple_type":
            return f"must be a list, not {shown}"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "float_type" | "float_parsing":
            return f"must be a number, not {shown}"
    return message.replace("Input should be", "must be")


def first_causes(error: ValidationError) -> list[Any]:
    """What pydantic found; not that a list is empty only because its items cannot be read."""
    found = error.errors(include_url=False)
    inner = {item["loc"][:length] for item in found for length in range(len(item["loc"]))}
    return [item for item in found if item["type"] != "too_short" or item["loc"] not in inner]


def keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys known at this place of a model."""
    inner: Any = model
    for part in loc:
        if isinstance(part, int):
            continue
        field = inner.model_fields.get(part) if isinstance(inner, type) and issubclass(inner, BaseModel) else None
        inner = field.annotation if field else inner
        arguments = getattr(inner, "__args__", ())
        inner = next((one for one in arguments if isinstance(one, type) and issubclass(one, BaseModel)), inner)
    return list(inner.model_fields) if isinstance(inner, type) and issubclass(inner, BaseModel) else []


def suggest(given: object, known: list[str]) -> str:
    """The name that was probably meant, else those that are known."""
    close = get_close_matches(str(given)[:100], known, 1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}" if known else ""
