"""Resampling, level, silence, fades and WAV files, on tones and seeded noise."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from telephony.audio import (
    FULL_SCALE,
    Pcm,
    active_level_dbfs,
    faded,
    resample,
    silence,
    tone,
    trimmed,
    with_level,
    write_wav,
)


def spectrum_peak_hz(pcm: Pcm, rate_hz: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))) * rate_hz / len(pcm))


def rms_dbfs(pcm: Pcm) -> float:
    return float(10 * np.log10(max(np.mean(np.square(pcm.astype(float))), 1e-6) / FULL_SCALE**2))


def bursts(level_dbfs: float, gap_ms: float) -> Pcm:
    """Three one-second tones with silence between them."""
    sound = tone(440, 8000, 1000, level_dbfs)
    return np.concatenate([sound, silence(8000, gap_ms), sound, silence(8000, gap_ms), sound])


@pytest.mark.parametrize("from_hz", [16000, 22050, 44100])
def test_resampling_keeps_pitch_level_and_length(from_hz: int) -> None:
    out = resample(tone(1000, from_hz, 1000), from_hz, 8000)
    assert len(out) == pytest.approx(8000, abs=2)
    assert spectrum_peak_hz(out, 8000) == pytest.approx(1000, abs=2)
    assert rms_dbfs(out[400:-400]) == pytest.approx(-20, abs=0.1)


def test_resampling_leaves_no_alias() -> None:
    out = resample(tone(5000, 22050, 1000), 22050, 8000)  # above the new Nyquist frequency
    assert rms_dbfs(out[400:-400]) < -80


def test_resampling_full_scale_does_not_wrap() -> None:
    square = np.where(np.arange(22050) % 100 < 50, 32767, -32768).astype(np.int16)
    out = resample(square, 22050, 8000)
    assert np.all(np.abs(np.diff(out.astype(int)))[1:] < 65000)


@pytest.mark.parametrize("gap_ms", [0, 1000, 5000])
def test_the_active_level_leaves_long_pauses_out(gap_ms: float) -> None:
    # P.56 counts 200 ms of hangover after each burst as speech: up to 0.8 dB lower than the tone itself.
    assert active_level_dbfs(bursts(-23, gap_ms), 8000) == pytest.approx(-23, abs=0.9)


def test_the_active_level_follows_gain() -> None:
    rng = np.random.default_rng(1)
    noise = (rng.standard_normal(16000) * 8000 * (np.sin(np.arange(16000) / 1500) > 0)).clip(-32768, 32767)
    loud, quiet = noise.astype(np.int16), (noise / 4).astype(np.int16)
    assert active_level_dbfs(loud, 8000) - active_level_dbfs(quiet, 8000) == pytest.approx(12.04, abs=0.2)


@pytest.mark.parametrize("pcm", [silence(8000, 500), silence(8000, 0), np.zeros(3, np.int16)])
def test_silence_has_no_level(pcm: Pcm) -> None:
    assert active_level_dbfs(pcm, 8000) == float("-inf")
    assert with_level(pcm, 8000, -20) is pcm


@pytest.mark.parametrize("start_dbfs", [-50, -30, -10])
def test_the_level_is_set(start_dbfs: float) -> None:
    assert active_level_dbfs(with_level(bursts(start_dbfs, 500), 8000, -20), 8000) == pytest.approx(-20, abs=0.1)


def test_peaks_are_turned_down_not_clipped() -> None:
    pcm = tone(300, 8000, 2000, -30)
    pcm[8000:8016] *= 20  # a click far above the rest
    out = with_level(pcm, 8000, -12, peak_dbfs=-3)
    limit = FULL_SCALE * 10 ** (-3 / 20)
    assert np.abs(out).max() <= limit + 1
    assert np.count_nonzero(np.abs(out) > 0.98 * limit) < 16
    assert rms_dbfs(out[:7000]) == pytest.approx(rms_dbfs(out[9000:]), abs=0.01)


def test_silence_at_both_ends_is_cut_to_the_pad() -> None:
    pcm = np.concatenate([silence(8000, 700), tone(500, 8000, 300), silence(8000, 900)])
    assert len(trimmed(pcm, 8000, pad_ms=20)) / 8 == pytest.approx(340, abs=6)


def test_a_quiet_consonant_at_the_start_is_kept() -> None:
    hiss = (np.random.default_rng(2).standard_normal(800) * 60).astype(np.int16)  # 33 dB below the vowel
    pcm = np.concatenate([silence(8000, 500), hiss, tone(500, 8000, 300)])
    assert len(trimmed(pcm, 8000, pad_ms=0)) / 8 == pytest.approx(400, abs=6)


def test_nothing_audible_leaves_nothing() -> None:
    assert not len(trimmed(silence(8000, 500), 8000))
    assert not len(trimmed(silence(8000, 0), 8000))
    assert not len(trimmed(np.ones(4000, np.int16), 8000))


def test_fades_start_and_end_near_zero_and_leave_the_middle() -> None:
    pcm = np.full(800, 10000, np.int16)
    out = faded(pcm, 8000, 5)
    assert abs(int(out[0])) < 20
    assert abs(int(out[-1])) < 20
    assert np.array_equal(out[40:-40], pcm[40:-40])
    assert len(faded(np.ones(1, np.int16), 8000)) == 1


def test_wav_there_and_back(tmp_path: Path) -> None:
    path, pcm = tmp_path / "a.wav", tone(440, 8000, 100)
    write_wav(path, pcm, 8000)
    again, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 8000
    assert np.array_equal(again, pcm)
    assert path.stat().st_size == 44 + 2 * len(pcm)


def test_importing_it_does_not_load_the_sip_stack() -> None:
    code = "import sys, telephony.audio; sys.exit('pjsua2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
