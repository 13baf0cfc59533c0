from dataclasses import replace

import pytest

from bench import load
from bench.load import Level

GOOD = Level(
    calls=10, up=10, seconds=10.0, lost=0, unsent=0, late=0, short=0, lost_in=0, deaf=0, final_p95_ms=3.0,
    jitter_p95_ms=1.0, gap_max_ms=30.0, cpu_a_call=1.0, pss_mb_a_call=9.0, cpu={}, pss_mb={}, caller_cpu=1.0,
    caller_late_ms=1.0, prompts_heard=10, not_up=[],
)  # fmt: skip


@pytest.mark.parametrize(
    "fault",
    [{"up": 9}, {"prompts_heard": 9}, {"lost": 1}, {"unsent": 1}, {"short": 1}, {"lost_in": 1}, {"deaf": 1}],
)
def test_any_fault_spoils_a_level(fault):
    assert GOOD.good
    assert not replace(GOOD, **fault).good


def test_a_level_is_smooth_while_one_packet_in_a_thousand_is_late():
    assert replace(GOOD, late=5).smooth
    assert not replace(GOOD, late=6).smooth
    assert not replace(GOOD, lost=1).smooth


@pytest.mark.parametrize("most", [7, 16, 33, 49, 60, 100, 149, 500])
def test_climbing_ends_near_the_most_that_a_machine_carries(monkeypatch, most):
    monkeypatch.setattr(load, "run_level", lambda engine, calls, seconds: replace(
        GOOD, calls=calls, up=min(calls, most), prompts_heard=min(calls, most)))  # fmt: skip
    tried = load.climb("vosk", 1.0)
    best = max((level.calls for level in tried if level.good), default=0)
    assert best <= most
    assert best >= min(most, load.MOST) * 8 // 9 - 2
    assert len(tried) <= 12
