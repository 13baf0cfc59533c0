"""Which voice speaks a language, and where a piper voice lies.

Knows names and files only; whether an engine can use them is the engine's matter.
"""

from collections.abc import Mapping
from pathlib import Path

from tts.errors import VoiceMissing


def voice_for(voices: Mapping[str, str], language: str) -> str:
    """The voice for a BCP 47 language tag.

    An equal tag wins, then the longest one that `language` goes on from (`zh` serves `zh-CN`), then the first that goes
    on from `language` (`zh-CN` serves `zh`). Raises VoiceMissing.
    """
    wanted = language.lower()
    tags = {tag.lower(): voice for tag, voice in voices.items()}
    parts = wanted.split("-")
    for length in range(len(parts), 0, -1):
        if voice := tags.get("-".join(parts[:length])):
            return voice
    for tag, voice in tags.items():
        if tag.startswith(wanted + "-"):
            return voice
    known = ", ".join(voices) or "none"
    raise VoiceMissing(f"no voice for the language {language!r} in [tts.voices] (there: {known})")


def piper_file(voice: str, models: Path) -> Path:
    """The .onnx file of a piper voice: a path to one, or a name below the models folder.

    Raises VoiceMissing that says where it looked.
    """
    places = (
        [Path(voice)]
        if voice.endswith(".onnx")
        else [models / f"{voice}.onnx", models / voice / f"{voice}.onnx", models / "piper" / f"{voice}.onnx"]
    )
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(map(str, places))
    raise VoiceMissing(f"no piper voice {voice!r} (looked for {looked}); `ivr models fetch {voice}` gets a listed one")
