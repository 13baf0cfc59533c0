"""`ivr check` and the ports."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr import check
from ivr.config import AsrSettings, Config, TelephonySettings, TtsSettings
from ivr.doorsettings import TlsSettings
from ivr.restsettings import RestSettings

HOLDS_A_PORT = "import socket, sys; s = socket.socket(); s.bind(('0.0.0.0', 0)); s.listen(); print(s.getsockname()[1], flush=True); sys.stdin.read()"  # noqa: E501


@pytest.fixture
def held(tmp_path: Path) -> Iterator[int]:
    """A TCP port held by a process that looks like the door of the hotline with this config.toml."""
    command = [sys.executable, "-c", HOLDS_A_PORT, "-m", "ivr", "door", "--config", str(tmp_path / "config.toml")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


def report(config: Config, path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    check.main(config, path)
    return capsys.readouterr().out


def test_a_running_hotline_does_not_find_fault_with_itself(
    tmp_path: Path, held: int, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(root=tmp_path, telephony=TelephonySettings(port=held))
    said = report(config, tmp_path / "config.toml", capsys)
    assert f"ok       SIP port {held}/tcp is served by this hotline, which is running" in said


def test_another_hotline_on_the_port_is_an_error(tmp_path: Path, held: int, capsys: pytest.CaptureFixture[str]) -> None:
    config = Config(root=tmp_path, telephony=TelephonySettings(port=held))
    said = report(config, tmp_path / "other.toml", capsys)
    assert f"error    SIP port {held}/tcp: Address already in use, held by {sys.executable}" in said


def test_the_port_of_rest_is_looked_at_where_there_is_rest(
    tmp_path: Path, held: int, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(root=tmp_path, rest=RestSettings(port=held))
    said = report(config, tmp_path / "config.toml", capsys)
    assert f"error    REST port {held}/tcp: Address already in use, held by {sys.executable}" in said
    assert "change [rest] port" in said
    config = Config(root=tmp_path, rest=RestSettings(port=0))
    assert "REST" not in report(config, tmp_path / "config.toml", capsys)


def test_the_port_of_tls_is_looked_at_where_there_is_a_certificate(
    tmp_path: Path, held: int, capsys: pytest.CaptureFixture[str]
) -> None:
    tls = TlsSettings(certificate=Path("cert.pem"), key=Path("key.pem"), port=held)
    said = report(Config(root=tmp_path, telephony=TelephonySettings(tls=tls)), tmp_path / "other.toml", capsys)
    assert f"error    SIP TLS port {held}/tcp: Address already in use, held by {sys.executable}" in said
    assert "change [telephony.tls] port" in said


def test_a_free_port_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as trial:
        trial.bind(("0.0.0.0", 0))
        port = trial.getsockname()[1]
    config = Config(root=tmp_path, telephony=TelephonySettings(port=port))
    assert f"ok       SIP port {port}/tcp is free" in report(config, tmp_path / "config.toml", capsys)


def test_kamailio_that_this_hotline_runs_is_no_stranger_on_its_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(root=tmp_path, telephony=TelephonySettings(door="kamailio"))
    command = [sys.executable, "-c", HOLDS_A_PORT, "-f", str(config.run_folder / "kamailio.cfg"), "-DD"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        config = config.model_copy(update={"telephony": TelephonySettings(door="kamailio", port=port)})
        said = report(config, tmp_path / "config.toml", capsys)
        process.kill()
    assert f"ok       SIP port {port}/tcp is served by this hotline, which is running" in said


def test_a_model_that_is_none_and_a_voice_that_nobody_has_are_not_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both were "ok" when a folder was there, or a voice named."""
    (tmp_path / "model").mkdir()
    broken = AsrSettings(models={"en": str(tmp_path / "model")})
    config = Config(root=tmp_path, asr=broken, tts=TtsSettings(voices={"en": "parrot", "zh-CN": "cmn"}))
    said = report(config, tmp_path / "config.toml", capsys)
    assert f"error    recogniser for en: {tmp_path / 'model'} is not a vosk model" in said
    assert "error    voice for en: espeak-ng has no voice 'parrot'" in said
    assert "ok       voice for zh-CN: espeak cmn" in said


def test_an_address_that_nobody_has_is_found_before_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(root=tmp_path, telephony=TelephonySettings(address="999.1.1.1"))
    assert "error    [telephony] address '999.1.1.1' cannot be used" in report(config, tmp_path / "config.toml", capsys)
