"""All that decides how a clause sounds, and the name under which its sound is kept.

Both ends use it: the speech process to make a prompt, a worker to find one on disk without asking anybody.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tts.voices import piper_file, voice_for

FORMAT = 1  # raise it whenever normaliser, clauses or finishing change what is heard


@dataclass(frozen=True, slots=True)
class Recipe:
    """How prompts are made. `engine_version` is that of `tts.engines.version`; `voices` maps languages to voices."""

    engine: str
    engine_version: str
    voices: Mapping[str, str]
    models: Path
    level_dbfs: float = -20.0
    rate_hz: int = 8000

    def voice(self, language: str, voice: str = "") -> str:
        """The engine's voice name: the one asked for, else that of the language. Raises VoiceMissing."""
        return voice or voice_for(self.voices, language)

    def key(self, clause: str, language: str, voice: str) -> str:
        """The sound's name: 64 hexadecimal digits of SHA-256 over everything that goes into it. Raises VoiceMissing."""
        parts = [FORMAT, self.engine_version, self._identity(voice), language, self.level_dbfs, self.rate_hz, clause]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()

    def _identity(self, voice: str) -> list[str | int]:
        """The voice, and its file's size and time where it is a file: a voice that is replaced is another voice."""
        if self.engine != "piper":
            return [voice]
        state = piper_file(voice, self.models).stat()
        return [voice, state.st_size, state.st_mtime_ns]
