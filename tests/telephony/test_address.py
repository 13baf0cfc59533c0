"""The address of this machine."""

import ipaddress
import socket

import pytest

from telephony import address


def test_an_explicit_address_is_kept() -> None:
    assert address.reachable_address("192.0.2.7") == "192.0.2.7"
    assert address.reachable_address("localhost") == "127.0.0.1"


def test_auto_is_an_address_of_this_machine() -> None:
    found = address.reachable_address("auto")
    assert ipaddress.IPv4Address(found)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
        mine.bind((found, 0))


def test_auto_without_a_route_is_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "_SOMEWHERE", ("255.255.255.255", 9))  # connecting to broadcast is refused
    assert address.reachable_address("auto") == "127.0.0.1"
