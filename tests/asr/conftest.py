"""Sound for the hearing tests: real callers' clips, seeded noise, tones, silence, all int16 at 8 kHz."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from asr import vosk_engine
from asr.recogniser import Recogniser

ROOT = Path(__file__).parents[2]
SPEECH = ROOT.parent / "shared" / "data" / "speech"

Pcm = np.ndarray


@pytest.fixture(scope="session")
def clips() -> dict[str, str]:
    """Clip file -> what is said in it, of the clips that the starter model gets right."""
    listing = json.loads((SPEECH / "expected.json").read_text(encoding="utf-8"))
    return {entry["file"]: entry["text"] for entry in listing if entry["vosk"] == entry["text"]}


@pytest.fixture(scope="session")
def clip() -> Callable[[str], Pcm]:
    """Reads a clip as int16[n] at 8 kHz."""

    def read(file: str) -> Pcm:
        sound, rate = soundfile.read(SPEECH / file, dtype="float32", always_2d=True)
        mono = sound.mean(axis=1)
        if rate != 8000:
            mono = soxr.resample(mono, rate, 8000)
        return (mono * 32767).clip(-32768, 32767).astype(np.int16)

    return read


@pytest.fixture(scope="session")
def silence() -> Callable[[float], Pcm]:
    """Line noise of about -66 dBFS for some seconds, the same each time."""
    return lambda seconds: np.random.default_rng(7).normal(0, 15, int(8000 * seconds)).astype(np.int16)


@pytest.fixture(scope="session")
def starter() -> Recogniser:
    """The shipped starter model, loaded once."""
    return vosk_engine.load(ROOT / "asr" / "starter_en", "en")
