"""The shop's flow against its real example service."""

import asyncio
import importlib.util
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from flows.actions import Request
from flows.events import Replied
from flows.loader import read
from flows.simulation import Simulation
from ivr.httpsteps import HttpSteps

ROOT = Path(__file__).parents[2]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    spec = importlib.util.spec_from_file_location("order_service", ROOT / "docs" / "examples" / "order_service.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.Orders, "log_message", lambda *_: None)
    server = module.serve(0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def outside(request: Request) -> Replied:
    async def ask() -> Replied:
        async with HttpSteps() as http:
            return await http.answer(request)

    return asyncio.run(ask())


@pytest.mark.net
def test_a_refund_is_booked_at_the_service(service: ThreadingHTTPServer) -> None:
    flow, _ = read((ROOT / "flows" / "library" / "shop.toml").read_text("utf-8"), "shop.toml")
    assert flow is not None
    address = f"http://127.0.0.1:{service.server_port}"
    simulation = Simulation(flow, outside, variables={"service": address})
    simulation.begin()
    for keys in ("1", "3", "1001", "1", "1"):
        simulation.listen()
        simulation.key(keys)
    simulation.listen()
    said = " ".join(line.text for line in simulation.lines)
    assert "49 dollars and 90 cents back" in said
    assert "within five days" in said
    simulation.key("1")
    simulation.listen()
    simulation.key("1")
    simulation.listen()
    simulation.key("9999")
    simulation.listen()
    assert any("do not find an order" in line.text for line in simulation.lines)
