"""Sounds that are neither speech nor the flow's: music on hold, and the tones that an agent hears."""

from pathlib import Path

import numpy as np

from telephony.audio import Pcm, faded, silence, tone
from tts.cache import PromptCache

MUSIC = Path("audio/music.wav")  # beside the flow; else the one that comes with Hotline
_OWN_MUSIC = Path(__file__).parents[1] / "flows/library" / MUSIC
_HZ = 425.0  # ITU-T E.180: the tone of most networks
_LEVEL_DBFS = -25.0


def music(folder: Path) -> Path:
    """The music on hold of the flows in this folder."""
    own = folder / MUSIC
    return own if own.exists() else _OWN_MUSIC


def progress(cache: PromptCache, rate_hz: int, name: str) -> Path:
    """The file of "ringback" (the other phone rings) or "refused" (that did not work). Raises OSError."""
    key = f"tone-{name}"
    found = cache.find(key)
    if found is None:
        found = cache.keep(key, (_ringback if name == "ringback" else _refused)(rate_hz).tobytes())
    return found.file


def _ringback(rate_hz: int) -> Pcm:
    return np.concatenate([_beep(rate_hz, 1000.0), silence(rate_hz, 3000.0)] * 8)


def _refused(rate_hz: int) -> Pcm:
    return np.concatenate([_beep(rate_hz, 150.0), silence(rate_hz, 100.0)] * 3)


def _beep(rate_hz: int, duration_ms: float) -> Pcm:
    return faded(tone(_HZ, rate_hz, duration_ms, _LEVEL_DBFS), rate_hz)
