"""The listener: real voice detection on synthetic and human sound, with scripted and real recognisers."""

import queue

import numpy as np
import pytest

from asr.endpointer import Timeouts
from asr.fake import FakeRecogniser, Script, says
from asr.listener import (
    Listener,
    PartialText,
    RecogniserFailed,
    SpeechStarted,
    Utterance,
    VoiceEnded,
    VoiceStarted,
)
from asr.recogniser import Expected

YES_NO = Expected("en", phrases=("yes", "no"))
FREE = Expected("en")


class Caller:
    """Feeds sound in 60 ms pieces and, between them, runs what the recogniser handed over: a loop without a clock.

    In lockstep, each piece waits until the recogniser has dealt with the one before.
    """

    def __init__(self, recogniser, lockstep: bool = True) -> None:
        self.events: list = []
        self.handed: queue.SimpleQueue = queue.SimpleQueue()
        self.listener = Listener(recogniser, self.receive, lambda function, result: self.handed.put((function, result)))
        self.lockstep = lockstep
        self.sample = 0
        self.on_event = lambda event: None

    def receive(self, event) -> None:
        self.events.append(event)
        self.on_event(event)

    def hear(self, *sounds: np.ndarray) -> "Caller":
        sound = np.concatenate(sounds).astype(np.int16)
        for at in range(0, len(sound), 480):
            piece = sound[at : at + 480]
            self.listener.feed(piece.tobytes(), self.sample)
            self.sample += len(piece)
            self.settle()
        return self

    def settle(self) -> None:
        if self.listener._thread and self.lockstep:
            self.listener._thread._commands.join()
        while not self.handed.empty():
            function, result = self.handed.get()
            function(result)

    def await_result(self) -> None:
        function, result = self.handed.get(timeout=20)
        function(result)

    def of(self, *kinds: type) -> list:
        return [event for event in self.events if isinstance(event, kinds)]


@pytest.fixture
def caller():
    callers = []

    def make(*scripts: Script, recogniser=None, lockstep: bool = True) -> Caller:
        engine = recogniser or FakeRecogniser(scripts)
        callers.append((Caller(engine, lockstep), engine))
        return callers[-1][0]

    yield make
    for made, engine in callers:
        if isinstance(engine, FakeRecogniser):
            engine.release()
        made.listener.close()


def hum(seconds: float, level: float = 6000) -> np.ndarray:
    """A vowel-like sound that the detector takes for voice."""
    time = np.arange(int(8000 * seconds)) / 8000
    return level * sum(np.sin(2 * np.pi * 140 * k * time) / k for k in (1, 2, 3, 5, 8))


def test_a_word_becomes_an_utterance_with_its_samples(caller, silence) -> None:
    it = caller(says("yes"))
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.6), silence(1))
    started, partial, said = it.of(SpeechStarted, PartialText, Utterance)
    assert started.sample == pytest.approx(8000, abs=320)
    assert partial == PartialText("yes")
    assert (said.text, said.confidence, said.too_long) == ("yes", 1.0, False)
    assert said.speech_start_sample == started.sample
    assert said.speech_end_sample == pytest.approx(12800, abs=320)
    assert 3200 <= said.endpoint_sample - said.speech_end_sample < 3200 + 480


def test_word_times_count_from_the_start_of_the_call(caller, silence) -> None:
    it = caller(says("yes", after_s=0.3, word_s=0.2))
    it.listener.listen(YES_NO)
    it.hear(silence(5), hum(0.6), silence(2))
    (word,) = it.of(Utterance)[0].words
    assert word.start_s == pytest.approx(5.0, abs=0.05)
    assert word.end_s == pytest.approx(5.2, abs=0.05)


def test_the_recogniser_hears_the_pre_roll_and_everything_after_it_once(caller, silence) -> None:
    it = caller(recogniser=(recogniser := FakeRecogniser([says("yes")])))
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.6), silence(1))
    said = it.of(Utterance)[0]
    heard = recogniser.turns[0].samples
    assert heard <= said.endpoint_sample - said.speech_start_sample + 2400
    assert heard >= said.speech_end_sample - said.speech_start_sample + 2400


def test_a_long_wait_is_held_back_and_sent_only_when_the_caller_goes_on(caller, silence) -> None:
    it = caller(recogniser=(recogniser := FakeRecogniser([says("one two"), says("three")])))
    it.listener.listen(FREE, Timeouts(complete_s=2.0, incomplete_s=2.0))
    it.hear(silence(1), hum(0.6), silence(1.5))
    assert recogniser.turns[0].samples <= 2400 + 4800 + 3200 + 960, "speech, what came before, and 0.4 s after"
    it.hear(hum(0.6), silence(2.2))
    said = it.of(Utterance)[0]
    whole = said.speech_end_sample - said.speech_start_sample + 2400
    assert whole <= recogniser.turns[0].samples <= whole + 3200 + 960, "nothing between the two is missing"


def test_without_listening_only_voice_edges_are_told(caller, silence) -> None:
    it = caller()
    it.hear(silence(1), hum(0.6), silence(1))
    assert [type(event) for event in it.events] == [VoiceStarted, VoiceEnded]


def test_silence_and_a_click_start_nothing(caller, silence) -> None:
    it = caller()
    it.listener.listen(YES_NO)
    click = silence(2).copy()
    click[8000:8040] = 20000
    it.hear(silence(3), click, silence(3))
    assert it.events == []


def test_a_cough_is_an_empty_utterance(caller, silence) -> None:
    it = caller(Script())
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.15), silence(2))
    (said,) = it.of(Utterance)
    assert (said.text, said.confidence) == ("", 0.0)


def test_music_for_ever_ends_at_max_speech_and_starts_nothing_new(caller, silence) -> None:
    it = caller(Script(), Script())
    it.on_event = lambda event: isinstance(event, Utterance) and it.listener.listen(FREE, Timeouts(max_speech_s=2))
    it.listener.listen(FREE, Timeouts(max_speech_s=2))
    it.hear(silence(1), hum(12))
    (said,) = it.of(Utterance)
    assert said.too_long
    assert said.endpoint_sample - said.speech_start_sample == pytest.approx(16000, abs=480)
    assert len(it.of(SpeechStarted)) == 1


def test_a_caller_who_was_speaking_just_before_is_taken_in_whole(caller, silence) -> None:
    it = caller(recogniser=(recogniser := FakeRecogniser([says("yes")])))
    it.hear(silence(1), hum(0.5))
    it.listener.listen(YES_NO)
    assert it.of(SpeechStarted) == []
    it.hear(hum(0.3), silence(1))
    (said,) = it.of(Utterance)
    assert said.speech_start_sample == pytest.approx(8000, abs=320)
    whole = said.speech_end_sample - said.speech_start_sample + 2400
    assert whole <= recogniser.turns[0].samples <= said.endpoint_sample - said.speech_start_sample + 2400


def test_noise_that_has_lasted_is_not_taken_for_a_caller(caller, silence) -> None:
    it = caller()
    it.hear(silence(1), hum(4))
    it.listener.listen(YES_NO)
    it.hear(hum(3))
    assert it.of(SpeechStarted) == []


def test_two_utterances_in_a_row_while_listening_goes_on(caller, silence) -> None:
    it = caller(says("yes"), says("no"))
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.6), silence(0.8), hum(0.6), silence(1))
    assert [said.text for said in it.of(Utterance)] == ["yes", "no"]
    assert len(it.of(SpeechStarted)) == 2


def test_stop_drops_the_utterance_under_way(caller, silence) -> None:
    it = caller(says("yes"))
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.3))
    it.listener.stop()
    it.hear(hum(0.3), silence(2))
    assert len(it.of(SpeechStarted)) == 1
    assert it.of(Utterance) == []


def test_stop_drops_a_result_still_to_come(caller, silence) -> None:
    it = caller(Script(hangs_at_s=0.8), lockstep=False)
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.6), silence(1.5))
    it.listener.stop()
    it.hear(silence(8))
    assert it.of(Utterance, RecogniserFailed) == []


def test_the_receiver_may_stop_and_listen_from_within_an_event(caller, silence) -> None:
    it = caller(says("yes"), says("yes"))

    def react(event) -> None:
        if isinstance(event, SpeechStarted) and len(it.of(SpeechStarted)) == 1:
            it.listener.stop()
            it.listener.listen(YES_NO)

    it.on_event = react
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.6), silence(1))
    assert [said.text for said in it.of(Utterance)] == ["yes"]
    assert len(it.of(SpeechStarted)) == 2


def test_a_broken_recogniser_is_told_once_and_utterances_go_on_empty(caller, silence) -> None:
    it = caller(Script(breaks_at_s=0.5), says("no"), lockstep=False)
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.6))
    it.await_result()
    it.hear(silence(2), hum(0.6), silence(2))
    assert it.of(RecogniserFailed) == [RecogniserFailed("the script breaks here")]
    assert [said.text for said in it.of(Utterance)] == ["", ""]
    assert len(it.of(VoiceStarted)) == 2


def test_a_hanging_recogniser_is_told_once_and_its_utterance_is_empty(caller, silence) -> None:
    it = caller(Script(hangs_at_s=0.5), lockstep=False)
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.6), silence(8), hum(0.6), silence(2))
    assert [event.reason for event in it.of(RecogniserFailed)] == ["no result 4 s after the end of a turn"]
    assert [said.text for said in it.of(Utterance)] == ["", ""]
    kinds = [type(event) for event in it.of(RecogniserFailed, Utterance)]
    assert kinds == [RecogniserFailed, Utterance, Utterance]


def test_without_a_recogniser_utterances_are_empty(silence) -> None:
    events: list = []
    listener = Listener(None, events.append, lambda function, result: None)
    listener.listen(YES_NO)
    sound = np.concatenate([silence(1), hum(0.6), silence(2)]).astype(np.int16)
    for at in range(0, len(sound), 480):
        listener.feed(sound[at : at + 480].tobytes(), at)
    assert [type(event) for event in events] == [VoiceStarted, SpeechStarted, VoiceEnded, Utterance]
    assert events[-1].text == ""
    listener.close()


def test_a_gap_in_the_sound_does_no_harm(caller, silence) -> None:
    it = caller(says("yes"))
    it.listener.listen(YES_NO)
    it.hear(silence(1), hum(0.3))
    it.sample += 16000
    it.hear(silence(2))
    assert [said.text for said in it.of(Utterance)] == ["yes"]


def test_human_digits_end_to_end(caller, starter, clips, clip, silence) -> None:
    """Six human digits with pauses as one account number, then a yes: both heard, nothing cut off."""
    it = caller(recogniser=starter)
    files = [f"fsdd-theo-{name}_theo_0.wav" for name in ("two-2", "five-5", "zero-0", "one-1", "seven-7", "four-4")]
    assert set(files) <= set(clips)
    it.listener.listen(Expected("en", digits=(6, 6)))
    it.hear(silence(1), *[part for file in files for part in (clip(file), silence(0.3))], silence(1))
    said = it.of(Utterance)
    assert [one.text for one in said] == ["two five zero one seven four"]
    assert said[0].endpoint_sample - said[0].speech_end_sample < 8000 * 0.5
    assert said[0].words[0].start_s == pytest.approx(1.0, abs=0.3)
    it.listener.listen(YES_NO)
    it.hear(silence(0.5), clip("sc-0ea0e2f4-yes-0ea0e2f4_nohash_0.wav"), silence(1.5))
    assert [one.text for one in it.of(Utterance)][1:] == ["yes"]
