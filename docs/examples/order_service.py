"""A tiny order service for the flow `shop`: it keeps its orders in memory and forgets everything when it ends.

python docs/examples/order_service.py [--port 8099]

GET  /orders/1001             an order: {"item", "state", "total", "days", "due"}, or 404
POST /returns                 {"order", "opened"}            gives {"code"}
POST /refunds                 {"order", "amount", "reason"}  gives {"booked"}; the same Idempotency-Key books once
"""

import argparse
import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ORDERS: dict[str, dict[str, Any]] = {
    "1001": {"item": "radio", "state": "delivered", "total": 49.9, "days": 6},
    "1002": {"item": "coffee maker", "state": "sent", "total": 120.0, "days": 0},
    "1003": {"item": "lamp", "state": "delivered", "total": 25.5, "days": 21},
    "1004": {"item": "bicycle", "state": "delivered", "total": 480.0, "days": 90},
}
LONGEST_BODY = 10_000


class Orders(BaseHTTPRequestHandler):
    """Answers one request at a time, each in its own thread."""

    protocol_version = "HTTP/1.1"
    answered: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - shared by all requests on purpose

    def do_GET(self) -> None:
        """An order, by its number."""
        order = ORDERS.get(self.path.removeprefix("/orders/"))
        if order is None:
            self._answer(404, {"error": "no such order"})
            return
        due = datetime.now(UTC).date() + timedelta(days=2)
        self._answer(200, {**order, "due": due.isoformat()})

    def do_POST(self) -> None:
        """A return or a refund, once for each Idempotency-Key."""
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(min(length, LONGEST_BODY)) or b"{}")
        if self.path not in ("/returns", "/refunds") or body.get("order") not in ORDERS:
            self._answer(404, {"error": "no such order"})
            return
        key = self.headers.get("Idempotency-Key") or str(len(self.answered))
        made = {"code": f"{len(self.answered) + 4711}"} if self.path == "/returns" else {"booked": True}
        self._answer(200, self.answered.setdefault(key, made))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def serve(port: int) -> ThreadingHTTPServer:
    """The service on loopback; port 0 takes any free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), Orders)


def main() -> None:
    """Serves until Ctrl-C."""
    parser = argparse.ArgumentParser(description="An example order service")
    parser.add_argument("--port", type=int, default=8099)
    server = serve(parser.parse_args().port)
    print(f"orders on http://127.0.0.1:{server.server_port}/orders/1001")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
