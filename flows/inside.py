"""Places inside the texts of a flow file."""

from flows.problems import Position


def inside(text: str, value: Position, offset: int) -> Position:
    """The place of a character inside a value that is a plain one-line string; else the place of the value."""
    lines = text.split("\n", value.line)
    line = lines[value.line - 1] if value.line <= len(lines) else ""
    quoted = line[value.column - 1 :]
    if quoted[:1] in ('"', "'") and quoted[:3] not in ('"""', "'''") and "\\" not in quoted[: offset + 2]:
        return Position(value.line, value.column + 1 + offset)
    return value
