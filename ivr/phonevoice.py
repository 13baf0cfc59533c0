"""The test phone's voice: texts spoken by the built-in synthesiser, as files at telephone level."""

from pathlib import Path

from telephony import audio
from tts.isolated import IsolatedSynthesiser

LEVEL_DBFS = -20.0


class PhoneVoice:
    """Speaks with one espeak-ng voice; any thread, one text at a time."""

    def __init__(self, voice: str, folder: Path) -> None:
        self._voice = voice
        self._folder = folder
        self._engine = IsolatedSynthesiser("espeak", folder)
        self._count = 0

    def file(self, text: str) -> Path:
        """Makes a text into an 8 kHz WAV. Raises SynthesiserFailed."""
        speech = self._engine.synthesise(text, self._voice, self._voice)
        pcm8k = audio.trimmed(audio.resample(speech.pcm, speech.rate_hz, 8000), 8000)
        self._count += 1
        path = self._folder / f"say-{self._count}.wav"
        audio.write_wav(path, audio.with_level(pcm8k, 8000, LEVEL_DBFS), 8000)
        return path

    def close(self) -> None:
        """Ends the synthesiser."""
        self._engine.close()
