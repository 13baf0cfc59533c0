"""Finds the line and column of every key and value in a TOML text that `tomllib` has accepted.

Owns places only: it reads no values. A place is a path as in the parsed document,
`("step", "greet", "choices", 0, "key")`.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass

from flows.problems import Position

Path = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""(?:""?(?!"))?', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:''?(?!'))?", re.DOTALL)
_ATOM = re.compile(r"[^,\]\}\n#]+")
_ESCAPE = re.compile(r'\\(["\\btnfr]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})')
_LETTERS = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Places:
    """Where each key and each value of a document starts."""

    keys: dict[Path, Position]
    values: dict[Path, Position]

    def key(self, path: Path) -> Position:
        """The place of the key, or of the nearest thing around it that has one."""
        while path:
            if path in self.keys:
                return self.keys[path]
            if isinstance(path[-1], str) and len(path) > 1 and (*path[:-2], path[-1]) in self.keys:
                return self.keys[*path[:-2], path[-1]]  # where one table may stand for a list of them
            path = path[:-1]
        return Position(1, 1)

    def value(self, path: Path) -> Position:
        """The place where the value starts, or that of its key."""
        return self.values.get(path) or self.key(path)


def places(text: str) -> Places:
    """Reads the places of a valid TOML document."""
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self.keys: dict[Path, Position] = {}
        self.values: dict[Path, Position] = {}
        self.elements: dict[Path, int] = {}

    def document(self) -> Places:
        table: Path = ()
        self._skip(_SPACE)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_SPACE)
        return Places(self.keys, self.values)

    def _header(self) -> Path:
        place = self._position()
        double = self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        names = self._dotted()
        self.at += 2 if double else 1
        path: Path = ()
        for number, name in enumerate(names, 1):
            path = (*path, name)
            if double and number == len(names):
                self.keys.setdefault(path, place)
                self.elements[path] = self.elements.get(path, -1) + 1
                path = (*path, self.elements[path])
            elif path in self.elements:
                path = (*path, self.elements[path])
            if number < len(names):
                self.keys.setdefault(path, place)
        self.keys[path] = place
        return path

    def _pair(self, table: Path) -> None:
        self._skip(_SPACE)
        place = self._position()
        names = self._dotted()
        for length in range(1, len(names)):
            self.keys.setdefault((*table, *names[:length]), place)
        path = (*table, *names)
        self.keys[path] = place
        self._skip(_INLINE_SPACE)
        self.at += 1  # the equals sign
        self._skip(_INLINE_SPACE)
        self._value(path)

    def _dotted(self) -> tuple[str, ...]:
        names = []
        while True:
            self._skip(_INLINE_SPACE)
            names.append(self._name())
            self._skip(_INLINE_SPACE)
            if self.text[self.at] != ".":
                return tuple(names)
            self.at += 1

    def _name(self) -> str:
        first = self.text[self.at]
        if first == '"':
            return _ESCAPE.sub(_unescape, self._skip(_BASIC)[1:-1])
        if first == "'":
            return self._skip(_LITERAL)[1:-1]
        return self._skip(_BARE)

    def _value(self, path: Path) -> None:
        self.values[path] = self._position()
        first = self.text[self.at]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        elif self.text.startswith('"""', self.at):
            self._skip(_LONG_BASIC)
        elif self.text.startswith("'''", self.at):
            self._skip(_LONG_LITERAL)
        elif first == '"':
            self._skip(_BASIC)
        elif first == "'":
            self._skip(_LITERAL)
        else:
            self._skip(_ATOM)

    def _array(self, path: Path) -> None:
        self.at += 1
        for index in range(len(self.text)):
            self._skip(_SPACE)
            if self.text[self.at] == "]":
                break
            element = (*path, index)
            self.keys[element] = self._position()
            self._value(element)
            self._comma()
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        self._skip(_SPACE)
        while self.text[self.at] != "}":
            self._pair(path)
            self._comma()
        self.at += 1

    def _comma(self) -> None:
        self._skip(_SPACE)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_SPACE)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:  # tomllib accepted what this scanner does not know: give up on places, not on the flow
            raise LookupError(f"no {pattern.pattern!r} at offset {self.at}")
        self.at = match.end()
        return match[0]

    def _position(self) -> Position:
        line = bisect_right(self.lines, self.at)
        return Position(line, self.at - self.lines[line - 1] + 1)


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "uU":
        return chr(int(code[1:], 16))
    return _LETTERS.get(code, code)
