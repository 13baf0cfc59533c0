"""A synthesiser for tests: a tone for each text, with failures and delays by script."""

import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from telephony.audio import silence, tone
from tts.errors import SynthesiserFailed, VoiceMissing
from tts.synthesiser import Speech

RATE_HZ = 22050
MS_PER_CHARACTER = 60
VOICES = ("en-us", "cmn", "low", "high")


def frequency_hz(text: str) -> float:
    """The pitch of this text's tone, 300 to 1295 Hz in steps of 5 Hz: tell prompts apart by it."""
    return 300.0 + 5 * (zlib.crc32(text.encode()) % 200)


@dataclass
class FakeSynthesiser:
    """Speaks each text as a tone of `frequency_hz(text)`, 60 ms a character, between 100 ms of silence.

    `delays_s` holds texts back; `failures` has the errors to raise for a text, used up one by one. `spoken` is the log.
    """

    delays_s: Mapping[str, float] = field(default_factory=dict)
    failures: dict[str, list[SynthesiserFailed]] = field(default_factory=dict)
    spoken: list[str] = field(default_factory=list)

    def synthesise(self, text: str, language: str, voice: str) -> Speech:
        """See `Synthesiser`. Knows the voices of `VOICES`; language is not looked at."""
        del language
        self.spoken.append(text)
        if waiting := self.failures.get(text):
            raise waiting.pop(0)
        if voice not in VOICES:
            raise VoiceMissing(f"the fake synthesiser has no voice {voice!r}, only {', '.join(VOICES)}")
        time.sleep(self.delays_s.get(text, 0.0))
        sound = tone(frequency_hz(text), RATE_HZ, MS_PER_CHARACTER * len(text.strip()), -26.0)
        edge = silence(RATE_HZ, 100)
        return Speech(np.concatenate([edge, sound, edge]), RATE_HZ)

    def close(self) -> None:
        """Nothing to end."""
