"""The FastAPI application. Its description is at /openapi.json; there is no page that loads scripts from elsewhere."""

import time
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi

from ivr.bus import Bus
from ivr.config import Config
from ivr.desk import Desk
from ivr.rest import agents, calls, queues
from ivr.rest.gate import API, Gate
from ivr.rest.guard import Guard
from ivr.rest.parts import Hotline, Parts
from ivr.rest.problems import Problem, install, responses
from ivr.rest.shapes import Health
from ivr.store.accounts import Accounts
from ivr.store.database import Database
from ivr.store.tokens import Tokens


def make_app(config: Config, database: Database, bus: Bus) -> FastAPI:
    """The whole API, to be served in control's event loop."""
    app = FastAPI(
        title="Hotline",
        version="1",
        docs_url=None,
        redoc_url=None,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    desk = Desk(config.queues, database, bus)
    app.state.parts = Parts(config, desk, Accounts(database))
    install(app)
    app.add_middleware(Gate, guard=Guard(Tokens(database), time.monotonic))
    app.include_router(_open)
    for router in (queues.router, agents.router, calls.router):
        app.include_router(router, prefix=f"{API}v1", responses=responses(401, 403, 422, 429, 503))
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


_open = APIRouter()


@_open.get("/health", responses={503: {"model": Health}})
async def health(hotline: Hotline, response: Response) -> Health:
    """Whether store and bus can be reached: 200 or 503. Needs no token."""
    found = await hotline.desk.health()
    if found:
        response.status_code = 503
    return Health(status="degraded" if found else "ok", store=found.get("store", "ok"), bus=found.get("bus", "ok"))


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        app.openapi_schema = schema
    return app.openapi_schema
