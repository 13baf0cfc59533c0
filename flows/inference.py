"""Types of expressions, found before a flow is published: unknown names, wrong operands, wrong arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from flows.expressions import Binary, Call, Expression, Items, Literal, Name, Node, Pick, Unary
from flows.functions import FUNCTIONS, Value


@dataclass(frozen=True, slots=True)
class Type:
    """`name` is text, number, yes_no, list, record, table or any. A record knows its fields, a table its rows' type."""

    name: str
    fields: Mapping[str, "Type"] = field(default_factory=dict)
    item: "Type | None" = None

    def __str__(self) -> str:
        return {"yes_no": "yes or no", "any": "anything"}.get(self.name, f"a {self.name}")


ANY, TEXT, NUMBER, YES_NO = Type("any"), Type("text"), Type("number"), Type("yes_no")
SCALARS = {"text": TEXT, "number": NUMBER, "yes_no": YES_NO, "any": ANY}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong inside an expression; `offset` counts characters from its start."""

    offset: int
    code: str
    what: str
    mend: str = ""


def type_of_value(value: Value) -> Type:
    """The type of a plain value, as written in [variables] and [data]."""
    match value:
        case bool():
            return YES_NO
        case int() | float():
            return NUMBER
        case str():
            return TEXT
        case list():
            kinds = {type_of_value(item).name for item in value}
            return Type("list", item=type_of_value(value[0]) if len(kinds) == 1 else ANY)
        case dict():
            return Type("record", {str(key): type_of_value(item) for key, item in value.items()})
    return ANY


def table_type(rows: Mapping[str, Value]) -> Type:
    """The type of a [data] table: any row's key picks a row."""
    kinds = [type_of_value(row) for row in rows.values()]
    if kinds and all(kind.name == "record" for kind in kinds):
        fields: dict[str, Type] = {}
        for kind in kinds:
            for name, inner in kind.fields.items():
                fields[name] = inner if fields.get(name, inner) == inner else ANY
        return Type("table", item=Type("record", fields))
    return Type("table", item=kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else ANY)


def infer(expression: Expression, scope: Mapping[str, Type]) -> tuple[Type, list[Fault]]:
    """The type of the expression and all that is wrong with it."""
    checker = _Inference(scope)
    return checker.of(expression.root), checker.faults


class _Inference:
    def __init__(self, scope: Mapping[str, Type]) -> None:
        self.scope = scope
        self.faults: list[Fault] = []

    def fault(self, offset: int, code: str, what: str, mend: str = "") -> Type:
        self.faults.append(Fault(offset, code, what, mend))
        return ANY

    def of(self, node: Node) -> Type:
        match node:
            case Literal(value):
                return type_of_value(value)
            case Name(name, offset):
                if name in self.scope:
                    return self.scope[name]
                return self.fault(offset, "name.unknown", f"nothing is called {name}", _suggest(name, self.scope))
            case Items(items):
                kinds = [self.of(item) for item in items]
                return Type("list", item=kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else ANY)
            case Pick():
                return self.pick(node)
            case Call():
                return self.call(node)
            case Unary(operator, operand, offset):
                wanted = YES_NO if operator == "not" else NUMBER
                self.wants(self.of(operand), wanted, offset, f'"{operator}"')
                return wanted
            case Binary():
                return self.binary(node)

    def pick(self, node: Pick) -> Type:
        of, key = self.of(node.of), self.of(node.key)
        if of.name == "record" and isinstance(node.key, Literal) and isinstance(node.key.value, str):
            if node.key.value in of.fields:
                return of.fields[node.key.value]
            what = f"there is no field {node.key.value}"
            return self.fault(node.key.offset, "field.unknown", what, _suggest(node.key.value, of.fields))
        if of.name == "table":
            return of.item or ANY
        if of.name == "list":
            self.wants(key, NUMBER, node.offset, "the place in a list")
            return of.item or ANY
        if of.name not in ("any", "record"):
            return self.fault(node.offset, "type", f"{of} has no fields")
        return ANY

    def call(self, node: Call) -> Type:
        kinds = [self.of(argument) for argument in node.arguments]
        function = FUNCTIONS.get(node.function)
        if function is None:
            what = f"there is no function {node.function}"
            return self.fault(node.offset, "function.unknown", what, _suggest(node.function, FUNCTIONS))
        if len(kinds) != len(function.parameters):
            what = f"{node.function} takes {len(function.parameters)} values, not {len(kinds)}"
            return self.fault(node.offset, "type", what)
        for kind, wanted, argument in zip(kinds, function.parameters, node.arguments, strict=True):
            self.wants(kind, SCALARS[wanted], argument.offset, node.function)
        if node.function in ("default", "choose"):
            return kinds[-2] if kinds[-2] == kinds[-1] else ANY
        return SCALARS[function.result]

    def binary(self, node: Binary) -> Type:
        left, right = self.of(node.left), self.of(node.right)
        match node.operator:
            case "and" | "or":
                self.wants(left, YES_NO, node.left.offset, f'"{node.operator}"')
                self.wants(right, YES_NO, node.right.offset, f'"{node.operator}"')
                return YES_NO
            case "==" | "!=":
                self.comparable(left, right, node)
                return YES_NO
            case "in":
                if right.name not in ("list", "table", "record", "text", "any"):
                    self.fault(node.right.offset, "type", f'"in" needs a list, a table or a text, not {right}')
                return YES_NO
            case "<" | "<=" | ">" | ">=":
                if "yes_no" in (left.name, right.name):
                    self.fault(node.offset, "type", "yes or no has no order")
                self.comparable(left, right, node)
                return YES_NO
            case "+" if "text" in (left.name, right.name):
                if {left.name, right.name} - {"text", "any"}:
                    mend = "write text(...) around the other value"
                    self.fault(node.offset, "type", f'"+" cannot join {left} and {right}', mend)
                return TEXT
        self.wants(left, NUMBER, node.left.offset, f'"{node.operator}"')
        self.wants(right, NUMBER, node.right.offset, f'"{node.operator}"')
        return ANY if node.operator == "+" and "any" in (left.name, right.name) else NUMBER

    def comparable(self, left: Type, right: Type, node: Binary) -> None:
        if "any" not in (left.name, right.name) and left.name != right.name:
            self.fault(node.offset, "type", f"{left} is never equal to {right}", _conversion(left, right))

    def wants(self, found: Type, wanted: Type, offset: int, whose: str) -> None:
        if "any" not in (found.name, wanted.name) and found.name != wanted.name:
            self.fault(offset, "type", f"{whose} needs {wanted}, this is {found}")


def _conversion(left: Type, right: Type) -> str:
    return "write number(...) around the text" if {left.name, right.name} == {"text", "number"} else ""


def _suggest(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name, list(known), 1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known here: {', '.join(sorted(known))}" if known else "no variables are known here"
