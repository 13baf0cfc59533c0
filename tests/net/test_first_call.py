"""The first call, end to end: a test phone calls the running hotline, is understood, answered and found again."""

import pytest

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]
STAGES = ["speech_end_sample", "endpoint_sample", "final_sample", "step_sample", "prompt_sample", "rtp_sample"]


def test_a_spoken_call_is_understood_answered_and_archived(shared_hotline):
    turns = ["--wait", "3", "--say", "balance", "--wait", "1.5", "--keys", "1234", "--say", "no thank you"]
    outcome, call = shared_hotline.dialled("--voice", "en-us+m7", *turns)
    assert outcome["answered"]
    assert outcome["ended_by"] == "far end"
    assert outcome["rtp"]["rx_lost"] == 0
    assert all(turn["reply_ms"] is not None for turn in outcome["turns"][:2])
    assert call.heard == ["balance", "no thank you"]
    assert "1250" in call.said
    assert call.termination == "completed"
    played = {prompt["reason"]: prompt["played_ms"] for prompt in call.data("prompt.ended")}
    assert played["finished"] > 500
    assert 0 < played["barge_in"] < 10_000
    measured = call.data("turn")
    assert len(measured) >= 3
    for turn in measured:
        samples = [turn[name] for name in STAGES]
        assert samples == sorted(samples)


def test_the_mandarin_line_is_usable_by_keys_alone(shared_hotline):
    turns = ["--wait", "3", "--keys", "1", "--wait", "2", "--keys", "1234#", "--wait", "9", "--keys", "2"]
    outcome, call = shared_hotline.dialled(*turns, user="bank-zh")
    assert outcome["ended_by"] == "far end"
    assert call.started["flow"] == "bank-zh"
    assert call.termination == "completed"
