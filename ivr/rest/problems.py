"""Errors as RFC 9457 problem details: `code` is for programs, `detail` for people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from ivr.bus import BusError
from ivr.store.errors import StoreError, StoreUnavailableError

MEDIA_TYPE = "application/problem+json"

# What a receiver's refusal is in HTTP; all others say that the state of things does not allow it.
_STATUS = {
    "bus.away": 503,
    "bus.timeout": 503,
    "acd.unavailable": 503,
    "call.away": 503,
    "call.unknown": 404,
    "agent.unknown": 404,
    "queue.unknown": 422,
    "acd.bad_command": 422,
    "command.unknown": 501,
}


class Problem(BaseModel):
    """RFC 9457 section 3.1, with `code`; where the request itself is wrong, `errors` names each place."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[dict[str, str]] | None = None


class ProblemError(Exception):
    """Raised by whatever serves a request: becomes that answer."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.headers = status, code, headers


def answer(
    status: int,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    """The response."""
    title = HTTPStatus(status).phrase
    problem = Problem(title=title, status=status, detail=detail or title, code=code, errors=errors)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": "1", **(headers or {})}
    return JSONResponse(problem.model_dump(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Has every error of the app be told in this form."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation says of its errors in OpenAPI."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}} for status in statuses}


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return answer(error.status, error.code, str(error), error.headers)


async def _bus(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BusError)
    return answer(_STATUS.get(error.code, 409), error.code, str(error))


async def _store(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StoreError)
    if isinstance(error, StoreUnavailableError):
        return answer(503, error.code, f"the store cannot be reached: {error}")
    return answer(409, error.code, str(error))


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = f"http.{HTTPStatus(error.status_code).name.lower()}"
    return answer(error.status_code, code, str(error.detail), error.headers)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"place": ".".join(map(str, item["loc"])), "detail": str(item["msg"]).removeprefix("Value error, ")}
        for item in error.errors()
    ]
    return answer(
        422, "request.invalid", "; ".join(f"{each['place']}: {each['detail']}" for each in errors), None, errors
    )


async def _bug(_request: Request, _error: Exception) -> JSONResponse:
    return answer(500, "bug", "this is a mistake in Hotline; control's log has the trace")


_HANDLERS = {
    ProblemError: _problem,
    BusError: _bus,
    StoreError: _store,
    HTTPException: _http,
    RequestValidationError: _invalid,
    Exception: _bug,
}
