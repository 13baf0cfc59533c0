"""From what an engine made to what a caller hears: rate, ends, level, pause. Pure."""

import numpy as np

from telephony.audio import Pcm, faded, resample, silence, trimmed, with_level
from tts.clauses import pause_after_ms
from tts.errors import NothingAudible
from tts.synthesiser import Speech

EDGE_MS = 15.0  # silence left at both ends: what comes before the first sound is waiting time for the caller


def finished(speech: Speech, clause: str, rate_hz: int, level_dbfs: float) -> Pcm:
    """The clause at the given rate and active speech level, with the pause that its last mark asks for.

    Raises NothingAudible.
    """
    sound = trimmed(resample(speech.pcm, speech.rate_hz, rate_hz), rate_hz, EDGE_MS)
    if not len(sound):
        raise NothingAudible(f"the engine made only silence of {len(clause)} characters")
    ready = faded(with_level(sound, rate_hz, level_dbfs), rate_hz)
    return np.concatenate([ready, silence(rate_hz, pause_after_ms(clause))])
