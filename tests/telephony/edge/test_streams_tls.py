"""The door as a TLS client: a carrier must prove the name that it is configured by."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from telephony.edge.events import Hop
from telephony.edge.streams import Streams

pytestmark = [pytest.mark.net, pytest.mark.needs("openssl")]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=carrier.test", "-addext", "subjectAltName=DNS:carrier.test"]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *name, "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    return cert, key


@pytest.mark.parametrize(
    ("name", "trusted", "arrives"),
    [("carrier.test", True, True), ("evil.test", True, False), ("carrier.test", False, False)],
)
async def test_only_who_proves_its_name_is_told_anything(certificate, name: str, trusted: bool, arrives: bool) -> None:
    cert, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def carrier(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(carrier, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    gone: asyncio.Queue[Hop] = asyncio.Queue()
    streams = Streams(lambda data, hop: None, gone.put_nowait)
    if trusted:
        streams.trust(ssl.create_default_context(cafile=str(cert)))
    streams.names["127.0.0.1"] = name
    hop = Hop("TLS", "127.0.0.1", port)
    streams.send(b"INVITE", hop, hop)
    async with asyncio.timeout(20):
        if arrives:
            assert await heard.get() == b"INVITE"
        assert await gone.get() == hop
    assert heard.empty()
    assert streams.losses["tcp_unreachable"] == (not arrives)
    await streams.close()
    server.close()
    await server.wait_closed()
