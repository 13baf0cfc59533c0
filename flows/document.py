"""Reads a TOML text into its tables and their places, or says what is wrong in words that are no programmer's.

Flow files and golden conversations are read with it. Owns syntax and sizes; what the keys mean, its callers know.
"""

import re
import tomllib
from typing import Any

from flows.positions import Places, places
from flows.problems import Position, Problem, Severity

MAX_CHARACTERS = 2_000_000
MAX_DEPTH = 40
_DOTTED = re.compile(r"(?m)(?:^|[{,])[ \t\[]*(?:[\w\"'-]+[ \t]*\.[ \t]*){40}")  # costs tomllib its square
_HUGE = re.compile(r"\d[\d_]{4000}")
_CURLY = "“”„‟‘’‚′″「」『』«»"
_NEWLINE = re.compile(r"Illegal character '(?:\\r)?\\n'")
_TABLE = re.compile(r"Cannot (?:declare|mutate immutable namespace) \((?P<names>.*?),?\)")
_WORDINGS = (
    ("Illegal character", "a character that cannot be seen stands here", "delete it and type the text anew"),
    ("Expected '='", 'after a key comes "="', 'write key = "value"'),
    ("Cannot overwrite", "this key stands twice in its table", "take one of the two out"),
    ("Expected newline", "more stands on this line than one key and its value",
     'give each key a line of its own; inside of "..." write \\" for a quote'),
    ("Unclosed array", 'expected "," or "]" in this list', "part the items with commas, and close the list with ]"),
    ("Unclosed inline table", 'expected "," or "}" in this table', "part the keys with commas, and close it with }"),
    ("Invalid initial character for a key", "a key was expected here", "a table in { } stands on one line"),
    ("Unescaped '\\'", 'a backslash has a meaning of its own inside of "..."', "write two of them"),
    ("Expected ']", 'expected "]" after the name of the table', "names have no spaces: [step.my_step]"),
    ("Unterminated string", "this text never ends", "close it with the quotes that it began with"),
    ("Invalid statement", "a line begins with a key or with [", "keys are made of a-z, 0-9, _ and -"),
    ("Invalid value", "this is no value", "text stands in quotes, lists in [ ], tables on one line in { }"),
)  # fmt: skip


def read(text: str, file: str) -> tuple[dict[str, Any], Places] | Problem:
    """The tables of the text and where they are written, or what is wrong with it. Never raises."""
    if len(text) > MAX_CHARACTERS:
        what = f"the file has {len(text)} characters, at most {MAX_CHARACTERS} are read"
        return _problem(file, Position(1, 1), "file.too_big", what, "split it")
    if deep := _DOTTED.search(text):
        line = text.count("\n", 0, deep.start() + 1) + 1
        return _problem(file, Position(line, 1), "toml", "this is nested too deeply")
    try:
        document = tomllib.loads(text)
        if _is_deep(document):
            raise RecursionError
        return document, _places(text)
    except tomllib.TOMLDecodeError as error:
        return _in_words(file, text, str(error))
    except RecursionError:
        return _problem(file, Position(1, 1), "toml", "this is nested too deeply")
    except ValueError as error:
        if huge := _HUGE.search(text):
            line, column = text.count("\n", 0, huge.start()) + 1, huge.start() - text.rfind("\n", 0, huge.start())
            return _problem(file, Position(line, column), "toml", "this number is too long", "numbers have 15 digits")
        return _problem(file, Position(1, 1), "toml", f"not TOML: {error}")


def _is_deep(document: dict[str, Any]) -> bool:
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        level = [inner for table in level for inner in (table.values() if isinstance(table, dict) else table)]
        level = [inner for inner in level if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _places(text: str) -> Places:
    try:
        return places(text)
    except (LookupError, RecursionError):
        return Places({}, {})


def _problem(file: str, at: Position, code: str, what: str, mend: str = "") -> Problem:
    return Problem(file, at, Severity.ERROR, code, what, mend)


def _in_words(file: str, text: str, message: str) -> Problem:
    """What `tomllib` said, as an author would say it."""
    place = re.search(r"\(at line (\d+), column (\d+)\)", message)
    end = Position(text.count("\n") + 1, len(text) - text.rfind("\n"))
    at = Position(int(place[1]), int(place[2])) if place else end
    line = text.split("\n", at.line)[at.line - 1]
    there = line[at.column - 1 : at.column]
    if there and there in _CURLY:
        return _problem(
            file, at, "toml", f"{there} is no quote that counts", 'write text between straight quotes: "..."'
        )
    if _NEWLINE.match(message):
        return _problem(file, at, "toml", "the text on this line has no end", 'close it with "')
    if table := _TABLE.match(message):
        name = ".".join(re.findall(r"'(\w[\w-]*)'", table["names"])) or "this table"
        first = Position(at.line, len(line) - len(line.lstrip()) + 1)
        return _problem(
            file, first, "toml", f"{name} stands twice in this file", "rename one of the two, or take it out"
        )
    for begins, what, mend in _WORDINGS:
        if message.startswith(begins):
            return _problem(file, at, "toml", what, mend)
    return _problem(file, at, "toml", f"not TOML: {re.sub(r' [(]at .*[)]$', '', message)[:200]}")
