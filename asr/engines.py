"""The recognisers by name, as config.toml names them."""

from pathlib import Path

from asr import burn, fake, vosk_engine
from asr.errors import UnknownEngineError
from asr.recogniser import Recogniser

ENGINES = ("vosk", "none", "fake", "burn")


def load(engine: str, language: str, folder: Path) -> Recogniser | None:
    """Loads one language's recogniser; call it before forking. None: touch-tones only.

    Raises UnknownEngineError, or ModelError where the folder is no model of the engine.
    """
    match engine:
        case "vosk":
            return vosk_engine.load(folder, language)
        case "burn":
            return burn.BurnRecogniser(vosk_engine.load(folder, language))
        case "fake":
            return fake.FakeRecogniser(language=language)
        case "none":
            return None
        case _:
            raise UnknownEngineError(f"there is no recogniser {engine!r}; known: {', '.join(ENGINES)}")
