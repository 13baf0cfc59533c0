"""One hotline a run folder, and a folder that sockets fit into."""

import os
from pathlib import Path

import pytest

from ivr.runfolder import RunFolderError, claim


def test_a_second_hotline_does_not_take_the_sockets_of_the_first(tmp_path: Path) -> None:
    lock = claim(tmp_path)
    with pytest.raises(RunFolderError, match=rf"already \(process {os.getpid()}\)"):
        claim(tmp_path)
    os.close(lock)  # as its end does, however it ends
    os.close(claim(tmp_path))


def test_a_data_folder_too_long_for_sockets_is_named(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100)
    folder.mkdir()
    with pytest.raises(RunFolderError, match=r"bytes too long .* shorter \[ivr\] data"):
        claim(folder)
