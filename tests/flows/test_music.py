"""The music on hold is the tune that its script makes: quiet, in the telephone's band, silent at both ends."""

import runpy
import wave
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
FILE = ROOT / "flows" / "library" / "audio" / "music.wav"


def test_the_file_is_what_the_script_makes() -> None:
    with wave.open(str(FILE), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        shipped = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    made = runpy.run_path(str(ROOT / "scripts" / "music.py"))["tune"]()
    assert np.max(np.abs(made.astype(int) - shipped)) <= 1
    assert 20 <= len(made) / 8000 <= 40
    assert np.max(np.abs(made)) < 0.5 * 32768
    assert np.sqrt(np.mean((made / 32768) ** 2)) < 0.06
    assert np.max(np.abs(made[-80:])) < 100
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
    hz = np.fft.rfftfreq(len(made), 1 / 8000)
    assert spectrum[(hz > 300) & (hz < 3400)].sum() > 0.6 * spectrum.sum()
