"""The whole: a real hotline, called by the benchmarks' callers."""

import pytest

from bench.caller import Callers
from bench.hotline import Hotline
from bench.talk import Kind, Loop, Script, Turn

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]


def test_a_hotline_of_its_own_is_called_looked_at_and_ended():
    with Hotline("none", max_calls=3, idle_workers=2) as hotline:
        assert 0 < hotline.ready_s < 60
        assert hotline.slots_taken() == hotline.workers() == 2
        with Callers(hotline.sip) as callers:
            script = Script([Turn(Kind.KEY, "1", key="1")])
            talking = callers.call("voice", script)
            other = callers.call("load", Loop(b"\xd5" * 160))
            stranger = callers.call("nobody", Loop(b"\xd5" * 160))
            assert callers.loop.run(lambda: talking.status > 0 and other.times.answered > 0, 30)
            assert hotline.door()["dialogs"] >= 1
            assert callers.loop.run(lambda: script.done, 60)
            assert callers.hang_up_all(30)
        assert (talking.status, other.status, stranger.status) == (200, 200, 404)
        assert script.marks[0].reply is not None
        assert talking.reception.received > 50
        parts = {process.part for process in hotline.family()}
        assert {"launcher", "zygote", "worker", "door", "control", "speech", "broker"} <= parts
        callers_seen = {event["sip_call_id"] for event in hotline.events("call.started")}
        assert {talking.call_id, other.call_id} <= callers_seen


def test_ending_leaves_nothing_behind():
    hotline = Hotline("none", max_calls=2, idle_workers=1)
    with hotline:
        before = hotline.family()
        assert len(before) > 5
    assert hotline.family() == []
    assert hotline._still_there(before) == []
