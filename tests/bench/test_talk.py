import pytest

from bench import alaw
from bench.rtp import KeyEvent
from bench.talk import Kind, Loop, Script, Turn, packets
from telephony import audio

SPEECH = alaw.encode(audio.tone(300, 8000, 200))
STEP = 0.02


class Conversation:
    """Plays a script against prompts at set times: `prompts` are (from, to) in seconds, on a 20 ms clock."""

    def __init__(self, *turns: Turn) -> None:
        self.script = Script(turns)
        self.now = 1000.0
        self.sent: list[tuple[float, bytes | KeyEvent]] = []

    def run(self, seconds: float, loud: bool) -> None:
        for _ in range(round(seconds / STEP)):
            self.sent.append((self.now, self.script.next(self.now)))
            self.script.heard(loud, self.now + 0.01)
            self.now += STEP


def test_speaks_after_the_prompt_and_marks_the_reply():
    talk = Conversation(Turn(Kind.SAY, "hello", SPEECH))
    talk.run(2.0, loud=True)
    talk.run(0.68, loud=False)
    assert not talk.script.marks
    talk.run(1.0, loud=False)
    assert not talk.script.done
    talk.run(0.02, loud=True)
    (mark,) = talk.script.marks
    assert mark.ended - mark.began == pytest.approx(0.18)  # ten packets
    assert mark.reply == pytest.approx(1003.69)
    assert talk.script.done


def test_a_pause_within_a_prompt_is_not_its_end():
    talk = Conversation(Turn(Kind.SAY, "hello", SPEECH))
    for _ in range(3):
        talk.run(0.5, loud=True)
        talk.run(0.5, loud=False)
    assert not talk.script.marks


def test_a_reply_during_the_speech_is_early():
    talk = Conversation(Turn(Kind.SAY, "hello", SPEECH))
    talk.run(1.0, loud=True)
    talk.run(0.8, loud=False)
    talk.run(0.04, loud=True)
    assert talk.script.marks[0].answered_early
    assert talk.script.marks[0].reply is None


def test_a_key_may_be_answered_while_it_is_held():
    talk = Conversation(Turn(Kind.KEY, "1", key="1"))
    talk.run(1.0, loud=True)
    talk.run(0.74, loud=False)
    talk.run(0.2, loud=True)
    (mark,) = talk.script.marks
    assert mark.reply is not None
    assert mark.began < mark.reply < mark.ended
    assert sum(isinstance(packet, KeyEvent) for _, packet in talk.sent) == 8
    assert talk.script.done


def test_a_barge_marks_the_interrupted_prompt_and_the_reply():
    talk = Conversation(Turn(Kind.BARGE, "hello", SPEECH, into_s=1.0))
    talk.run(1.2, loud=True)
    talk.run(0.6, loud=False)
    talk.run(0.02, loud=True)
    (mark,) = talk.script.marks
    assert mark.began == pytest.approx(1001.02)
    assert mark.prompt_ended == pytest.approx(1001.19)
    assert mark.reply == pytest.approx(1001.81)


def test_a_hotline_that_says_nothing_ends_the_script_and_a_missing_reply_the_turn():
    silent = Conversation(Turn(Kind.SAY, "hello", SPEECH))
    silent.run(21, loud=False)
    assert silent.script.done
    assert not silent.script.marks
    deaf = Conversation(Turn(Kind.SAY, "one", SPEECH), Turn(Kind.SAY, "two", SPEECH))
    deaf.run(1.0, loud=True)
    deaf.run(30, loud=False)
    assert [(mark.label, mark.reply) for mark in deaf.script.marks] == [("one", None), ("two", None)]
    assert deaf.script.done


def test_what_is_timed_begins_and_ends_with_sound():
    quiet = bytes([alaw.SILENCE]) * 400
    assert len(packets(quiet + SPEECH + quiet)) == 11  # ten packets of sound that do not begin on a packet's edge
    assert packets(quiet) == []


def test_a_loop_goes_round_from_its_offset():
    loop = Loop(bytes([1]) * 160 + bytes([2]) * 160, offset_s=0.02)
    assert [loop.next(0.0)[0] for _ in range(4)] == [2, 1, 2, 1]
    assert not loop.done


def test_a_loop_is_done_after_its_time():
    loop = Loop(bytes(320), for_s=0.04)
    loop.next(0.0)
    assert not loop.done
    loop.next(0.02)
    assert loop.done
