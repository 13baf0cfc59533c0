"""The first call, end to end: a test phone calls the running hotline, is understood, answered and found again."""

import pytest

from tests.net.conftest import events_of, kinds

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]


def test_a_spoken_call_is_understood_answered_and_archived(shared_hotline):
    outcome = shared_hotline.dial(
        "--voice",
        "en-us+m7",
        "--wait",
        "3",
        "--say",
        "balance",
        "--wait",
        "1.5",
        "--keys",
        "1234",
        "--say",
        "no thank you",
    )
    assert outcome["answered"]
    assert outcome["ended_by"] == "far end"
    assert outcome["rtp"]["rx_lost"] == 0
    assert all(turn["reply_ms"] is not None for turn in outcome["turns"][:2])
    bundle = shared_hotline.wait_for_bundle(lambda path: (path / "call.flac").exists())
    events = events_of(bundle)
    heard = [data["text"] for data in kinds(events, "utterance")]
    assert heard == ["balance", "no thank you"]
    prompts = " ".join(data["text"] for data in kinds(events, "prompt.started"))
    assert "$1,250.40" in prompts or "1250" in prompts
    assert kinds(events, "call.ended")[0]["termination"] == "completed"
    turns = kinds(events, "turn")
    assert len(turns) >= 3
    for turn in turns:
        order = ["speech_end_sample", "endpoint_sample", "final_sample", "step_sample", "prompt_sample", "rtp_sample"]
        samples = [turn[name] for name in order]
        assert samples == sorted(samples)


def test_the_mandarin_line_is_usable_by_keys_alone(shared_hotline):
    outcome = shared_hotline.dial(
        "--wait", "3", "--keys", "1", "--wait", "2", "--keys", "1234#", "--wait", "9", "--keys", "2", user="bank-zh"
    )
    assert outcome["ended_by"] == "far end"
    bundle = shared_hotline.wait_for_bundle(
        lambda path: (
            any(data.get("flow") == "bank-zh" for data in kinds(events_of(path), "call.started"))
            and (path / "call.flac").exists()
        )
    )
    assert kinds(events_of(bundle), "call.ended")[0]["termination"] == "completed"
