"""A running hotline and the terminal it was started from."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def terminal() -> Iterator[None]:
    """What is started here hears of a closed terminal, even where the tests themselves run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.net
@pytest.mark.usefixtures("terminal")
def test_it_ends_cleanly_when_its_terminal_is_closed_and_names_lines_that_lead_nowhere() -> None:
    with tempfile.TemporaryDirectory(prefix="hl") as folder:  # short: sockets lie below
        config = Path(folder) / "config.toml"
        lines = '[telephony.lines]\n"*" = "bank-en"\n"900" = "bank-fr"\n'
        library = ROOT / "flows" / "library"
        config.write_text(
            f'[telephony]\naddress = "127.0.0.1"\nport = 0\nidle_workers = 1\n{lines}'
            f'[rest]\nport = 0\n[flows]\nfolder = "{library}"\n'
        )
        with subprocess.Popen(
            [sys.executable, "-m", "ivr", "serve", "--config", str(config)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        ) as hotline:  # fmt: skip
            assert hotline.stdout is not None
            assert hotline.stdout.readline().startswith("ready sip:hotline@127.0.0.1:")
            hotline.send_signal(signal.SIGHUP)
            _, said = hotline.communicate(timeout=60)
    assert hotline.returncode == 0, said
    assert "ending: hanging up" in said
    assert '[telephony.lines] "900": there is no flow bank-fr, its callers hear 404' in said
