"""The launcher, without its processes."""

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ivr import serve
from ivr.children import Child
from ivr.config import Config
from ivr.runfolder import claim


@pytest.fixture
def restored_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("restored_umask")
def test_nobody_else_on_this_machine_can_read_what_callers_said(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(hotline: serve.Hotline, _stop: object) -> int:
        assert set(hotline.children) >= {"zygote", "control"}
        (config.data_folder / "store").touch()  # as a child would
        return 0

    monkeypatch.setattr(serve.Hotline, "run", run)
    assert serve.main(config, tmp_path / "config.toml") == 0
    for path in (config.data_folder, config.recordings_folder, config.data_folder / "store"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.usefixtures("restored_umask")
def test_a_second_hotline_on_the_same_data_starts_nothing(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(_hotline: serve.Hotline, _stop: object) -> int:
        raise AssertionError("it must not start")

    monkeypatch.setattr(serve.Hotline, "run", run)
    config.run_folder.mkdir(parents=True)
    first = claim(config.run_folder)
    assert serve.main(config, tmp_path / "config.toml") == 3
    os.close(first)
    assert "A hotline runs on" in capsys.readouterr().err


async def test_a_child_that_is_being_started_when_the_end_comes_is_ended_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = asyncio.create_subprocess_exec
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*_command: str, **_options: Any) -> Process:
        asked.set()
        await go_on.wait()
        return await real("sleep", "600", stdout=PIPE)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slow)
    child = Child("speech")
    keeper = asyncio.create_task(child.keep(tmp_path))
    await asked.wait()
    await child.stop()
    go_on.set()
    await asyncio.wait_for(keeper, 20)
