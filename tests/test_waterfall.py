"""Each turn's latency stages on the sample clock."""

import array

from ivr.waterfall import Turn, Waterfall


def sound(*values: int) -> bytes:
    return array.array("h", values).tobytes()


def test_a_turn_is_finished_by_the_first_sounding_sample_after_playing() -> None:
    waterfall = Waterfall()
    waterfall.answered(Turn("balance", 1000, 4200, 4300))
    waterfall.stepped(4310, "verify")
    assert waterfall.heard(4200, sound(*[5] * 480)) is None, "an older prompt's sound is not the reply"
    waterfall.playing(4700)
    turn = waterfall.heard(4680, sound(*[9] * 20, *[0] * 100, 7, *[0] * 359))
    assert turn is not None
    assert turn.as_event() == {
        "text": "balance",
        "step": "verify",
        "speech_end_sample": 1000,
        "endpoint_sample": 4200,
        "final_sample": 4300,
        "step_sample": 4310,
        "prompt_sample": 4800,
        "rtp_sample": 4960,
    }
    assert waterfall.heard(5160, sound(*[5] * 480)) is None, "a turn is reported once"


def test_only_the_first_prompt_of_a_turn_counts() -> None:
    waterfall = Waterfall()
    waterfall.answered(Turn("yes", 0, 0, 0))
    waterfall.stepped(10, "first")
    waterfall.stepped(20, "second")
    waterfall.playing(30)
    waterfall.playing(900)
    turn = waterfall.heard(0, sound(*[0] * 40, 1))
    assert turn is not None
    assert (turn.step, turn.step_sample, turn.prompt_sample) == ("first", 10, 40)


def test_a_turn_that_the_flow_does_not_answer_is_not_charged_to_the_next_prompt() -> None:
    waterfall = Waterfall()
    waterfall.answered(Turn("uh-huh", 0, 0, 0))
    waterfall.unanswered()
    waterfall.stepped(9000, "next")
    waterfall.playing(9010)
    assert waterfall.heard(9000, sound(*[5] * 480)) is None
    waterfall.answered(Turn("yes", 0, 0, 0))
    waterfall.stepped(10, "first")
    waterfall.unanswered()
    waterfall.playing(30)
    assert waterfall.heard(0, sound(*[5] * 480)) is not None, "this one was answered"


def test_a_prompt_nobody_asked_for_is_no_turn() -> None:
    waterfall = Waterfall()
    waterfall.playing(0)
    assert waterfall.heard(0, sound(1, 2, 3)) is None
