"""Running hotlines for the tests: `ivr serve` with its own folder and ports, ended after the tests."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.net import sound
from tests.net.hotline import ROOT, Hotline, settings, start, stop
from tests.net.phones import Phones

_rtp = itertools.cycle(range(40000, 62000, 2400))


@pytest.fixture(scope="session")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped flows and the tests' own: `quick` has short prompts, `tones` recorded ones.

    `patient` is `quick` with a caller who has time.
    """
    folder = tmp_path_factory.mktemp("flows")
    for path in [*(ROOT / "flows/library").glob("*"), *(Path(__file__).parent / "flows").glob("*")]:
        if path.is_file():
            shutil.copy(path, folder)
    patient = (folder / "quick.toml").read_text().replace('"quick"', '"patient"').replace('"1500ms"', '"60s"')
    (folder / "patient.toml").write_text(patient)
    for hz in sound.PROMPT_TONES_HZ:
        sound.write(folder / f"tone{hz}.wav", sound.tone(hz, 1.5))
    return folder


@pytest.fixture(scope="session")
def shared_hotline(tmp_path_factory: pytest.TempPathFactory, flows: Path) -> Iterator[Hotline]:
    """One hotline for all tests that leave it running."""
    data = tmp_path_factory.mktemp("hotline") / "var"
    config = data.parent / "config.toml"
    config.write_text(settings(data, rtp=next(_rtp), flows=flows, max_calls=120))
    hotline = start(config, data)
    yield hotline
    assert stop(hotline) == 0
    assert "Traceback" not in hotline.log()


@pytest.fixture
def phones(request: pytest.FixtureRequest) -> Iterator[Phones]:
    """Callers of the shared hotline."""
    with Phones(request.getfixturevalue("shared_hotline").address) as callers:
        yield callers


@pytest.fixture
def make_hotline(tmp_path: Path, flows: Path) -> Iterator[Callable[..., Hotline]]:
    """Makes hotlines of one's own, for tests that break them."""
    made: list[Hotline] = []

    def make(**options) -> Hotline:
        data = tmp_path / f"var{len(made)}"
        config = tmp_path / f"config{len(made)}.toml"
        config.write_text(settings(data, rtp=next(_rtp), **{"flows": flows, **options}))
        made.append(start(config, data))
        return made[-1]

    yield make
    for hotline in made:
        stop(hotline)
