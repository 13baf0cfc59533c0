"""The command line: what is said about ordinary mistakes."""

from pathlib import Path

import pytest

from ivr import __main__ as commandline


def test_settings_may_stand_after_the_action(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[ivr]\ndata = "here"\n')
    (tmp_path / "here" / "recordings").mkdir(parents=True)
    assert commandline.main(["bundle", "repair", "--config", str(config)]) == 0
    assert str(tmp_path / "here" / "recordings") in capsys.readouterr().out


def test_a_settings_file_that_is_named_must_be_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "nope.toml"
    assert commandline.main(["calls", "--config", str(missing)]) == commandline.EXIT_CANNOT_START
    assert capsys.readouterr().err == f"{missing}: there is no such file\n"


def test_settings_are_those_of_this_folder_else_those_beside_the_makefile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From another folder, `ivr calls` said that there are none."""
    there = tmp_path / "there"
    (there / "recordings").mkdir(parents=True)
    (there / "config.toml").write_text(f'[ivr]\ndata = "{there}"\n')
    monkeypatch.setattr(commandline, "CONFIG_BESIDE_THE_CODE", there / "config.toml")
    monkeypatch.chdir(tmp_path)
    assert commandline.main(["bundle", "repair"]) == 0
    assert str(there / "recordings") in capsys.readouterr().out
    (tmp_path / "recordings").mkdir()
    (tmp_path / "config.toml").write_text('[ivr]\ndata = "."\n')
    assert commandline.main(["bundle", "repair"]) == 0
    assert str(there) not in capsys.readouterr().out


def test_a_command_that_is_mistyped_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert commandline.main(["dail"]) == 2
    assert "no command 'dail'; did you mean dial?" in capsys.readouterr().err


def test_internal_commands_are_not_offered(capsys: pytest.CaptureFixture[str]) -> None:
    assert commandline.main(["zygot"]) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    config = tmp_path / "config.toml"
    config.write_text('[ivr]\ndata = "file/var"\n')
    assert commandline.main(["serve", "--config", str(config)]) == commandline.EXIT_CANNOT_START
    assert f"{tmp_path}/file/var cannot be made" in capsys.readouterr().err
