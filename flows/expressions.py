"""The expression language of flows: its grammar and its syntax tree.

Small and total: no loops, no assignment, no attribute of a Python object. What an expression may see is a dictionary of
plain values and the functions of `flows.functions`; `flows.evaluation` gives it a value and never raises,
`flows.inference` finds unknown names and wrong types before a flow is published.

    or, and, not | == != < <= > >= in | + - | * / % | -x | x.field x[key] f(x) | 12 1.5 "text" true false none [1, 2]
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flows.errors import ExpressionError

MAX_LENGTH = 1_000
MAX_DEPTH = 40

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"[^"]*"|'[^']*')|(?P<name>[^\W\d]\w*)"""
    r"""|(?P<sign>==|!=|<=|>=|[-+*/%<>()\[\],.])|(?P<end>$)|(?P<bad>.))""",
    re.DOTALL,
)
_WORDS = {"true": True, "false": False, "none": None}
_RESERVED = {"and", "or", "not", "in", *_WORDS}
_COMPARISONS = {"==", "!=", "<", "<=", ">", ">=", "in"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, true, false or none."""

    value: Any
    offset: int


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Pick:
    """`of.field` or `of[key]`; a field is a `Literal` key."""

    of: "Node"
    key: "Node"
    offset: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple["Node", ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x` or `-x`."""

    operator: str
    operand: "Node"
    offset: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and the operator between them."""

    operator: str
    left: "Node"
    right: "Node"
    offset: int


@dataclass(frozen=True, slots=True)
class Items:
    """`[a, b]`."""

    items: tuple["Node", ...]
    offset: int


Node = Literal | Name | Pick | Call | Unary | Binary | Items


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression and the text it came from."""

    source: str
    root: Node


def parse(source: str) -> Expression:
    """Reads an expression. Raises ExpressionError with the offset of the first thing that does not fit."""
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH} characters, this one has {len(source)}")
    parser = _Parser(source)
    root = parser.either(0)
    parser.expect("end", "")
    return Expression(source, root)


def nodes(node: Node) -> Iterator[Node]:
    """The node and every one below it."""
    yield node
    match node:
        case Pick(of, key):
            below: tuple[Node, ...] = (of, key)
        case Call(_, parts) | Items(parts):
            below = parts
        case Unary(_, operand):
            below = (operand,)
        case Binary(_, left, right):
            below = (left, right)
        case _:
            below = ()
    for inner in below:
        yield from nodes(inner)


def names(node: Node) -> Iterator[Name]:
    """Every variable that the expression reads."""
    return (inner for inner in nodes(node) if isinstance(inner, Name))


class _Parser:
    """Recursive descent, one method for each level of precedence."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.kind = self.token = ""
        self.offset = 0
        self.advance()

    def advance(self) -> str:
        taken = self.token
        match = _TOKEN.match(self.source, self.at)
        if match is None:
            raise ExpressionError("this cannot be read", self.at)
        self.kind = str(match.lastgroup)
        self.token = match[self.kind]
        self.offset = match.start(self.kind)
        self.at = match.end()
        if self.kind == "bad":
            hint = '; compare with "=="' if self.token == "=" else ""
            raise ExpressionError(f"{self.token!r} has no meaning here{hint}", self.offset)
        return taken

    def expect(self, kind: str, token: str) -> None:
        if self.kind != kind or self.token != token:
            wanted = repr(token) if token else "the end of the expression"
            raise ExpressionError(f"expected {wanted}, found {self.token or 'its end'!r}", self.offset)
        self.advance()

    def either(self, depth: int) -> Node:
        return self.chain(depth, ("or",), self.both)

    def both(self, depth: int) -> Node:
        return self.chain(depth, ("and",), self.negation)

    def chain(self, depth: int, operators: tuple[str, ...], operand: Callable[[int], "Node"]) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionError("this is nested too deeply", self.offset)
        left = operand(depth + 1)
        links = 0
        while self.kind in ("name", "sign") and self.token in operators:
            links += 1
            if depth + links > MAX_DEPTH:
                raise ExpressionError("this is too long a chain", self.offset)
            offset = self.offset
            operator = self.advance()
            left = Binary(operator, left, operand(depth + 1), offset)
        return left

    def negation(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionError("this is nested too deeply", self.offset)
        if self.kind == "name" and self.token == "not":
            offset = self.offset
            self.advance()
            return Unary("not", self.negation(depth + 1), offset)
        return self.comparison(depth)

    def comparison(self, depth: int) -> Node:
        left = self.sum(depth)
        if self.token in _COMPARISONS and self.kind in ("sign", "name"):
            offset = self.offset
            operator = self.advance()
            left = Binary(operator, left, self.sum(depth), offset)
            if self.token in _COMPARISONS and self.kind in ("sign", "name"):
                raise ExpressionError('comparisons do not chain; write "a < b and b < c"', self.offset)
        return left

    def sum(self, depth: int) -> Node:
        return self.chain(depth, ("+", "-"), self.product)

    def product(self, depth: int) -> Node:
        return self.chain(depth, ("*", "/", "%"), self.sign)

    def sign(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionError("this is nested too deeply", self.offset)
        if self.token == "-" and self.kind == "sign":
            offset = self.offset
            self.advance()
            return Unary("-", self.sign(depth + 1), offset)
        return self.postfix(depth)

    def postfix(self, depth: int) -> Node:
        node = self.atom(depth)
        links = 0
        while self.kind == "sign" and self.token in (".", "["):
            links += 1
            if depth + links > MAX_DEPTH:
                raise ExpressionError("this is too long a chain", self.offset)
            offset = self.offset
            if self.advance() == ".":
                if self.kind != "name":
                    raise ExpressionError("expected a field's name after the dot", self.offset)
                field_offset = self.offset
                node = Pick(node, Literal(self.advance(), field_offset), offset)
            else:
                key = self.either(depth + 1)
                self.expect("sign", "]")
                node = Pick(node, key, offset)
        return node

    def atom(self, depth: int) -> Node:
        kind, offset = self.kind, self.offset
        if kind == "number":
            digits = self.advance()
            return Literal(float(digits) if "." in digits else int(digits), offset)
        if kind == "text":
            return Literal(self.advance()[1:-1], offset)
        if kind == "name" and self.token not in (_RESERVED - set(_WORDS)):
            word = self.advance()
            if word in _WORDS:
                return Literal(_WORDS[word], offset)
            if self.token == "(" and self.kind == "sign":
                self.advance()
                return Call(word, self.list(")", depth), offset)
            return Name(word, offset)
        if self.token == "(" and kind == "sign":
            self.advance()
            node = self.either(depth + 1)
            self.expect("sign", ")")
            return node
        if self.token == "[" and kind == "sign":
            self.advance()
            return Items(self.list("]", depth), offset)
        raise ExpressionError(f"expected a value, found {self.token or 'the end'!r}", offset)

    def list(self, closing: str, depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        while not (self.token == closing and self.kind == "sign"):
            items.append(self.either(depth + 1))
            if self.token == "," and self.kind == "sign":
                self.advance()
            elif self.token != closing:
                raise ExpressionError(f'expected "," or {closing!r}', self.offset)
        self.advance()
        return tuple(items)
