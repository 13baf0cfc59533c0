"""Who holds a port."""

import os
import socket
import sys
from pathlib import Path

import pytest

from telephony.portholder import in_use, port_holders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_a_udp_port_names_its_process() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        holders = port_holders("udp", held.getsockname()[1])
    assert [holder.pid for holder in holders] == [os.getpid()]
    assert "python" in holders[0].command or "pytest" in holders[0].command


def test_a_tcp_port_counts_only_where_it_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert [holder.pid for holder in port_holders("tcp", server.getsockname()[1])] == [os.getpid()]
        assert port_holders("tcp", client.getsockname()[1]) == []


def test_a_free_port_has_no_holder() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    assert port_holders("udp", port) == []


def test_without_proc_nothing_is_known(tmp_path: Path) -> None:
    assert port_holders("udp", 5060, tmp_path) == []


def test_the_message_says_what_to_do() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        assert f"SIP port {held.getsockname()[1]} is in use" in in_use(held.getsockname()[1])
