"""What every request passes first: a deadline, a limit of its size, and below /api/ a token."""

import asyncio

from fastapi import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ivr.rest.guard import Guard
from ivr.rest.problems import ProblemError, answer
from ivr.store.errors import StoreError

API = "/api/"
DEADLINE_S = 8.0
MOST_BODY_BYTES = 64 << 10


class Gate:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; whoever waits too long for store or bus hears so."""
        if scope["type"] != "http":
            return
        begun = False
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST_BODY_BYTES:
                raise HTTPException(413, f"a body has at most {MOST_BODY_BYTES} bytes")
            return message

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(DEADLINE_S):
                if scope["path"].startswith(API):
                    await self._let_in(scope)
                await self._app(scope, counted, noting)
        except ProblemError as error:
            await answer(error.status, error.code, str(error), error.headers)(scope, receive, send)
        except StoreError as error:
            text = f"the store cannot be reached: {error}"
            await answer(503, error.code, text)(scope, receive, send)
        except TimeoutError:
            if begun:
                raise
            await answer(503, "timeout", f"no answer within {DEADLINE_S:g} s")(scope, receive, send)

    async def _let_in(self, scope: Scope) -> None:
        request = Request(scope)
        address = request.client.host if request.client is not None else ""
        request.state.token = await self._guard.token(request.headers.get("authorization", ""), address)
