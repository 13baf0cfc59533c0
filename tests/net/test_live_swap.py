"""Flows are swapped under a running hotline: an edit is live at once for new calls, a broken one never."""

import subprocess
import sys

import pytest

from tests.net.hotline import ROOT, wait_for

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]
FLOW = """
flow = "quick"
version = {version}
start = "ask"
[step.ask]
type = "menu"
prompt = "This is version {version}. Say balance."
choices = [{{ key = "1", say = ["balance"], next = "bye" }}]
[step.bye]
type = "hangup"
"""
WORSE = """
[step.worse]
type = "rule"
rules = "none"
next = "bye"
[rules.none]
inputs = ["1"]
outputs = ["x"]
rows = [["2", "3"]]
"""


def publications(hotline) -> dict[int, int]:
    """Version by publication of the calls so far."""
    calls = [*hotline.up(), *hotline.archived()]
    return {call.started["publication"]: call.started["version"] for call in calls}


def test_an_edit_is_live_for_new_calls_only_and_a_broken_one_never(make_hotline, tmp_path):
    folder = tmp_path / "flows"
    folder.mkdir()
    file = folder / "quick.toml"
    file.write_text(FLOW.format(version=1))
    hotline = make_hotline(flows=folder)
    uri = hotline.uri.replace("hotline@", "quick@")
    running = subprocess.Popen(
        [sys.executable, "-m", "ivr", "dial", uri, "--json", "--wait", "12", "--keys", "1"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: publications(hotline) == {1: 1})
    file.write_text(FLOW.format(version=2))
    wait_for(lambda: "version 2" in history(hotline))
    assert hotline.dial("--wait", "1", "--keys", "1", user="quick")["ended_by"] == "far end"
    wait_for(lambda: publications(hotline) == {1: 1, 2: 2})  # a call is neither up nor sealed for a moment
    file.write_text(FLOW.format(version=3).replace("[step.bye]", "[step.by"))
    wait_for(lambda: "not published" in hotline.log())
    assert hotline.dial("--wait", "1", "--keys", "1", user="quick")["ended_by"] == "far end"
    wait_for(lambda: publications(hotline) == {1: 1, 2: 2})
    out, _ = running.communicate(timeout=60)
    assert '"ended_by": "far end"' in out, "the call that was up ran on, on its own version"
    assert '"rx_lost": 0' in out
    back = hotline.ivr("flow", "rollback", "quick")
    assert back.returncode == 0, back.stderr
    _, call = hotline.dialled("--wait", "1", "--keys", "1", user="quick")
    assert call.started["version"] == 1


def test_a_worse_version_on_trial_is_taken_back_by_itself(make_hotline, tmp_path):
    folder = tmp_path / "flows"
    folder.mkdir()
    file = folder / "quick.toml"
    file.write_text(FLOW.format(version=1))
    hotline = make_hotline(flows=folder, more="canary = 0.5\ntrial_calls = 2")
    worse = FLOW.format(version=2).replace('next = "bye"', 'next = "worse"') + WORSE
    file.write_text(worse)
    wait_for(lambda: "version 2) " in history(hotline))

    def taken_back() -> bool:
        hotline.dial("--wait", "1", "--keys", "1", user="quick")
        return "withdrawn" in history(hotline)

    wait_for(taken_back, within_s=120)
    assert "errors in 2 calls" in history(hotline)
    for _ in range(3):
        _, call = hotline.dialled("--wait", "1", "--keys", "1", user="quick")
        assert call.started["version"] == 1
        assert call.termination == "completed"


def history(hotline) -> str:
    return hotline.ivr("flow", "history").stdout
