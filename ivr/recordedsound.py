"""The sound of a finished recording, channel by channel: a call of the archive, or any audio file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from recordings.callid import is_call_id
from recordings.read import read


class RecordingUnreadableError(Exception):
    """A file is missing or is no audio; the text says which."""

    code = "recording.unreadable"


@dataclass(frozen=True, slots=True)
class Channel:
    """One speaker's side: `int16[n]`."""

    who: str
    pcm: NDArray[np.int16]
    rate_hz: int


def channels(recordings: Path, what: str) -> list[Channel]:
    """The channels of a call, by its id, or of an audio file; two channels are taken for caller and hotline.

    Raises RecordingUnreadableError, CallNotFoundError.
    """
    if not is_call_id(what):
        return _of(Path(what), "speaker")
    return [channel for file in read(recordings, what).audio for channel in _of(file, file.name.split(".")[0])]


def _of(file: Path, who: str) -> list[Channel]:
    if not file.is_file():
        raise RecordingUnreadableError(f"there is no file {file}, and no call is named so (`ivr calls` lists them)")
    try:
        sound, rate_hz = soundfile.read(file, dtype="int16", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise RecordingUnreadableError(f"{file}: {error}") from error
    names = ["caller", "hotline"] if sound.shape[1] == 2 else [who] * sound.shape[1]
    return [Channel(name, sound[:, number], rate_hz) for number, name in enumerate(names)]
