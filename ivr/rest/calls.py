"""Calls that are up."""

from fastapi import APIRouter

from ivr.liveboard import CallLine
from ivr.rest.guard import Supervisor, who
from ivr.rest.parts import Hotline
from ivr.rest.problems import responses
from ivr.rest.shapes import CallId, Decision, NewTap, Tap

router = APIRouter(prefix="/calls", tags=["calls"])


@router.get("")
async def list_calls(hotline: Hotline, _token: Supervisor) -> list[CallLine]:
    """Every call that is up: caller, flow, step, queue, agent, since when."""
    return await hotline.desk.calls()


@router.post("/{call}/hangup", status_code=204, responses=responses(404, 409))
async def hang_up(call: CallId, hotline: Hotline, token: Supervisor) -> None:
    """End a call."""
    await hotline.desk.hang_up(call, who(token))


@router.get("/{call}/why", responses=responses(404))
async def why(call: CallId, hotline: Hotline, _token: Supervisor) -> list[Decision]:
    """Who was rung for the call, and of every other member of the queue why not."""
    return [Decision(**decision) for decision in await hotline.desk.why(call)]


@router.post("/{call}/tap", responses=responses(404, 409, 501))
async def tap(call: CallId, how: NewTap, hotline: Hotline, token: Supervisor) -> Tap:
    """Listen to a call, whisper to its agent, or speak to both. Who does so is on record before a word is heard."""
    return Tap(**await hotline.desk.tap(call, how.mode, who(token)))
