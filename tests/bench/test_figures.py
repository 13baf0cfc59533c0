import json

from bench.figures import tables


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
