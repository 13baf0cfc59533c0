"""Between hearing and the flow: what the flow expects in the recogniser's terms, what was heard in the flow's."""

from collections.abc import Iterator
from typing import Any

from asr import listener
from asr.endpointer import Timeouts
from asr.recogniser import Expected
from flows import events
from flows.actions import Expect
from ivr.waterfall import Turn


def wanted(expect: Expect) -> Expected:
    """What the recogniser and the end-pointer must know of it."""
    return Expected(expect.language, expect.phrases, expect.digits, expect.words)


def timeouts_of(expect: Expect) -> Timeouts:
    """The end-pointer's waits."""
    return Timeouts(expect.complete_timeout_s, expect.incomplete_timeout_s, expect.max_speech_s)


def flow_event(heard: listener.ListenerEvent) -> events.Event | None:
    """What the flow is told; None where it does not concern it."""
    match heard:
        case listener.SpeechStarted():
            return events.SpeechStarted()
        case listener.PartialText(text):
            return events.SpeechPartial(text)
        case listener.Utterance(text=text, confidence=confidence, too_long=True):
            return events.SpeechTooLong(text, confidence)
        case listener.Utterance(text=text, confidence=confidence):
            return events.SpeechEnded(text, confidence)
        case listener.RecogniserFailed(reason):
            return events.RecogniserFailed(reason)
    return None


def archived(
    heard: listener.ListenerEvent, step: str, *, secret: bool
) -> Iterator[tuple[str, int | None, dict[str, Any]]]:
    """What the archive keeps of it: kind, sample (None for now), data. Of a secret answer only that there was one."""
    match heard:
        case listener.VoiceStarted(sample):
            yield "speech.started", sample, {}
        case listener.VoiceEnded(sample):
            yield "speech.ended", sample, {}
        case listener.Utterance():
            yield "utterance", heard.speech_start_sample, _utterance(heard, step, secret=secret)
        case listener.RecogniserFailed(reason):
            yield "error", None, {"code": "asr", "detail": reason}


def _utterance(heard: listener.Utterance, step: str, *, secret: bool) -> dict[str, Any]:
    words = [
        {
            "word": word.word,
            "start_s": round(word.start_s, 3),
            "end_s": round(word.end_s, 3),
            "confidence": round(word.confidence, 3),
        }
        for word in heard.words
    ]
    return {
        "text": "***" if secret and heard.text else heard.text,
        "confidence": round(heard.confidence, 3),
        "start_sample": heard.speech_start_sample,
        "end_sample": heard.speech_end_sample,
        "endpoint_sample": heard.endpoint_sample,
        "words": [] if secret else words,
        "step": step,
        "too_long": heard.too_long,
    }


def turn_of(heard: listener.ListenerEvent, now: int, *, secret: bool) -> Turn | None:
    """The turn whose latency is measured from here; None where nothing was said."""
    match heard:
        case listener.Utterance() if heard.text:
            text = "***" if secret else heard.text
            return Turn(text, heard.speech_end_sample, heard.endpoint_sample, now)
    return None
