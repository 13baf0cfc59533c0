"""What callers say: human digits where the test data lie beside the repository, else and for phrases espeak-ng."""

import json
from pathlib import Path

import numpy as np
import soundfile

from asr import vosk_engine
from asr.recogniser import Expected, Recogniser
from bench import alaw
from bench.talk import quiet_line
from ivr.models import STARTER
from telephony import audio
from telephony.audio import Pcm
from tts.isolated import IsolatedSynthesiser

HUMAN = Path(__file__).resolve().parents[2] / "shared" / "data" / "speech"
LEVEL_DBFS = -22.0
BETWEEN_DIGITS_S = 0.08
PHRASES = ("balance", "lost card", "opening hours", "agent", "yes", "no")
SENTENCES = (
    "my card was stolen", "i want to check my balance please", "what are your opening hours on saturday",
    "i want to talk to an agent please", "can you help me with my account number",
)  # fmt: skip
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def spoken(texts: list[str], voice: str = "en-us") -> dict[str, Pcm]:
    """Each text by espeak-ng at 8 kHz, as the hotline's own prompts are made."""
    engine = IsolatedSynthesiser("espeak", Path())
    try:
        made = {}
        for text in texts:
            speech = engine.synthesise(text, "en", voice)
            pcm = audio.trimmed(audio.resample(speech.pcm, speech.rate_hz, alaw.RATE_HZ), alaw.RATE_HZ)
            made[text] = audio.with_level(pcm, alaw.RATE_HZ, LEVEL_DBFS)
        return made
    finally:
        engine.close()


def digit_strings(count: int, length: int = 4) -> list[tuple[str, Pcm]]:
    """Strings of spoken digits, each of one speaker: humans where the clips are there, else espeak-ng.

    Only such as the starter recogniser understands: they are for measuring how fast it is, not how good.
    """
    speakers = _humans() or [spoken(list(_DIGITS))]
    recogniser = vosk_engine.load(STARTER, "en")
    chance = np.random.default_rng(2026)
    strings: list[tuple[str, Pcm]] = []
    for attempt in range(20 * count):
        if len(strings) == count:
            break
        clips = speakers[attempt % len(speakers)]
        digits = [str(chance.choice(sorted(clips))) for _ in range(length)]
        pause = audio.silence(alaw.RATE_HZ, BETWEEN_DIGITS_S * 1000)
        pieces = [piece for digit in digits for piece in (clips[digit], pause)][:-1]
        text, pcm = " ".join(digits), np.concatenate(pieces)
        if _heard(recogniser, pcm, length) == text:
            strings.append((text, pcm))
    return strings


def _heard(recogniser: Recogniser, pcm: Pcm, length: int) -> str:
    turn = recogniser.open(Expected("en", digits=(length, length)))
    try:
        quiet = audio.silence(alaw.RATE_HZ, 300)
        turn.accept(np.concatenate([quiet, alaw.decode(alaw.encode(pcm)), quiet]).astype("<i2").tobytes())
        return turn.finish().text
    finally:
        turn.close()


def _humans() -> list[dict[str, Pcm]]:
    """One digit -> clip table for each speaker, of the clips that the starter recogniser is known to understand."""
    if not (HUMAN / "expected.json").is_file():
        return []
    speakers: dict[str, dict[str, Pcm]] = {}
    for clip in json.loads((HUMAN / "expected.json").read_text()):
        if clip["grammar"] == "digits" and clip["text"] in _DIGITS and clip["vosk"] == clip["text"]:
            pcm, rate_hz = soundfile.read(HUMAN / clip["file"], dtype="int16")
            pcm = audio.trimmed(audio.resample(pcm, rate_hz, alaw.RATE_HZ), alaw.RATE_HZ)
            pcm = audio.with_level(pcm, alaw.RATE_HZ, LEVEL_DBFS)
            speakers.setdefault("-".join(clip["file"].split("-")[:2]), {}).setdefault(clip["text"], pcm)
    return [clips for clips in speakers.values() if len(clips) == len(_DIGITS)]


def speaking_share(share: float = 0.4) -> bytes:
    """A-law to play on a loop: phrases and digits, speech for this share of the time, a quiet line between."""
    clips = [*spoken([*PHRASES, *SENTENCES]).values(), *(pcm for _, pcm in digit_strings(6, length=6))]
    np.random.default_rng(40).shuffle(clips)
    pieces = []
    for pcm in clips:
        sound = alaw.encode(pcm)
        pieces += [sound, quiet_line(len(sound) / alaw.RATE_HZ * (1 - share) / share)]
    return b"".join(pieces)
