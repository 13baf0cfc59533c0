"""config.toml: typed, closed, every mistake named with its line."""

from pathlib import Path

import pytest

from ivr.config import Config, ConfigError, line_of, load

ROOT = Path(__file__).parent.parent


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_shows_the_defaults() -> None:
    assert load(ROOT / "config.toml") == Config(root=ROOT)


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "config.toml").telephony.port == 5060


def test_every_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path, '[telephony]\nport = 70000\nmax_cals = 3\nrtp_timeout = "soon"\n\n[tts]\nengine = "parrot"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert [(problem.line, problem.what.split(":")[0]) for problem in caught.value.problems] == [
        (2, "telephony.port"),
        (3, "telephony.max_cals"),
        (4, "telephony.rtp_timeout"),
        (7, "tts.engine"),
    ]
    assert "did you mean max_calls?" in str(caught.value)


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config.toml:2: not TOML"):
        load(write(tmp_path, "[ivr]\ndata = \n"))


def test_line_of_quoted_and_dotted_keys() -> None:
    text = '[telephony.lines]\n"*" = "bank-en"\n[ivr]\nbus.url = "x"\n'
    assert line_of(text, ("telephony", "lines", "*")) == 2
    assert line_of(text, ("ivr", "bus", "url")) == 4
    assert line_of(text, ("nowhere",)) == 0
