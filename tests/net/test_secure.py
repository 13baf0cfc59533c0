"""Encrypted calls: baresip by TLS, which takes no call without SRTP, and one by UDP, which knows nothing of it."""

import subprocess
from pathlib import Path

import pytest

from tests.net import sound
from tests.net.baresip import SAID_HZ, Baresip
from tests.net.hotline import free_port, wait_for

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]


def certificate(folder: Path) -> str:
    """Makes one; gives the lines of config.toml that name it."""
    files = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=hotline"]
    subprocess.run(["openssl", "req", "-x509", *kind, *files], check=True, capture_output=True)
    return f'certificate = "{folder}/cert.pem"\nkey = "{folder}/key.pem"\n'


@pytest.mark.needs("baresip")
@pytest.mark.needs("openssl")
@pytest.mark.parametrize("door", ["embedded", pytest.param("kamailio", marks=pytest.mark.needs("kamailio"))])
def test_sound_is_encrypted_for_who_comes_by_tls_and_plain_for_others(door, make_hotline, tmp_path):
    port = free_port(10_000)
    tls = f"[telephony.tls]\nport = {port}\n{certificate(tmp_path)}"
    hotline = make_hotline(telephony=f'door = "{door}"\nsrtp = "optional"', more=tls)
    secure = "<sip:bare@127.0.0.1;transport=tls>;regint=0;mediaenc=srtp-mand"
    ways = [
        (secure, f"/dial sip:tones@127.0.0.1:{port};transport=tls", "module srtp.so"),
        ("", f"/dial sip:tones@{hotline.address[0]}:{hotline.address[1]}", ""),
    ]
    for number, (account, command, more) in enumerate(ways):
        phone = Baresip(tmp_path / f"phone{number}", "PCMA", command, account=account, more=more)
        try:
            up = lambda: [call for call in hotline.up() if call.data("prompt.ended")]  # noqa: E731
            wait_for(up, 40)
        finally:
            phone.hang_up()
        (call,) = wait_for(lambda number=number: hotline.archived()[number:])
        assert call.termination == "caller_hangup"
        assert sound.tone_seconds(call.audio[:, 0], SAID_HZ) > 1
        assert sound.tone_seconds(phone.heard(), 500) > 1
