"""Every process of the hotline is killed in the middle of a call: what the caller and the archive notice of it."""

import os
import signal

import pytest

from tests.net.hotline import Archived, Hotline, alive, children_of, start
from tests.net.phones import Phone, Phones, Says, keys

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]


def pressing(phones: Phones, hotline: Hotline, pressed: str) -> Phone:
    """A caller of the line `patient` whose first keys have been heard."""
    phone = phones.call("patient", Says(keys(pressed)))
    phones.until(lambda: (call := hotline.live_call(phone.call_id)) and call.keys == pressed)
    return phone


def finished(phones: Phones, hotline: Hotline, phone: Phone, pressed: str) -> Archived:
    """Presses the last keys; gives the call as archived, which must be whole in the store too."""
    assert phone.up
    phone.talker.add(keys(pressed))
    phones.at_end([phone])
    assert phone.ended_by_far_end
    call = phones.until(lambda: hotline.calls(phone.call_id))[0]
    assert [event["seq"] for event in call.events] == list(range(1, len(call.events) + 1))
    assert phones.until(lambda: hotline.rows(call)) == [event["seq"] for event in call.events]
    call.assert_recorded_whole()
    return call


def killed(phones: Phones, hotline: Hotline, name: str) -> None:
    """Kills a child of the launcher and waits until another has taken its place."""
    before = hotline.child(name)
    os.kill(before, signal.SIGKILL)
    phones.until(lambda: hotline.child(name) not in (0, before), 30)
    phones.until(lambda: hotline.door().get("idle"), 30)


@pytest.mark.parametrize("name", ["zygote", "door", "control", "speech", "broker"])
def test_a_call_outlives_the(name, shared_hotline, phones):
    phone = pressing(phones, shared_hotline, "1")
    killed(phones, shared_hotline, name)
    call = finished(phones, shared_hotline, phone, "47119")
    assert call.keys == "147119"
    assert call.data("variable") == [{"name": "number", "value": "4711"}]
    assert call.termination == "completed"
    assert call.data("error") == []
    assert call.ended["rtp"]["rx_lost"] == 0
    following = pressing(phones, shared_hotline, "1")
    assert finished(phones, shared_hotline, following, "00009").termination == "completed"


@pytest.mark.needs("mosquitto")
def test_a_call_outlives_mosquitto(shared_hotline, phones):
    phone = pressing(phones, shared_hotline, "1")
    broker = shared_hotline.child("broker")
    (mosquitto,) = children_of(broker)
    os.kill(mosquitto, signal.SIGKILL)
    phones.until(lambda: (fresh := shared_hotline.child("broker")) not in (0, broker) and children_of(fresh), 30)
    assert finished(phones, shared_hotline, phone, "47119").termination == "completed"


def test_a_killed_worker_ends_only_its_own_call(shared_hotline, phones):
    other = pressing(phones, shared_hotline, "1")
    phone = pressing(phones, shared_hotline, "1")
    phones.loop.run_for(0.5)
    live = shared_hotline.live_call(phone.call_id)
    os.kill(live.started["worker_pid"], signal.SIGKILL)
    phones.at_end([phone], 10)
    assert phone.ended_by_far_end
    following = pressing(phones, shared_hotline, "1")
    call = phones.until(lambda: shared_hotline.calls(phone.call_id))[0]
    assert call.termination == "worker_died"
    assert call.ended["by"] == "archive"
    assert call.keys == "1"
    assert len(call.audio) > 4000
    assert phones.until(lambda: shared_hotline.rows(call)) == [event["seq"] for event in call.events]
    for left in (other, following):
        assert finished(phones, shared_hotline, left, "47119").termination == "completed"


def test_a_call_outlives_the_launcher_and_is_ended_through_the_next_one(make_hotline):
    hotline = make_hotline()
    with Phones(hotline.address) as phones:
        phone = pressing(phones, hotline, "1")
        children, zygote = children_of(hotline.process.pid), hotline.child("zygote")
        idle = set(hotline.workers) - {hotline.live_call(phone.call_id).started["worker_pid"]}
        assert len(children) == 5
        os.kill(hotline.process.pid, signal.SIGKILL)
        hotline.process.wait()
        phones.until(lambda: not any(map(alive, {*children, *idle} - {zygote})))
        assert hotline.live_call(phone.call_id)
        assert phone.up
        heard = phone.reception.received
        phones.until(lambda: phone.reception.received > heard + 20)
        following = start(hotline.config, hotline.data)
        hotline.process.stdout.close()
        hotline.process = following.process
        phone.talker.add(keys("4711"))
        phones.until(lambda: hotline.live_call(phone.call_id).keys == "14711")
        phone.hang_up()
        phones.at_end([phone])
        assert not phone.ended_by_far_end
        call = phones.until(lambda: hotline.calls(phone.call_id))[0]
        assert call.termination == "caller_hangup"
        assert hotline.rows(call) == [event["seq"] for event in call.events]
        phones.until(lambda: not alive(zygote))  # it stayed for its last call only
        another = pressing(phones, hotline, "1")
        assert finished(phones, hotline, another, "00009").termination == "completed"
