"""A more accurate transcript of a finished recording, by faster-whisper. The only file that imports it.

Far too slow for a live call; it runs after the call, in a process of its own.
"""

import math
import os
from pathlib import Path

import numpy as np
import soxr

# The model is a folder on this machine; nothing may be looked up on line. Read by the import below.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from faster_whisper import WhisperModel

from asr.errors import ModelError, RecogniserError
from asr.recogniser import Heard, Word
from asr.vad import RATE_HZ, Vad, VoiceEnd, VoiceStart

WHISPER_HZ = 16000
# Whisper hears 30 s at a time. Voice is cut into utterances at pauses longer than this, each with some sound around it.
PAUSE_S = 0.6
MARGIN_S = 0.2
LONGEST_S = 28.0
NEEDED_FILES = ("model.bin", "config.json", "tokenizer.json")


def load(folder: Path, threads: int = 1) -> "WhisperTranscriber":
    """Reads a CTranslate2 Whisper model. Raises ModelError, saying what is wrong."""
    missing = [name for name in NEEDED_FILES if not (folder / name).is_file()]
    if missing:
        what = f"is no faster-whisper model (no {', '.join(missing)} in it)" if folder.is_dir() else "does not exist"
        raise ModelError(f"{folder} {what}")
    try:
        model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
    except Exception as exc:
        raise ModelError(f"{folder}: faster-whisper cannot load this model: {exc}") from exc
    return WhisperTranscriber(model)


class WhisperTranscriber:
    """One loaded model. One recording at a time."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    def transcribe(self, pcm: np.ndarray, rate_hz: int, language: str) -> list[Heard]:
        """Writes down one channel, `int16[n]`, utterance by utterance; word times count from its first sample.

        Each speaker's channel by itself: whisper loses whoever is quieter. Confidence is the words' mean probability.
        Raises RecogniserError.
        """
        found = []
        for start_s, end_s in utterances(soxr.resample(pcm, rate_hz, RATE_HZ)):
            piece = pcm[round(start_s * rate_hz) : round(end_s * rate_hz)]
            heard = self._one(soxr.resample(piece, rate_hz, WHISPER_HZ), start_s, language)
            if heard.text:
                found.append(heard)
        return found

    def _one(self, pcm16k: np.ndarray, offset_s: float, language: str) -> Heard:
        try:
            segments, _ = self._model.transcribe(
                pcm16k.astype(np.float32) / 32768,
                language=language.replace("_", "-").split("-")[0],
                temperature=0,
                condition_on_previous_text=False,
                word_timestamps=True,
            )
            # A generator: the work is done here.
            words = [word for segment in segments for word in segment.words or ()]
        except Exception as exc:
            raise RecogniserError(f"faster-whisper failed: {exc}") from exc
        if not words:
            return Heard("", 0.0)
        text = "".join(word.word for word in words).strip()
        timed = tuple(
            Word(w.word.strip(), float(w.start) + offset_s, float(w.end) + offset_s, float(w.probability))
            for w in words
        )
        return Heard(text, sum(word.confidence for word in timed) / len(timed), timed)


def utterances(pcm8k: np.ndarray) -> list[tuple[float, float]]:
    """Where somebody speaks in `int16[n]` at 8 kHz: (start, end) in seconds, in order, none longer than 28 s."""
    spoken: list[tuple[float, float]] = []
    for start_s, end_s in _voice(pcm8k):
        if spoken and start_s - spoken[-1][1] < PAUSE_S and end_s - spoken[-1][0] <= LONGEST_S - 2 * MARGIN_S:
            spoken[-1] = (spoken[-1][0], end_s)
        else:
            spoken.append((start_s, end_s))
    length_s = len(pcm8k) / RATE_HZ
    return [
        (max(0.0, start_s - MARGIN_S), min(length_s, end_s + MARGIN_S))
        for whole in spoken
        for start_s, end_s in _pieces(*whole)
    ]


def _pieces(start_s: float, end_s: float) -> list[tuple[float, float]]:
    longest_s = LONGEST_S - 2 * MARGIN_S
    count = max(1, math.ceil((end_s - start_s) / longest_s))
    return [(start_s + i * longest_s, min(end_s, start_s + (i + 1) * longest_s)) for i in range(count)]


def _voice(pcm8k: np.ndarray) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    start: int | None = None
    for edge in Vad().feed(pcm8k.astype(np.int16).tobytes(), 0):
        match edge:
            case VoiceStart():
                start = edge.sample
            case VoiceEnd() if start is not None:
                found.append((start / RATE_HZ, edge.sample / RATE_HZ))
                start = None
    if start is not None:
        found.append((start / RATE_HZ, len(pcm8k) / RATE_HZ))
    return found
