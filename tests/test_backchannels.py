"""What a caller says only to show that they listen, by the starter recogniser, while a menu plays."""

from pathlib import Path

import numpy as np
import pytest

from asr import vosk_engine
from asr.recogniser import Recogniser
from flows import events
from flows.actions import Listen, PausePrompt, ResumePrompt, StopPrompts
from flows.loader import read
from flows.session import Session
from ivr.hearing import wanted
from telephony import audio
from tts.isolated import IsolatedSynthesiser

ROOT = Path(__file__).parents[1]
BANK = ROOT / "flows" / "library" / "bank-en.toml"


@pytest.fixture(scope="module")
def starter() -> Recogniser:
    return vosk_engine.load(ROOT / "asr" / "starter_en", "en")


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory):
    engine = IsolatedSynthesiser("espeak", tmp_path_factory.mktemp("voice"))

    def speak(text: str) -> bytes:
        speech = engine.synthesise(text, "en-us", "en-us+m7")
        pcm8k = audio.with_level(audio.resample(speech.pcm, speech.rate_hz, 8000), 8000, -20.0)
        return np.concatenate((np.zeros(2400, np.int16), pcm8k, np.zeros(2400, np.int16))).astype("<i2").tobytes()

    yield speak
    engine.close()


def reaction(starter: Recogniser, pcm8k: bytes) -> tuple[type, ...]:
    """What bank-en does about this sound while its menu plays."""
    flow, _ = read(BANK.read_text(encoding="utf-8"), str(BANK))
    assert flow is not None
    session = Session.start(flow)
    actions = session.handle(events.CallStarted("1", "caller", "hotline"), 0.0)
    actions += session.handle(events.PromptFinished(1), 2.0)
    (listen,) = [action for action in actions if isinstance(action, Listen)]
    turn = starter.open(wanted(listen.expect))
    turn.accept(pcm8k)
    heard = turn.finish()
    assert PausePrompt() in session.handle(events.SpeechStarted(), 3.0)
    return tuple(type(action) for action in session.handle(events.SpeechEnded(heard.text, heard.confidence), 4.0))


@pytest.mark.parametrize("said", ["okay", "yeah", "right", "uh huh"])
def test_the_menu_goes_on_after_a_sign_of_listening(said: str, starter: Recogniser, voice) -> None:
    """ "okay" was taken for "operator", "uh huh" for "a"."""
    done = reaction(starter, voice(said))
    assert ResumePrompt in done
    assert StopPrompts not in done


@pytest.mark.parametrize("said", ["balance", "operator", "lost card"])
def test_an_answer_still_stops_the_menu(said: str, starter: Recogniser, voice) -> None:
    assert StopPrompts in reaction(starter, voice(said))
