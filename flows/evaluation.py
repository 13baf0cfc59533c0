"""Gives an expression its value. Total: it never raises, takes time in proportion to the text, and has no side effects.

What makes no sense (dividing by zero, adding a number to a text, a field that is not there) is none; none compares
equal only to none, and everything else done with none is none.
"""

from collections.abc import Mapping

from flows.expressions import Binary, Call, Expression, Items, Literal, Name, Node, Pick, Unary
from flows.functions import FUNCTIONS, MAX_TEXT, Context, Value, is_number, show

MAX_NESTING = 20


def evaluate(expression: Expression, variables: Mapping[str, Value], context: Context) -> Value:
    """The value of the expression with these variables."""
    return _value(expression.root, variables, context)


def is_true(expression: Expression, variables: Mapping[str, Value], context: Context) -> bool:
    """Whether a condition holds; none does not."""
    return evaluate(expression, variables, context) is True


def _value(node: Node, variables: Mapping[str, Value], context: Context) -> Value:
    match node:
        case Literal(value):
            return value
        case Name(name):
            return variables.get(name)
        case Pick(of, key):
            return _pick(_value(of, variables, context), _value(key, variables, context))
        case Items(items):
            return _small([_value(item, variables, context) for item in items])
        case Call(name, arguments):
            function = FUNCTIONS.get(name)
            if function is None or len(arguments) != len(function.parameters):
                return None
            return _bounded(function.call(context, *(_value(argument, variables, context) for argument in arguments)))
        case Unary("not", operand):
            inner = _value(operand, variables, context)
            return not inner if isinstance(inner, bool) else None
        case Unary(_, operand):
            inner = _value(operand, variables, context)
            return -inner if is_number(inner) else None
        case Binary("and" | "or" as operator, left, right):
            first = _value(left, variables, context) is True
            if first is (operator == "or"):
                return first
            return _value(right, variables, context) is True
        case Binary(operator, left, right):
            return _bounded(_binary(operator, _value(left, variables, context), _value(right, variables, context)))


def _pick(of: Value, key: Value) -> Value:
    if isinstance(of, dict):
        return of.get(key if isinstance(key, str) else show(key))
    if isinstance(of, list) and isinstance(key, int) and not isinstance(key, bool) and 1 <= key <= len(of):
        return of[key - 1]
    return None


def _binary(operator: str, left: Value, right: Value) -> Value:
    match operator:
        case "==":
            return _same(left, right)
        case "!=":
            return not _same(left, right)
        case "in":
            return _contains(right, left)
        case "<" | "<=" | ">" | ">=":
            return _ordered(operator, left, right)
        case "+" if isinstance(left, str) and isinstance(right, str):
            return (left + right)[:MAX_TEXT]
    return _arithmetic(operator, left, right) if is_number(left) and is_number(right) else None


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    return bool(left == right)


def _contains(whole: Value, part: Value) -> Value:
    if isinstance(whole, list):
        return any(_same(item, part) for item in whole)
    if isinstance(whole, dict):
        return (part if isinstance(part, str) else show(part)) in whole
    return part in whole if isinstance(whole, str) and isinstance(part, str) else None


def _ordered(operator: str, left: Value, right: Value) -> Value:
    if not (is_number(left) and is_number(right)) and not (isinstance(left, str) and isinstance(right, str)):
        return None
    match operator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
    return left >= right


def _arithmetic(operator: str, left: float, right: float) -> Value:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    if right == 0:
        return None
    return left / right if operator == "/" else left % right


def _bounded(value: Value) -> Value:
    """Keeps numbers below a million billion, so that no product of products grows without end."""
    return None if isinstance(value, int | float) and not isinstance(value, bool) and not is_number(value) else value


def _small(items: list[Value]) -> Value:
    """The list, or none where it holds more than MAX_TEXT characters and items or is nested beyond MAX_NESTING: lists
    of lists of themselves would grow without end."""
    size = 0
    level: list[Value] = [items]
    for _ in range(MAX_NESTING):
        below: list[Value] = []
        for item in level:
            size += len(item) if isinstance(item, str | list | dict) else 1
            if size > MAX_TEXT:
                return None
            if isinstance(item, list | dict):
                below.extend(item.values() if isinstance(item, dict) else item)
        if not below:
            return items
        level = below
    return None
