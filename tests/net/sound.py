"""Sound for tests: tones, noise, human speech, and what is in a recording. Floats, full scale 1, 8 kHz."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench import alaw
from tests.net.hotline import SHARED

RATE_HZ = 8000
PROMPT_TONES_HZ = (500, 700)
SPEECH = SHARED / "data/speech"
Sound = NDArray[np.float64]


def tone(hz: float, seconds: float, level: float = 0.2) -> Sound:
    return level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)


def silence(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE_HZ))


def noise(seconds: float, level: float = 0.05) -> Sound:
    """White noise, the same each time."""
    return np.random.default_rng(5).normal(0.0, level, int(seconds * RATE_HZ)).clip(-1, 1)


def tune(seconds: float) -> Sound:
    """Music as far as a detector of voice is concerned: chords of three harmonic tones that change thrice a second."""
    chords = [(262, 330, 392), (294, 370, 440), (247, 311, 370), (220, 277, 330)]
    return np.concatenate(
        [
            sum((tone(hz * harmonic, 0.3, 0.08 / harmonic) for hz in chord for harmonic in (1, 2, 3)), silence(0.3))
            for chord in (chords * int(seconds / 1.2 + 1))
        ]
    )[: int(seconds * RATE_HZ)]


def clip(name: str) -> Sound:
    """A file of `shared/data/speech`."""
    pcm, rate_hz = soundfile.read(SPEECH / name)
    assert rate_hz == RATE_HZ
    return pcm


def clips(text: str, count: int = 1, grammar: str = "digits") -> list[Sound]:
    """Human clips of a word that the starter model is known to understand."""
    listed = json.loads((SPEECH / "expected.json").read_text())
    fit = [entry["file"] for entry in listed if entry["text"] == entry["vosk"] == text and entry["grammar"] == grammar]
    assert len(fit) >= count, (text, fit)
    return [clip(name) for name in fit[:count]]


def joined(sounds: Sequence[Sound], gap_s: float = 0.12) -> Sound:
    """One after another with short gaps."""
    return np.concatenate([part for sound in sounds for part in (sound, silence(gap_s))])


def write(path: Path, sound: Sound) -> None:
    soundfile.write(path, sound, RATE_HZ, "PCM_16")


def as_alaw(sound: Sound) -> bytes:
    return alaw.encode((sound * 32767).round().astype(np.int16))


def from_alaw(data: bytes) -> Sound:
    return alaw.decode(data) / 32768


def level(sound: Sound) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(sound)))) if len(sound) else 0.0


def tone_level(sound: Sound, hz: float) -> float:
    """The amplitude of a tone in a stretch of sound."""
    wave = np.exp(-2j * np.pi * hz * np.arange(len(sound)) / RATE_HZ) * np.hanning(len(sound))
    return float(2 * abs(np.dot(sound, wave)) / np.hanning(len(sound)).sum())


def tone_seconds(sound: Sound, hz: float, threshold: float = 0.05) -> float:
    """For how long a tone is there, in steps of 50 ms."""
    step = RATE_HZ // 20
    pieces = [sound[at : at + step] for at in range(0, len(sound) - step + 1, step)]
    return sum(tone_level(piece, hz) > threshold for piece in pieces) / 20


def place_of(pattern: Sound, sound: Sound) -> tuple[int, float]:
    """Where the pattern fits best: the sample, and the correlation there (1: the same but for level)."""
    size = 1 << (len(sound) + len(pattern)).bit_length()
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(pattern, size)), size)
    shifts = product[: max(1, len(sound) - len(pattern) + 1)]
    energy = np.concatenate([[0.0], np.cumsum(np.square(sound))])
    inside = energy[len(pattern) : len(pattern) + len(shifts)] - energy[: len(shifts)]
    fit = shifts / np.sqrt(np.maximum(inside, 1e-9) * np.sum(np.square(pattern)))
    best = int(np.argmax(fit))
    return best, float(fit[best])
