"""piper, the synthesiser for quality. Voices are `NAME.onnx` with `NAME.onnx.json` beside it.

Owns the use of `piper-tts` and of the ONNX runtime below it. Runs in a process of its own (`tts.isolated`): a model
that takes all memory or time costs a prompt, not the hotline.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from piper import PiperConfig, PiperVoice, SynthesisConfig

from telephony.audio import Pcm
from tts.errors import EngineCrashed, VoiceMissing
from tts.synthesiser import Speech
from tts.voices import piper_file

PACKAGE = "piper-tts"
THREADS = 1  # per engine process; the calls' media need the other cores


class PiperEngine:
    """Loads each voice when it is first asked for and keeps it."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._voices: dict[str, PiperVoice] = {}

    def synthesise(self, text: str, language: str, voice: str) -> Speech:
        """See `Synthesiser`; the voice is a name below the models folder or the path of an .onnx file."""
        del language  # the voice knows it
        model = self._loaded(voice)
        # [[...]] would be read as raw phonemes. The level is set afterwards, so piper need not scale each sentence.
        plain = text.replace("[[", "[").replace("]]", "]")
        try:
            chunks = [
                chunk.audio_float_array for chunk in model.synthesize(plain, SynthesisConfig(normalize_audio=False))
            ]
        except ImportError as error:
            raise VoiceMissing(_needs_packages(voice, error)) from error
        except Exception as error:  # onnxruntime's classes have no common root and are not exported
            raise EngineCrashed(f"piper failed with the voice {voice!r}: {error}") from error
        sound = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
        pcm: Pcm = np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)
        return Speech(pcm, model.config.sample_rate)

    def close(self) -> None:
        """Drops the voices."""
        self._voices.clear()

    def _loaded(self, voice: str) -> PiperVoice:
        if voice not in self._voices:
            self._voices[voice] = _load(piper_file(voice, self._models), self._models)
        return self._voices[voice]


def _load(model: Path, models: Path) -> PiperVoice:
    description = model.with_name(model.name + ".json")
    try:
        config = PiperConfig.from_dict(json.loads(description.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise VoiceMissing(f"the piper voice {model} lacks its description {description.name} beside it") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VoiceMissing(f"{description} is not a piper voice's description: {error!r}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's classes have no common root and are not exported
        raise VoiceMissing(f"{model} is not a voice that the ONNX runtime can load: {error}") from error
    return PiperVoice(session=session, config=config, download_dir=models)


def _needs_packages(voice: str, error: ImportError) -> str:
    return (
        f"the voice {voice!r} needs more than piper itself: {error}. For a Chinese voice of the pinyin kind install "
        f'`piper-tts[zh]` and put its g2pW model into the models folder; or use engine = "espeak" with the voice cmn'
    )
