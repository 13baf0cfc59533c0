"""[queues.NAME] as written, and as the ACD reckons with it."""

from pathlib import Path

import pytest

from ivr.acd.model import STRICT, Empty, QueueSettings, Relax, Strategy
from ivr.config import Config, ConfigError, load
from ivr.queuesettings import settings_of

ROOT = Path(__file__).parents[2]


def read(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return load(file)


def test_the_shipped_file_shows_the_defaults() -> None:
    assert load(ROOT / "config.toml").queues == Config().queues


def test_a_queue_without_settings_is_the_acds_default() -> None:
    assert settings_of(Config().queues) == {"cards": QueueSettings("cards"), "support": QueueSettings("support")}
    assert QueueSettings("cards").joinempty == STRICT


def test_every_word_is_understood(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
[queues.vip]
strategy = "ring-progressively"
wrapuptime = "30s"
maxlen = 5
ageing = "1m"
relax = [{ after = "60s", levels = 1 }, { after = "2m", levels = 2, max_penalty = 5 }]
joinempty = "paused, inuse"
leavewhenempty = "strict"
announce_holdtime = "once"
""",
    )
    (queue,) = settings_of(config.queues).values()
    assert queue.strategy is Strategy.RING_PROGRESSIVELY
    assert (queue.name, queue.wrapuptime_s, queue.maxlen, queue.ageing_s) == ("vip", 30.0, 5, 60.0)
    assert queue.relax == (Relax(60.0, 1), Relax(120.0, 2, 5))
    assert queue.joinempty == {Empty.PAUSED, Empty.INUSE}
    assert queue.leavewhenempty == STRICT
    assert config.queues["vip"].announce == {"position": "yes", "holdtime": "once"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('strategy = "rr"', "strategy"),
        ('joinempty = "perhaps"', "joinempty"),
        ("wrapuptime = 30", "duration"),
        ('ring_timeout = "0s"', "ring_timeout"),
        ('relax = [{ after = "2m" }, { after = "1m" }]', "in the order"),
        ("wrapup = 1", "unknown setting"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"[queues.vip]\n{line}\n")
    assert complaint in str(caught.value)
    assert "config.toml:2:" in str(caught.value)
