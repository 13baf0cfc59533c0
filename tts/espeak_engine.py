"""espeak-ng, the synthesiser that needs no download: library and data come with the wheel `espeakng-loader`.

Owns the C interface (espeak-ng `speak_lib.h`) through ctypes. The library keeps global state, may crash and may hang:
it runs in a process of its own (`tts.isolated`), never in one that has anything to lose.
"""

import ctypes
import re

import numpy as np

from telephony.audio import Pcm
from tts.errors import EngineCrashed, VoiceMissing
from tts.synthesiser import Speech

PACKAGE = "espeakng-loader"
WORDS_PER_MINUTE = 160

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: espeak_Synth returns when all samples went to the callback
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_POSITION_CHARACTER = 1
_UTF8 = 1  # espeakCHARS_UTF8; without espeakSSML and espeakPHONEMES a text is only ever text
_RATE = 1  # espeakRATE
_IPA = 2
_VOICE_NAME = re.compile(r"[A-Za-z0-9+_\- ()]{1,64}")  # no path: espeak-ng would open it below its data folder

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class EspeakEngine:
    """The library in this process; at most one at a time. Raises EngineCrashed when it does not start."""

    def __init__(self) -> None:
        try:
            import espeakng_loader  # noqa: PLC0415 - only the engine's own process may load it

            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path()
        except (ImportError, OSError, RuntimeError) as error:
            raise EngineCrashed(f"espeak-ng is not installed rightly ({PACKAGE}): {error}") from error
        self._declare()
        self._rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
        if self._rate_hz <= 0:
            raise EngineCrashed(f"espeak-ng did not start with the data in {data}")
        self._pieces: list[bytes] = []
        self._callback = _Callback(self._take)  # kept: the library calls it as long as it lives
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_SetParameter(_RATE, WORDS_PER_MINUTE, 0)

    def synthesise(self, text: str, language: str, voice: str) -> Speech:
        """See `Synthesiser`; the voice is an espeak-ng voice name such as `en-us` or `cmn`, at 22,050 Hz."""
        del language  # the voice knows it
        self._choose(voice)
        self._pieces.clear()
        data = text.replace("\0", " ").encode()
        status = self._library.espeak_Synth(data, len(data) + 1, 0, _POSITION_CHARACTER, 0, _UTF8, None, None)
        if status:
            raise EngineCrashed(f"espeak_Synth failed with status {status}")
        pcm: Pcm = np.frombuffer(b"".join(self._pieces), np.int16)
        return Speech(pcm, self._rate_hz)

    def phonemes(self, text: str, voice: str) -> str:
        """How the text is read, in IPA; `|` stands where a pause is made. For tests and for `docs/speech.md`."""
        self._choose(voice)
        buffer = ctypes.create_string_buffer(text.encode())
        place = ctypes.c_void_p(ctypes.addressof(buffer))
        clauses = []
        while place.value:
            clauses.append(self._library.espeak_TextToPhonemes(ctypes.byref(place), _UTF8, _IPA).decode())
        return " | ".join(clause for clause in clauses if clause)

    def close(self) -> None:
        """Frees the library's memory."""
        self._library.espeak_Terminate()

    def _choose(self, voice: str) -> None:
        if not _VOICE_NAME.fullmatch(voice) or self._library.espeak_SetVoiceByName(voice.encode()):
            raise VoiceMissing(f"espeak-ng has no voice {voice!r}; American English is en-us, Mandarin cmn")

    def _take(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0  # go on

    def _declare(self) -> None:
        library, text, pointer, uint = self._library, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint
        library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, text, ctypes.c_int]
        library.espeak_SetVoiceByName.argtypes = [text]
        library.espeak_Synth.argtypes = [text, ctypes.c_size_t, uint, ctypes.c_int, uint, uint, pointer, pointer]
        library.espeak_TextToPhonemes.argtypes = [pointer, ctypes.c_int, ctypes.c_int]
        library.espeak_TextToPhonemes.restype = text
