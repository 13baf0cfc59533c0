"""Carries out the `http` steps of flows: one connection pool for a process, tries, time limits, idempotency keys.

Runs on an asyncio loop, never on the media thread. httpx is the client: it keeps connections, bounds every phase in
time and is kept up.
"""

import asyncio
import json
from typing import Any, Self

import httpx

from flows.actions import Request
from flows.events import Replied

MAX_ANSWER_BYTES = 1_000_000
TLS = httpx.create_ssl_context(trust_env=False)  # 12-55 ms with the GIL held: at import, before a call can hear it
RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpSteps:
    """Answers `Request(kind="http")`. One event loop; close it at the end."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        limits = httpx.Limits(max_connections=20, max_keepalive_connections=10)
        self._client = client or httpx.AsyncClient(verify=TLS, limits=limits, follow_redirects=False, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def answer(self, request: Request) -> Replied:
        """Sends the request, and again while it fails and tries are left. Never raises for what the network does."""
        arguments = request.arguments
        wait_s = float(arguments["retry_wait_s"])
        tries = int(arguments["retries"]) + 1
        result: dict[str, Any] = {}
        for number in range(tries):
            if number:
                await asyncio.sleep(wait_s)
                wait_s *= 2
            result = await self._once(arguments)
            if "error" not in result and result["status"] not in RETRIED_STATUSES:
                break
        return Replied(request.request, ok="error" not in result, result=result)

    async def _once(self, arguments: dict[str, Any]) -> dict[str, Any]:
        headers = {"accept": "application/json", **arguments["headers"]}
        if arguments["idempotency_key"]:
            headers["idempotency-key"] = arguments["idempotency_key"]
        query = {name: _parameter(value) for name, value in arguments["query"].items() if value is not None}
        try:
            async with asyncio.timeout(arguments["timeout_s"]):
                async with self._client.stream(
                    arguments["method"],
                    arguments["url"],
                    headers=headers,
                    params=query or None,
                    json=arguments["body"],
                    timeout=arguments["timeout_s"],
                ) as response:
                    return {"status": response.status_code, "json": _json(await _body(response))}
        except TimeoutError:
            return {"error": f"no answer in {arguments['timeout_s']:g} s"}
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}"[:200]}


async def _body(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise ValueError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return body


def _json(body: bytes) -> Any:  # noqa: ANN401 - whatever the service answers
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _parameter(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
