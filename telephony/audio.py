"""Sound as numbers: resampling, level, silence, fades and WAV files.

Owns pure functions over mono `int16` numpy arrays; knows nothing of calls or pjsua2. Any thread may call them.
A level in dBFS here is RMS relative to 32768, the dBov of ITU-T G.100.1: a full-scale sine has -3.01 dBFS.
"""

import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

FULL_SCALE = 32768.0
_ENVELOPE_HZ = 1000  # P.56 asks for at least 600 Hz
_TIME_CONSTANT_S = 0.03
_HANGOVER_S = 0.2
_MARGIN_DB = 15.9


def resample(pcm: Pcm, from_hz: int, to_hz: int) -> Pcm:
    """The same sound at another rate, by a filter that leaves no audible alias."""
    if from_hz == to_hz or not len(pcm):
        return pcm
    # In floating point: soxr's own int16 path clips what overshoots without a word.
    wide = soxr.resample(pcm.astype(np.float32), from_hz, to_hz)
    return _to_pcm(wide)


def active_level_dbfs(pcm: Pcm, rate_hz: int) -> float:
    """The active speech level of ITU-T P.56 method B: the level while someone speaks, pauses left out.

    Returns -inf where there is no speech to measure. `rate_hz` must be a multiple of 1000 Hz.
    """
    block = rate_hz // _ENVELOPE_HZ
    count = len(pcm) // block
    if not count:
        return float("-inf")
    sound = pcm[: count * block].astype(np.float64) / FULL_SCALE
    power = float(np.sum(np.square(sound))) / block  # in envelope samples, like the activity counts below
    envelope = _smoothed(_smoothed(np.abs(sound).reshape(count, block).mean(axis=1)))
    positions = np.arange(count)
    hangover = int(_HANGOVER_S * _ENVELOPE_HZ)
    above: tuple[float, float] | None = None
    for exponent in range(1, 16):  # from loud to quiet: the first threshold that lies the margin below the level
        threshold = 2.0**-exponent
        last = np.maximum.accumulate(np.where(envelope >= threshold, positions, -hangover - 1))
        active = int(np.count_nonzero(positions - last <= hangover))
        if not active or not power:
            continue
        level = 10 * np.log10(power / active)
        margin = level - 20 * np.log10(threshold)
        if margin >= _MARGIN_DB:
            if above is None:
                return float(level)
            share = (_MARGIN_DB - above[1]) / (margin - above[1])
            return float(above[0] + share * (level - above[0]))
        above = (float(level), float(margin))
    return float("-inf")


def with_level(pcm: Pcm, rate_hz: int, level_dbfs: float, peak_dbfs: float = -1.0) -> Pcm:
    """The sound at the given active speech level, no sample above `peak_dbfs` (a limiter, not clipping).

    Silence stays as it is.
    """
    present = active_level_dbfs(pcm, rate_hz)
    if not np.isfinite(present):
        return pcm
    louder = pcm.astype(np.float64) * 10 ** ((level_dbfs - present) / 20)
    return _to_pcm(_limited(louder, FULL_SCALE * 10 ** (peak_dbfs / 20), rate_hz // 200))


def trimmed(pcm: Pcm, rate_hz: int, pad_ms: float = 20.0, below_db: float = 40.0) -> Pcm:
    """Without the silence at both ends but for `pad_ms`; silence is `below_db` under the loudest 5 ms. Empty when
    nothing is audible at all (no 5 ms above -70 dBFS)."""
    block = rate_hz // 200
    count = -(-len(pcm) // block)
    blocks = np.zeros(count * block)
    blocks[: len(pcm)] = pcm
    energy = np.mean(np.square(blocks.reshape(count, block)), axis=1) if count else np.zeros(0)
    loudest = float(energy.max(initial=0.0))
    if _db(loudest) < -70.0:
        return pcm[:0]
    audible = np.flatnonzero(energy >= loudest * 10 ** (-below_db / 10))
    pad = int(pad_ms * rate_hz / 1000)
    return pcm[max(0, int(audible[0]) * block - pad) : (int(audible[-1]) + 1) * block + pad]


def faded(pcm: Pcm, rate_hz: int, fade_ms: float = 5.0) -> Pcm:
    """With a raised-cosine fade at both ends, so that neither clicks."""
    length = min(int(fade_ms * rate_hz / 1000), len(pcm) // 2)
    if not length:
        return pcm
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)
    gain = np.ones(len(pcm))
    gain[:length] = ramp
    gain[-length:] = ramp[::-1]
    return _to_pcm(pcm * gain)


def silence(rate_hz: int, duration_ms: float) -> Pcm:
    """Digital silence."""
    return np.zeros(int(rate_hz * duration_ms / 1000), np.int16)


def tone(frequency_hz: float, rate_hz: int, duration_ms: float, level_dbfs: float = -20.0) -> Pcm:
    """A sine with the given RMS level."""
    times = np.arange(int(rate_hz * duration_ms / 1000)) / rate_hz
    return _to_pcm(np.sin(2 * np.pi * frequency_hz * times) * FULL_SCALE * np.sqrt(2) * 10 ** (level_dbfs / 20))


def write_wav(path: Path, pcm: Pcm, rate_hz: int) -> None:
    """Writes a mono 16-bit WAV file with a plain 44-byte header. Raises OSError."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())


def _smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """One stage of P.56's exponential average, on the envelope's 1 kHz."""
    keep = float(np.exp(-1 / (_TIME_CONSTANT_S * _ENVELOPE_HZ)))
    state, out = 0.0, []
    for value in values.tolist():
        state = keep * state + (1 - keep) * value
        out.append(state)
    return np.array(out)


def _limited(sound: NDArray[np.float64], peak: float, reach: int) -> NDArray[np.float64]:
    """Turns down smoothly around each sample over `peak`, `reach` samples before and after, so that none exceeds it."""
    if not len(sound) or np.abs(sound).max() <= peak:
        return sound
    gain = np.minimum(1.0, peak / np.maximum(np.abs(sound), 1e-9))
    width = 2 * reach + 1
    lowest = np.lib.stride_tricks.sliding_window_view(np.pad(gain, 2 * reach, mode="edge"), width).min(axis=1)
    return sound * np.convolve(lowest, np.full(width, 1 / width), mode="valid")


def _to_pcm(sound: NDArray[np.floating]) -> Pcm:
    pcm: Pcm = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return pcm


def _db(mean_square: float) -> float:
    return float(10 * np.log10(mean_square / FULL_SCALE**2)) if mean_square > 0 else float("-inf")
