"""What a caller hears: level, no waiting before the first sound, a pause where the text has one."""

import json
import subprocess
import sys

import numpy as np
import pytest

from telephony.audio import FULL_SCALE, active_level_dbfs, silence, tone
from tts.clauses import PAUSE_MS, SENTENCE_PAUSE_MS
from tts.errors import NothingAudible
from tts.fake import FakeSynthesiser
from tts.finishing import EDGE_MS, finished
from tts.synthesiser import Speech


@pytest.mark.parametrize(("mark", "pause_ms"), [(".", SENTENCE_PAUSE_MS), (",", PAUSE_MS), ("", 0)])
def test_a_clause_starts_at_once_and_pauses_as_its_mark_says(mark: str, pause_ms: float) -> None:
    speech = FakeSynthesiser().synthesise("hello", "en", "en-us")
    pcm = finished(speech, "hello" + mark, 8000, -20)
    assert len(pcm) / 8 == pytest.approx(2 * EDGE_MS + 5 * 60 + pause_ms, abs=11)
    first = int(np.flatnonzero(np.abs(pcm) > 300)[0])
    assert first / 8 <= 20
    assert active_level_dbfs(pcm[: len(pcm) - int(pause_ms * 8)], 8000) == pytest.approx(-20, abs=0.2)


def test_silence_is_named() -> None:
    with pytest.raises(NothingAudible, match="only silence of 2 characters"):
        finished(Speech(silence(22050, 300), 22050), "hm", 8000, -20)
    with pytest.raises(NothingAudible):
        finished(Speech(silence(22050, 0), 22050), "", 8000, -20)


def test_a_click_does_not_clip() -> None:
    pcm = tone(300, 8000, 1000, -40)
    pcm[4000:4008] = 32767
    out = finished(Speech(pcm, 8000), "x", 8000, -12)
    assert np.abs(out.astype(int)).max() < FULL_SCALE * 0.9


TEXTS = {
    "en-us": ["Welcome to the bank.", "Your balance is 1250 dollars and 30 cents.", "Yes.", "Shall I say it again?"],
    "cmn": ["欢迎致电银行。", "您的余额是一千二百五十元三角。", "好。", "营业时间是上午九点到下午五点。"],
}

LEVELS = """
import json, sys
from telephony.audio import active_level_dbfs, trimmed
from tts.espeak_engine import EspeakEngine
from tts.finishing import finished

engine = EspeakEngine()
levels = []
for voice, texts in json.load(sys.stdin).items():
    for text in texts:
        pcm = finished(engine.synthesise(text, "", voice), text, 8000, -20)
        levels.append(active_level_dbfs(trimmed(pcm, 8000), 8000))
print(json.dumps(levels))
"""


def test_espeak_prompts_have_the_level_in_both_languages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEVELS], input=json.dumps(TEXTS), capture_output=True, text=True, check=True
    )
    levels = json.loads(done.stdout)
    assert len(levels) == 8
    assert levels == pytest.approx([-20] * 8, abs=0.5)
