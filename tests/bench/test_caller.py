import pytest

from bench import alaw
from bench.call import Stage
from bench.caller import Callers
from bench.talk import Kind, Loop, Script, Turn
from telephony import audio

SPEECH = alaw.encode(audio.tone(300, 8000, 100))
pytestmark = pytest.mark.net


def test_a_call_is_answered_speaks_keys_hears_and_hangs_up(machine):
    far = machine()
    with Callers(far.address) as callers:
        script = Script([Turn(Kind.KEY, "5", key="5"), Turn(Kind.KEY, "#", key="#")])
        call = callers.call("bank", script)
        assert callers.finish(20)
    assert call.status == 200
    assert call.stage is Stage.OVER
    assert not call.ended_by_far_end
    assert call.times.invited <= call.times.trying <= call.times.answered < call.times.ended
    assert [mark.reply is not None for mark in script.marks] == [True, True]
    keys = [key for key, *_ in far.keys]
    assert keys in ([5] * 8 + [11] * 8, [5] * 8 + [11] * 7), "the last packet may still be on its way"
    figures = call.reception.figures()
    assert (figures.lost, figures.unsent) == (0, 0)
    assert figures.received > 50
    far.stop()
    invite, ack, *_, bye = far.requests
    assert invite.start.startswith("INVITE sip:bank@127.0.0.1:")
    assert (ack.method, bye.method) == ("ACK", "BYE")
    assert [route.rpartition("w=")[2] for route in bye.all("route")] == ["2>", "1>"]
    assert bye.start.startswith("BYE sip:worker@")
    assert bye.get("to").endswith(";tag=far")


def test_lost_packets_are_seen(machine):
    far = machine(lose=[5, 6, 9])
    with Callers(far.address) as callers:
        call = callers.call("bank", Loop(SPEECH))
        callers.loop.run(lambda: call.reception.received > 30, 10)
    assert call.reception.figures().lost == 3


def test_a_refusal_is_acknowledged(machine):
    far = machine(outcome=503)
    with Callers(far.address) as callers:
        call = callers.call("bank", Loop(SPEECH))
        assert callers.finish(10)
    assert call.status == 503
    assert not call.times.answered
    far.stop()
    assert [request.method for request in far.requests] == ["INVITE", "ACK"]


def test_a_call_can_be_cancelled_before_it_is_answered(machine):
    far = machine(outcome=180)
    with Callers(far.address) as callers:
        call = callers.call("bank", Loop(SPEECH))
        callers.loop.run(lambda: call.times.trying > 0, 10)
        call.hang_up()
        assert callers.finish(10)
    assert call.status == 487
    far.stop()
    assert [request.method for request in far.requests] == ["INVITE", "CANCEL", "ACK"]


def test_the_far_side_may_hang_up(machine):
    far = machine()
    with Callers(far.address) as callers:
        call = callers.call("bank", Loop(SPEECH))
        callers.loop.run(lambda: call.reception.received > 3, 10)
        far.bye()
        assert callers.finish(10)
    assert call.ended_by_far_end


def test_an_invite_without_an_answer_is_repeated(machine):
    far = machine()
    deaf = far.address
    far.stop()
    again = machine()
    with Callers(deaf) as callers:
        call = callers.call("bank", Loop(SPEECH))
        callers.loop.run_for(0.1)
        call._next_hop = again.address  # the far side comes up between two tries
        assert callers.loop.run(lambda: call.stage is Stage.UP, 10)
