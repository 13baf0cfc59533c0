"""The table of engines: a name in `[tts] engine` and what it stands for.

An adapter is imported when it is used, so that a process which only looks prompts up loads none.
"""

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tts.synthesiser import Synthesiser

_PACKAGES = {"espeak": "espeakng-loader", "piper": "piper-tts", "fake": ""}


def create(engine: str, models: Path) -> "Synthesiser":
    """Starts an engine in this process. Raises SynthesiserFailed; KeyError for a name that is not in the table."""
    # ruff: noqa: PLC0415
    match engine:
        case "espeak":
            from tts.espeak_engine import EspeakEngine

            return EspeakEngine()
        case "piper":
            from tts.piper_engine import PiperEngine

            return PiperEngine(models)
        case "fake":
            from tts.fake import FakeSynthesiser

            return FakeSynthesiser()
    raise KeyError(engine)


def version(engine: str) -> str:
    """The engine's name with the version of its package: prompts of another version are not used again."""
    package = _PACKAGES[engine]
    return f"{engine} {metadata.version(package)}" if package else engine
