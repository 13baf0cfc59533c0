"""The factory, the scripted recogniser and the one that burns."""

import time
from pathlib import Path

import pytest

from asr import engines
from asr.burn import BurnRecogniser, burn
from asr.errors import ModelError, RecogniserError, UnknownEngineError
from asr.fake import FakeRecogniser, Script, says
from asr.recogniser import NOTHING, Expected
from ivr.config import AsrSettings

STARTER = Path(__file__).parents[2] / "asr" / "starter_en"
SECOND = bytes(16000)


def test_every_engine_that_the_settings_allow_is_known() -> None:
    allowed = AsrSettings.model_fields["engine"].annotation.__args__
    assert set(engines.ENGINES) == set(allowed)
    loaded = {name: engines.load(name, "en", STARTER) for name in engines.ENGINES}
    assert loaded.pop("none") is None
    assert {name: made.language for name, made in loaded.items()} == dict.fromkeys(loaded, "en")
    assert loaded["burn"].unknown_words(["zebra", "yes"]) == ["zebra"]


def test_wrong_names_and_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownEngineError, match="parrot"):
        engines.load("parrot", "en", STARTER)
    with pytest.raises(ModelError, match="not a vosk model"):
        engines.load("burn", "en", tmp_path)


def test_the_fake_gives_its_script_by_the_sample() -> None:
    recogniser = FakeRecogniser([says("yes please", after_s=0.5, word_s=0.25)])
    turn = recogniser.open(Expected("en"))
    heard = [turn.accept(SECOND[:4000]) for _ in range(8)]
    assert heard == [None, None, "yes", "yes please", None, None, None, None]
    final = turn.finish()
    assert (final.text, [word.start_s for word in final.words]) == ("yes please", [0.5, 0.75])


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (Expected("en", phrases=("balance", "agent")), "balance"),
        (Expected("en", digits=(4, 6)), "one two three four"),
        (Expected("zh-CN", digits=(2, 2)), "一 二"),
        (Expected("en", words=("monday",)), "monday"),
        (Expected("en"), "hello"),
    ],
)
def test_without_a_script_the_fake_hears_the_first_thing_expected(expected: Expected, text: str) -> None:
    assert FakeRecogniser().open(expected).finish().text == text


def test_the_fake_breaks_on_time() -> None:
    turn = FakeRecogniser([Script(breaks_at_s=1.5)]).open(Expected("en"))
    assert turn.accept(SECOND) is None
    with pytest.raises(RecogniserError):
        turn.accept(SECOND)
    assert FakeRecogniser([Script()]).open(Expected("en")).finish() == NOTHING


def test_burning_uses_the_cpu_time_it_says() -> None:
    before = time.thread_time()
    burn(0.05)
    assert time.thread_time() - before >= 0.05


def test_the_burner_costs_its_share_and_passes_the_result_on() -> None:
    turn = BurnRecogniser(FakeRecogniser([says("yes")]), rtf=0.05).open(Expected("en"))
    before = time.thread_time()
    assert turn.accept(SECOND) == "yes"
    assert time.thread_time() - before >= 0.05
    assert turn.finish() == says("yes").final
    turn.close()
