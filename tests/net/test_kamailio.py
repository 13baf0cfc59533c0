"""A whole hotline behind Kamailio: `ivr serve` starts it, callers are answered, the archive has their calls."""

import os
import signal

import pytest

from tests.net.hotline import wait_for
from tests.net.sipp import Scenario, Sipp

pytestmark = [pytest.mark.net, pytest.mark.timeout(180), pytest.mark.needs("kamailio", "sipp")]


def test_calls_through_kamailio_are_answered_and_archived(make_hotline, tmp_path):
    hotline = make_hotline(telephony='door = "kamailio"')
    assert hotline.door()["kamailio"] > 0
    scenario = Scenario().invite().answered().ack().pause(300)
    for key in "147119":
        scenario.info(key).pause(60)
    call = hotline.call(Sipp(tmp_path, hotline.address, scenario.far_bye()).finish())
    assert call.termination == "completed"
    assert call.ended["by"] == "hotline"
    assert call.keys == "147119"
    many = Sipp(tmp_path, hotline.address, Scenario().invite().answered().ack().bye(), "-m", "20", "-r", "10").finish()
    calls = wait_for(lambda: len(found := hotline.calls(many)) == 20 and found)
    assert {call.termination for call in calls} == {"caller_hangup"}


def test_a_killed_kamailio_is_started_again(make_hotline, tmp_path):
    hotline = make_hotline(telephony='door = "kamailio"')
    before = hotline.door()["kamailio"]
    sipp = Sipp(tmp_path, hotline.address, Scenario("patient").invite().answered().ack().pause(6000).bye())
    wait_for(lambda: len(hotline.up()) == 1)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: hotline.door().get("kamailio", before) != before)
    wait_for(lambda: hotline.door().get("idle", 0) > 0)
    other = Sipp(tmp_path, hotline.address, Scenario().invite().answered().ack().bye())
    assert hotline.call(other.finish()).termination == "caller_hangup"
    assert hotline.call(sipp.finish()).termination == "caller_hangup"  # its BYE came by way of the new one
