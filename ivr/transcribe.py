"""`ivr transcribe CALL|WAV`: writes a finished recording down with faster-whisper, each channel by itself."""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asr.errors import AsrError
from ivr import models
from ivr.callsource import CallSource
from ivr.config import Config
from ivr.recordedsound import Channel, RecordingUnreadableError, channels
from recordings.errors import RecordingError
from recordings.transcript import clock

if TYPE_CHECKING:
    from asr.whisper_engine import WhisperTranscriber


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance; times are seconds from the recording's start."""

    who: str
    start_s: float
    end_s: float
    text: str
    confidence: float


def main(config: Config, what: str, model: str, language: str, *, as_json: bool) -> int:
    """Prints the transcript, oldest first. Exit code 1 when the recording or the model cannot be used."""
    try:
        call = asyncio.run(CallSource(config).find(what)).summary.call_id if what == "last" else what
        sound = channels(config.recordings_folder, call)
        lines = _transcript(sound, models.resolve(model, config.models_folder), language)
    except (models.ModelMissing, AsrError, RecordingError, RecordingUnreadableError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    lines.sort(key=lambda line: line.start_s)
    if as_json:
        sys.stdout.write(json.dumps([asdict(line) for line in lines], ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{clock(line.start_s)}  {line.who:8} {line.text}\n" for line in lines)
        if not lines:
            sys.stdout.write("nobody speaks in this recording\n")
    return 0


def _transcript(sound: list[Channel], model: Path, language: str) -> list[Line]:
    from asr import whisper_engine  # noqa: PLC0415 - seconds to import, and only for a recording that is there

    engine = whisper_engine.load(model, threads=2)
    return [line for channel in sound for line in _lines(engine, channel, language)]


def _lines(engine: "WhisperTranscriber", channel: Channel, language: str) -> list[Line]:
    heard = engine.transcribe(channel.pcm, channel.rate_hz, language)
    return [
        Line(
            channel.who,
            round(one.words[0].start_s, 2),
            round(one.words[-1].end_s, 2),
            one.text,
            round(one.confidence, 3),
        )
        for one in heard
        if one.words
    ]
