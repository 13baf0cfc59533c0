import json

from bench.figures import LEVELS, ORDER, tables
from bench.report import RESULTS


def test_the_figures_of_a_result_become_a_table(tmp_path):
    figures = [
        {"name": "answer", "value": 12.5, "unit": "ms", "limit": 20, "held": True},
        {"name": "calls", "value": 40, "unit": "", "at_least": 60, "held": False},
        {"name": "memory", "value": None, "unit": "MB"},
    ]
    machine = {"at": "2026-11-21T05:00:00+00:00", "cores": 2, "cpu": "X", "load_at_start": 0.1}
    (tmp_path / "voice.json").write_text(json.dumps({"quick": False, "machine": machine, "figures": figures}))
    text = tables(tmp_path)
    assert "### voice" in text
    assert "| answer | 12.5 ms | ≤ 20 | held |" in text
    assert "| calls | 40  | ≥ 60 | **missed** |" in text
    assert "| memory | None MB |  |  |" in text


def test_the_levels_of_a_load_are_in_the_order_of_their_calls(tmp_path):
    level = dict.fromkeys(LEVELS, 0)
    details = {"levels": [{**level, "calls": calls, "jitter_p95_ms": 0.3} for calls in (20, 10)]}
    machine = {"at": "2026-11-21T05:00:00+00:00", "cores": 2, "cpu": "X", "load_at_start": 0.1}
    result = {"quick": False, "machine": machine, "figures": [], "details": details}
    (tmp_path / "load-none.json").write_text(json.dumps(result))
    lines = tables(tmp_path).splitlines()
    assert [line.split(" | ")[0] for line in lines[-2:]] == ["| 10", "| 20"]
    assert " 0.3 " in lines[-1]


def test_no_benchmark_is_left_out():
    assert {path.stem for path in RESULTS.glob("*.json")} <= set(ORDER)
