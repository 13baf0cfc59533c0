"""Voice activity on tables, synthetic sound and human callers."""

import numpy as np
import pytest

from asr.vad import Segmenter, Vad, VoiceEnd, VoiceStart


def edges(pattern: str) -> list[tuple[str, int, int]]:
    """Runs a pattern of frames ("x" voiced) without warm-up; edges with their frame numbers."""
    segmenter = Segmenter(warm_up_frames=0)
    found = [segmenter.frame(mark == "x", index * 160) for index, mark in enumerate(pattern)]
    return [(type(edge).__name__, edge.sample // 160, edge.known_sample // 160) for edge in found if edge]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("......", []),
        ("..xx..xx..", []),
        ("..xxx", [("VoiceStart", 2, 5)]),
        ("..xxxx..xx", [("VoiceStart", 2, 5)]),
        ("xxx...", [("VoiceStart", 0, 3), ("VoiceEnd", 3, 6)]),
        ("xxx..x...", [("VoiceStart", 0, 3), ("VoiceEnd", 6, 9)]),
        ("xxx...xx...xxx...", [("VoiceStart", 0, 3), ("VoiceEnd", 3, 6), ("VoiceStart", 11, 14), ("VoiceEnd", 14, 17)]),
    ],
)
def test_segments(pattern: str, expected: list[tuple[str, int, int]]) -> None:
    assert edges(pattern) == expected


def test_nothing_begins_while_the_noise_estimate_settles() -> None:
    segmenter = Segmenter()
    found = [segmenter.frame(True, index * 160) for index in range(13)]
    assert [index for index, edge in enumerate(found) if edge] == [12]
    assert found[12] == VoiceStart(10 * 160, 13 * 160)


def feed(pcm: np.ndarray, piece: int = 480, first_sample: int = 0) -> list[VoiceStart | VoiceEnd]:
    vad = Vad()
    found = []
    for at in range(0, len(pcm), piece):
        found += vad.feed(pcm[at : at + piece].astype(np.int16).tobytes(), first_sample + at)
    return found


def tone(hz: float, seconds: float, level: float = 6000) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(int(8000 * seconds)) / 8000)


def test_line_noise_and_digital_silence_have_no_voice(silence) -> None:
    assert feed(silence(10)) == []
    assert feed(np.zeros(80000)) == []


def test_moderate_white_noise_has_no_voice() -> None:
    assert feed(np.random.default_rng(3).normal(0, 200, 80000)) == []


@pytest.mark.parametrize("length", [1, 8, 40, 80])
def test_a_click_is_no_voice(silence, length: int) -> None:
    sound = silence(3).copy()
    sound[12000 : 12000 + length] = 20000
    assert feed(sound) == []


def test_a_caller_in_loud_noise_is_still_found(clips, clip) -> None:
    """White noise at -44 dBFS, about 8 dB below the loudest frame of these clips."""
    noise = np.random.default_rng(3)
    files = [file for file in clips if file.startswith("fsdd")]
    found = 0
    for file in files:
        quiet = np.zeros(16000)
        sound = np.concatenate([quiet, clip(file), quiet])
        edges = feed((sound + noise.normal(0, 200, len(sound))).clip(-32768, 32767))
        found += any(isinstance(edge, VoiceStart) and edge.sample > 14400 for edge in edges)
    assert found >= 0.95 * len(files)


@pytest.mark.parametrize("kind", ["dial tone", "loud noise", "chord"])
def test_steady_sound_is_one_voice_without_end(kind: str) -> None:
    sound = {
        "dial tone": tone(350, 5) + tone(440, 5),
        "loud noise": np.random.default_rng(3).normal(0, 4000, 40000),
        "chord": tone(262, 5, 3000) + tone(330, 5, 3000) + tone(392, 5, 3000),
    }[kind]
    found = feed(sound)
    assert [type(edge) for edge in found] == [VoiceStart]
    assert found[0].sample == 1600


def test_human_words_are_found_where_they_are(clips, clip, silence) -> None:
    """Voice begins at most 200 ms after a clip's loud part does and ends at most 300 ms before its end: nothing is cut
    off. Some callers breathe or handle the phone after the word, so a few ends are late.
    """
    cut, late = [], []
    for file in clips:
        level = np.abs(clip(file).astype(int))
        loud = np.flatnonzero(level > 0.1 * level.max()) + 8000
        found = feed(np.concatenate([silence(1), clip(file), silence(1)]))
        starts = [edge.sample for edge in found if isinstance(edge, VoiceStart)]
        ends = [edge.sample for edge in found if isinstance(edge, VoiceEnd)]
        if not starts or starts[0] > loud[0] + 1600 or ends[-1] < loud[-1] - 2400:
            cut.append(file)
        elif ends[-1] > loud[-1] + 2400:
            late.append(file)
    assert len(cut) <= 1, cut
    assert len(late) <= len(clips) // 10, late


def test_any_piece_length_gives_the_same_answer(clip, silence) -> None:
    sound = np.concatenate([silence(1), clip("fsdd-theo-two-2_theo_0.wav"), silence(1)])
    expected = feed(sound)
    assert len(expected) == 2
    assert all(feed(sound, piece) == expected for piece in (1, 37, 160, 161, 4000))


def test_samples_are_counted_from_the_first_one_given(clip, silence) -> None:
    sound = np.concatenate([silence(1), clip("fsdd-theo-two-2_theo_0.wav"), silence(1)])
    shifted = [(edge.sample - 80000, edge.known_sample - 80000) for edge in feed(sound, first_sample=80000)]
    assert shifted == [(edge.sample, edge.known_sample) for edge in feed(sound)]


def test_a_gap_forgets_the_incomplete_frame() -> None:
    vad = Vad()
    loud = tone(440, 1).astype(np.int16).tobytes()
    vad.feed(loud[:1000], 0)
    found = vad.feed(loud, 16000)
    assert [edge.sample for edge in found] == [16000 + 7 * 160]
    assert vad.start_sample == found[0].sample
