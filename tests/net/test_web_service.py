"""Web services in every kind of trouble, on real calls: the caller always hears the author's way out."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.net.hotline import wait_for
from tests.net.sipp import Scenario, Sipp

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]
TROUBLES = ("fine", "slow", "hanging", "endless", "redirect", "garbage", "deep", "gone", "busy", "drip")
FLOW = """
flow = "quick"
version = 1
start = "ask"

[variables]
service = "{service}"
picked = ""

[step.ask]
type = "gather"
kind = "digits"
length = 1
into = "picked"
prompt = "Which?"
on.attempts = "bye"
next = "fetch"

[step.fetch]
type = "http"
url = "{{service}}/{{picked}}"
timeout = "1s"
fields = {{ word = "text" }}
into = "found"
on.error.http = "broken"
next = "told"

[step.told]
type = "say"
prompt = "It says {{found.word}}."
next = "bye"

[step.broken]
type = "say"
prompt = "Sorry, that does not work now."
next = "bye"

[step.bye]
type = "hangup"
prompt = "Bye."
"""


class Troubled(BaseHTTPRequestHandler):
    """Answers by the number in the path, an index of TROUBLES."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with suppress(OSError):  # the hotline hangs up, as it should
            getattr(self, TROUBLES[int(self.path[1:])])()

    def log_message(self, *_: object) -> None: ...

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fine(self) -> None:
        self.answer(b'{"word": "hello"}')

    def slow(self) -> None:
        self.server.leave.wait(5)
        self.fine()

    def hanging(self) -> None:
        self.server.leave.wait(60)

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.server.leave.is_set():
            self.wfile.write(b" " * 65536)

    def redirect(self) -> None:
        self.answer(b"", 302, Location="/0")

    def garbage(self) -> None:
        self.answer(b"\x00\xff{]")

    def deep(self) -> None:
        self.answer(b"[" * 500_000)

    def gone(self) -> None:
        self.connection.close()

    def busy(self) -> None:
        self.answer(b"{}", 503)

    def drip(self) -> None:
        """A byte now and then: no single wait is long, the whole is."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not self.server.leave.wait(0.2):
            self.wfile.write(b" ")


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Troubled)
    server.daemon_threads = True
    server.leave = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.leave.set()
    server.shutdown()
    thread.join()
    server.server_close()


def answered() -> Scenario:
    return Scenario("quick").invite().answered().ack()


@pytest.mark.needs("sipp")
def test_every_trouble_of_a_service_leads_to_the_authors_way_out(make_hotline, service, tmp_path):
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "quick.toml").write_text(FLOW.format(service=service))
    hotline = make_hotline(flows=folder)
    callers = {
        trouble: Sipp(tmp_path, hotline.address, answered().pause(300).info(str(number)).far_bye())
        for number, trouble in enumerate(TROUBLES)
    }
    calls = {trouble: hotline.call(caller.finish()) for trouble, caller in callers.items()}
    assert {trouble for trouble, call in calls.items() if "It says hello." in call.said} == {"fine"}
    for trouble, call in calls.items():
        assert call.termination == "completed", trouble
        assert ("does not work" in call.said) == (trouble != "fine"), trouble
        assert call.flow_events.count("error.http") == (trouble != "fine"), trouble
    assert "Traceback" not in hotline.log()


def test_a_service_nobody_listens_at(make_hotline, tmp_path):
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "quick.toml").write_text(FLOW.format(service="http://127.0.0.1:9"))
    began = time.monotonic()
    outcome, call = make_hotline(flows=folder).dialled("--keys", "1", user="quick")
    assert outcome["ended_by"] == "far end", json.dumps(outcome)
    assert "does not work" in call.said
    assert time.monotonic() - began < 60
    wait_for(lambda: call.ended)
