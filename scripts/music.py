"""Makes flows/library/audio/music.wav, the tune that callers hear while they wait. Ours, so free of any licence fee.

Eight bars of three seconds over C maj7, A m7, F maj7 and G 6, twice: a soft bass note, a broken chord and a few notes
of melody, each a sum of at most four sines with a quick attack and a slow decay, like an electric piano. Everything
stays between 130 and 3,200 Hz, where a telephone line has its ears, and 6 dB below prompts. The tune begins and ends in
silence, so that it can be played again and again. Run it from the repository: .venv/bin/python scripts/music.py
"""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
BAR_S = 3.0
LEVEL_DBFS = -26.0
FILE = Path(__file__).parents[1] / "flows" / "library" / "audio" / "music.wav"

# Notes are MIDI numbers, 60 is middle C (261.6 Hz).
CHORDS = ((48, 60, 64, 67, 71), (57, 60, 64, 67, 72), (53, 60, 65, 69, 72), (55, 59, 62, 67, 69))
MELODY = (
    ((0.0, 76), (1.5, 79)),
    ((0.0, 76), (2.25, 74)),
    ((0.0, 72), (1.5, 69)),
    ((0.0, 71), (1.5, 74)),
    ((0.0, 79), (1.5, 76), (2.25, 74)),
    ((0.0, 72), (1.5, 76)),
    ((0.0, 77), (1.5, 76), (2.25, 72)),
    ((0.0, 74), (1.5, 72)),
)
ARPEGGIO = (1, 2, 3, 4, 3, 2)  # which note of the chord sounds at each half second
PARTIALS = (1.0, 0.4, 0.16, 0.06)


def tune() -> NDArray[np.int16]:
    """The whole tune, int16[192000]."""
    sound = np.zeros(int(len(MELODY) * BAR_S * RATE_HZ))
    for bar, melody in enumerate(MELODY):
        chord = CHORDS[bar % len(CHORDS)]
        at = bar * BAR_S
        _add(sound, at, chord[0], 0.5, 1.4)
        for beat, place in enumerate(ARPEGGIO):
            _add(sound, at + beat * 0.5, chord[place], 0.45, 0.6)
        for later, note in melody:
            _add(sound, at + later, note, 0.6, 0.9)
    fade = int(1.2 * RATE_HZ)
    sound[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    level = np.sqrt(np.mean(sound**2))
    scaled = sound / level * 10 ** (LEVEL_DBFS / 20) * 32767
    return np.asarray(np.clip(np.round(scaled), -32768, 32767), np.int16)


def _add(sound: NDArray[np.float64], at_s: float, note: int, loudness: float, decay_s: float) -> None:
    """One note; what would ring past the end of the tune is cut."""
    first = int(at_s * RATE_HZ)
    length = min(int(decay_s * 5 * RATE_HZ), len(sound) - first)
    time = np.arange(length) / RATE_HZ
    pitch_hz = 440.0 * 2 ** ((note - 69) / 12)
    shape = loudness * np.minimum(time / 0.015, 1.0) * np.exp(-time / decay_s)
    for number, strength in enumerate(PARTIALS, 1):
        if pitch_hz * number < 3200:
            overtone = strength * np.exp(-time * (number - 1) / decay_s)
            sound[first : first + length] += shape * overtone * np.sin(2 * np.pi * pitch_hz * number * time)


def main() -> None:
    """Writes the file: 8 kHz, one channel, 16 bit."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(FILE), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(tune().tobytes())


if __name__ == "__main__":
    main()
