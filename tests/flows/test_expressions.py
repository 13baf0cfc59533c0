"""The expression language: values, totality, types, and what hostile texts get."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import ExpressionError
from flows.evaluation import evaluate
from flows.expressions import parse
from flows.functions import FUNCTIONS, Context, show
from flows.inference import TEXT, Type, infer, type_of_value
from flows.templates import parse as parse_template

VARIABLES = {
    "n": 3, "x": 2.5, "name": "Ann", "yes": True, "none_yet": None, "list": [1, 2, 3],
    "who": {"age": 41, "tags": ["a"]},
}  # fmt: skip
CONTEXT = Context("en", 1_800_000_000.0)


def value(source: str, language: str = "en") -> object:
    return evaluate(parse(source), VARIABLES, Context(language, 1_800_000_000.0))


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("-n + 10 % 4", -1),
        ("7 / 2", 3.5),
        ("1 / 0", None),
        ("n % 0", None),
        ("'a' + \"b\"", "ab"),
        ("'a' + 1", None),
        ("n > 2 and not (x > 3)", True),
        ("false or name == 'Ann'", True),
        ("n == 3.0", True),
        ("yes == 1", False),
        ("name < 'Bob'", True),
        ("name < 3", None),
        ("who.age", 41),
        ("who['age'] + list[1]", 42),
        ("who.tags[1]", "a"),
        ("list[0]", None),
        ("list[4]", None),
        ("who.nothing.more", None),
        ("2 in list", True),
        ("'age' in who", True),
        ("'nn' in name", True),
        ("[1, n, 'x']", [1, 3, "x"]),
        ("not n", None),
        ("none_yet == none", True),
        ("default(none_yet, 5)", 5),
        ("choose(n > 1, 'many', 'one')", "many"),
        ("known(none_yet)", False),
        ("length(name) + length(list)", 6),
        ("round(2.345, 2)", 2.35 if round(2.345, 2) == 2.35 else 2.35 - 0.01),
        ("round(2.5, 0)", 2),
        ("part('12345678', -4, 4)", "5678"),
        ("part('12345678', 1, 2)", "12"),
        ("digits(4711)", "4 7 1 1"),
        ("money(12.5)", "12 dollars and 50 cents"),
        ("money(-1)", "minus 1 dollar"),
        ("money('x')", None),
        ("number(' 42 ')", 42),
        ("number('4.5')", 4.5),
        ("number('1e999')", None),
        ("number('fish')", None),
        ("text(2.50)", "2.5"),
        ("lower(trim(' ANN '))", "ann"),
        ("least(3, 2) + most(3, 2)", 5),
        ("date('2027-12-24')", "December 24"),
        ("date('2030-01-02')", "January 2, 2030"),
        ("date('fish')", None),
        ("time('15:30')", "3:30 pm"),
        ("time('08:00')", "8 am"),
        ("time('99:99')", None),
        ("weekday('2026-11-21')", 6),
        ("now()", 1_800_000_000.0),
        ("99999999999999 * 99999999999999", None),
    ],
)
def test_values(source: str, result: object) -> None:
    assert value(source) == result


def test_a_large_amount_is_not_spoken_as_a_power_of_ten() -> None:
    assert [show(value) for value in (24690000000 / 2, 12345678901.5, 0.1 + 0.2, 2.0, -1e-12, 1e14 + 0.5)] == [
        "12345000000", "12345678901.5", "0.3", "2", "0", "100000000000000.5",
    ]  # fmt: skip


def test_what_is_spoken_depends_on_the_language() -> None:
    assert value("money(12.05)", "zh-CN") == "12元零5分"
    assert value("time('15:30')", "zh-CN") == "下午3点30分"
    assert value("date('2027-12-24')", "zh-CN") == "12月24日"


def read_or_error(read, source: str):
    try:
        return read(source), None
    except ExpressionError as error:
        return None, error


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os')",
        "name.__class__",
        "who.__class__.__mro__",
        "list.append",
        "().__class__",
        "{}",
        "lambda: 1",
        "n = 4",
        "n := 4",
        "a; b",
        "open('/etc/passwd')",
        "eval('1')",
        "1 if n else 2",
        "[x for x in list]",
        "f'{n}'",
        "\0",
        "'" + "a" * 2000 + "'",
        "(" * 500 + "1" + ")" * 500,
        "-" * 500 + "1",
        "not " * 300 + "yes",
        "1" + "+1" * 400,
        "a" + ".b" * 400,
        "9" * 900 + "*" + "9" * 90,
        "n" + "[n" * 60 + "]" * 60,
        "'x' * 1000000000",
        "name + name * 99999999",
        "\u202e1",
    ],
)
def test_hostile_expressions_are_refused_or_come_to_nothing(source: str) -> None:
    expression, error = read_or_error(parse, source)
    if error:
        assert 0 <= error.offset <= len(source)
        return
    assert evaluate(expression, VARIABLES, CONTEXT) is None
    _, faults = infer(expression, {name: type_of_value(value) for name, value in VARIABLES.items()})
    assert faults or source.startswith("9")


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="nx()[].,+-*/%<>=!'\"12 andorti{}", max_size=40) | st.text(max_size=30))
def test_no_text_makes_the_language_raise(source: str) -> None:
    for read in (parse, parse_template):
        parsed, error = read_or_error(read, source)
        if error:
            assert 0 <= error.offset <= len(source)
        elif read is parse:
            evaluate(parsed, VARIABLES, CONTEXT)
            infer(parsed, {})
        else:
            parsed.fill(VARIABLES, CONTEXT)
            parsed.speak(VARIABLES, CONTEXT)
            parsed.fill_url(VARIABLES, CONTEXT)


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(FUNCTIONS)), st.lists(VALUE, min_size=3, max_size=3), st.sampled_from(["en", "zh-CN", "xx"])
)
def test_functions_are_total(name: str, values: list[object], language: str) -> None:
    function = FUNCTIONS[name]
    names = ["a", "b", "c"][: len(function.parameters)]
    source = f"{name}({', '.join(names)})"
    evaluate(parse(source), dict(zip(names, values, strict=False)), Context(language, 0.0))


def test_types_are_found_before_anything_runs() -> None:
    scope = {
        "n": type_of_value(1),
        "name": TEXT,
        "rows": Type("table", item=Type("record", {"cents": type_of_value(1)})),
    }
    assert infer(parse("rows[name].cents * n"), scope) == (type_of_value(1), [])
    kind, faults = infer(parse("rows[name].cent + nam"), scope)
    assert [fault.code for fault in faults] == ["field.unknown", "name.unknown"]
    assert infer(parse("n + name"), scope)[1][0].mend == "write text(...) around the other value"
    assert infer(parse("money(name)"), scope)[1][0].code == "type"
    assert infer(parse("n.field"), scope)[1][0].what == "a number has no fields"
    assert kind is not None


def test_ssml_is_kept_small() -> None:
    template = parse_template('Code <say-as interpret-as="digits">{n}{n}</say-as><break time="500ms"/> again.')
    text, silence, rest = template.speak(VARIABLES, CONTEXT)
    assert (text.text, silence.seconds, rest.text) == ("Code 3 3", 0.5, "again.")
    with pytest.raises(ExpressionError, match="<prosody"):
        parse_template('<prosody rate="slow">x</prosody>')


def test_values_are_never_read_as_tags() -> None:
    spoken = parse_template("Hello {name}").speak({"name": '<break time="9s"/>Bob'}, CONTEXT)
    assert len(spoken) == 1


@pytest.mark.parametrize("text", ["\u00b2:30", "1:\u00b9", "9:60", ":", "-1:00"])
def test_odd_times_are_none(text: str) -> None:
    assert evaluate(parse("time(t)"), {"t": text}, CONTEXT) is None


def test_lists_do_not_grow_without_end() -> None:
    wide: object = "x"
    deep: object = "x"
    for _ in range(500):
        wide = evaluate(parse("default([w, w], 0)"), {"w": wide}, CONTEXT)
        deep = evaluate(parse("[d]"), {"d": deep}, CONTEXT)
        assert len(str(wide)) < 200_000
        assert len(str(deep)) < 100
