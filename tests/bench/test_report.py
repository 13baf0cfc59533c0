import json

import pytest

from bench import report
from bench.report import Figure, Report, percentile


@pytest.mark.parametrize(
    ("figure", "held"),
    [
        (Figure("a", 5.0, "ms", 5.0), True),
        (Figure("a", 5.1, "ms", 5.0), False),
        (Figure("a", 60, "", 60, at_least=True), True),
        (Figure("a", 59, "", 60, at_least=True), False),
        (Figure("a", None, "ms", 5.0), False),
        (Figure("a", 5.0, "ms"), None),
    ],
)
def test_a_limit_is_held_or_not(figure, held):
    assert figure.held is held


def test_a_report_is_a_table_a_file_and_an_exit_code(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    made = Report("speed", quick=True)
    made.add("answer: p95", 312.34, "ms", 400)
    assert made.finish() == 0
    made.add("calls", 3, "", 4, at_least=True)
    assert made.finish() == 1
    written = json.loads((tmp_path / "speed.json").read_text())
    assert written["figures"][0] == {"name": "answer: p95", "value": 312.3, "unit": "ms", "limit": 400, "held": True}
    assert written["figures"][1]["held"] is False
    assert written["machine"]["cores"] >= 1
    assert "0.78" in capsys.readouterr().out


def test_percentiles_of_nothing_are_none():
    assert percentile([], 95) is None
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
