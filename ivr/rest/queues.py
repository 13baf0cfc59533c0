"""Queues and those who wait in them."""

from fastapi import APIRouter

from ivr.liveboard import WaitingLine
from ivr.rest.guard import Agent, Supervisor, who
from ivr.rest.parts import Hotline
from ivr.rest.problems import responses
from ivr.rest.shapes import CallId, NewPriority, NewQueue, Place, Queue

router = APIRouter(tags=["queues"])


@router.get("/queues")
async def list_queues(hotline: Hotline, _token: Agent) -> list[Queue]:
    """Every queue: its settings, callers and agents now, expected wait, service level since midnight."""
    settings = hotline.config.queues
    lines = await hotline.desk.queues()
    return [Queue(now=line, settings=settings[line.queue].model_dump(mode="json")) for line in lines]


@router.get("/waiting")
async def list_waiting(hotline: Hotline, _token: Supervisor) -> list[WaitingLine]:
    """Everybody who waits, queue by queue in the order of their turn; callbacks too."""
    return await hotline.desk.waiting()


@router.post("/waiting/{call}/move", responses=responses(409))
async def move(call: CallId, to: NewQueue, hotline: Hotline, token: Supervisor) -> Place:
    """Have a caller wait in another queue, as if they had come there at first."""
    return Place(**await hotline.desk.move(call, to.queue, who(token)))


@router.post("/waiting/{call}/priority", responses=responses(409))
async def set_priority(call: CallId, new: NewPriority, hotline: Hotline, token: Supervisor) -> Place:
    """Let a caller go before those of lower priority."""
    return Place(**await hotline.desk.priority(call, new.priority, who(token)))
