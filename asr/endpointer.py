"""Decides when a caller has begun to speak and when the turn is over. Pure: `step(state, event) -> (state, decisions)`.

Time is the call's sample count (8 kHz) and only moves through events: there is no clock here. Silence alone needs 0.8
to 1 s to be sure of the end of a turn; knowing what is expected and what was understood so far, 0.4 s will do for a
whole answer (Raux and Eskenazi, "Optimizing endpointing thresholds using dialogue features", SIGDIAL 2008; VoiceXML 2.1
calls the two waits completetimeout and incompletetimeout).
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from asr.digits import count_digits, is_mandarin
from asr.recogniser import Expected
from asr.vad import RATE_HZ, VoiceEnd, VoiceStart


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: silence after a complete and after an incomplete answer, speech in all."""

    complete_s: float = 0.4
    incomplete_s: float = 1.0
    max_speech_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Partial:
    """The recogniser's text of the turn so far. It may come late: it says nothing about the sample it belongs to."""

    text: str


@dataclass(frozen=True, slots=True)
class Clock:
    """Sound up to before this sample has been seen by the voice detector."""

    sample: int


Event = VoiceStart | VoiceEnd | Partial | Clock


@dataclass(frozen=True, slots=True)
class Began:
    """The caller began to speak at this sample."""

    sample: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is over. `too_long`: the caller did not stop within max_speech."""

    start_sample: int
    end_sample: int
    decided_sample: int
    too_long: bool = False


Decision = Began | Ended


class Phase(StrEnum):
    """Nothing said yet; voice now; silence after voice."""

    WAITING = "waiting"
    SPEAKING = "speaking"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class State:
    """One caller who is listened to. `text_sample`: when the recogniser last had something new."""

    expected: Expected
    timeouts: Timeouts
    phase: Phase = Phase.WAITING
    now: int = 0
    start_sample: int = 0
    end_sample: int = 0
    text: str = ""
    text_sample: int = 0


def step(state: State, event: Event) -> tuple[State, tuple[Decision, ...]]:
    """Takes one event, in the order of their samples.

    Each `Began` is followed by exactly one `Ended`, at the latest at the first clock event max_speech after it.
    """
    match event:
        case VoiceStart():
            # The caller went on before the wait was over, though that is known only now: no end in between.
            state, decisions = _end_if_due(_at(state, event.sample))
            state = _at(state, event.known_sample)
            if state.phase is Phase.PAUSED:
                return replace(state, phase=Phase.SPEAKING), decisions
            if state.phase is Phase.SPEAKING:
                return state, decisions
            begun = replace(state, phase=Phase.SPEAKING, start_sample=event.sample, text="", text_sample=event.sample)
            return begun, (*decisions, Began(event.sample))
        case VoiceEnd():
            state = _at(state, event.known_sample)
            if state.phase is Phase.SPEAKING:
                state = replace(state, phase=Phase.PAUSED, end_sample=max(event.sample, state.start_sample))
        case Partial():
            if state.phase is not Phase.WAITING and event.text != state.text:
                state = replace(state, text=event.text, text_sample=state.now)
        case Clock():
            state = _at(state, event.sample)
    return _end_if_due(state)


def _at(state: State, sample: int) -> State:
    return replace(state, now=max(state.now, sample))


def _end_if_due(state: State) -> tuple[State, tuple[Decision, ...]]:
    if state.phase is Phase.WAITING:
        return state, ()
    waits, complete = state.timeouts, is_complete(state.text, state.expected)
    spoken = state.now - state.start_sample
    if state.phase is Phase.PAUSED:
        silent = state.now - state.end_sample
        if silent >= _samples(waits.complete_s if complete else waits.incomplete_s):
            return _ended(state, state.end_sample)
    elif complete and state.now - state.text_sample >= _samples(waits.complete_s + waits.incomplete_s):
        # Steady noise or music around a caller who has answered: the voice detector never sees the pause.
        return _ended(state, state.text_sample)
    if spoken >= _samples(waits.max_speech_s):
        end = state.end_sample if state.phase is Phase.PAUSED else state.now
        return _ended(state, end, too_long=True)
    return state, ()


def _ended(state: State, end_sample: int, too_long: bool = False) -> tuple[State, tuple[Decision, ...]]:
    ended = Ended(state.start_sample, end_sample, state.now, too_long)
    return replace(state, phase=Phase.WAITING, text=""), (ended,)


def _samples(seconds: float) -> int:
    return round(seconds * RATE_HZ)


def is_complete(text: str, expected: Expected) -> bool:
    """True where the text is a whole answer that nothing expected could go on from.

    A whole answer is one of the phrases, perhaps after other words, that does not begin a longer phrase; or the most
    digits that are expected.
    """
    if expected.digits and count_digits(text, expected.language) >= max(1, expected.digits[1]):
        return True
    mandarin = is_mandarin(expected.language)
    said = _plain(text, mandarin)
    phrases = [_plain(phrase, mandarin) for phrase in expected.phrases]
    matched = max((phrase for phrase in phrases if phrase.strip() and said.endswith(phrase)), key=len, default="")
    return bool(matched) and not any(phrase != matched and phrase.startswith(matched) for phrase in phrases)


def _plain(text: str, mandarin: bool) -> str:
    """Lower case, one space around each word; Mandarin without spaces, as phrases are written and words are heard."""
    words = text.lower().split()
    return "".join(words) if mandarin else f" {' '.join(words)} "
