"""Agents: who does what, and may be changed by whom."""

import time

from fastapi import APIRouter

from ivr.accounts import AccountError, Role, new_account
from ivr.liveboard import AgentLine
from ivr.rest.guard import Admin, Agent, who
from ivr.rest.parts import Hotline
from ivr.rest.problems import ProblemError, responses
from ivr.rest.shapes import Added, AgentName, AgentState, NewAgent, NewState
from ivr.tokens import ApiRole

router = APIRouter(prefix="/agents", tags=["agents"])


@router.get("")
async def list_agents(hotline: Hotline, _token: Agent) -> list[AgentLine]:
    """Every agent: state, since when, queues, skills."""
    return await hotline.desk.agents()


@router.post("/{name}/state", responses=responses(404, 409))
async def change_state(name: AgentName, wish: NewState, hotline: Hotline, token: Agent) -> AgentState:
    """Log in or out, be ready, pause, end the wrap-up. The role agent may do so for its own agent only."""
    if not token.role.may(ApiRole.SUPERVISOR) and token.agent != name:
        raise ProblemError(403, "token.agent", f"this token may change {token.agent} only")
    done = await hotline.desk.agent(name, wish.do, who(token), wish.reason, wish.disposition)
    return AgentState(**done)


@router.post("", status_code=201, responses=responses(409))
async def add_agent(new: NewAgent, hotline: Hotline, _token: Admin) -> Added:
    """Make an account, its queues and skills. Of the password only HA1 is kept."""
    for queue in new.queues:
        if queue not in hotline.config.queues:
            raise ProblemError(422, "queue.unknown", f"there is no [queues.{queue}] in the settings")
    try:
        account = new_account(new.name, Role(new.role), new.password, new.display)
    except AccountError as error:
        raise ProblemError(422, error.code, str(error)) from error
    if await hotline.accounts.get(new.name) is not None:
        raise ProblemError(409, "agent.exists", f"there is an account {new.name} already")
    await hotline.accounts.put(account, time.time())
    await hotline.accounts.assign(new.name, new.queues, new.skills)
    return Added(name=new.name)


@router.delete("/{name}", status_code=204, responses=responses(404))
async def remove_agent(name: AgentName, hotline: Hotline, _token: Admin) -> None:
    """Remove an account with its queues, skills and tokens. A call in progress goes on."""
    if not await hotline.accounts.remove(name):
        raise ProblemError(404, "agent.unknown", f"there is no account {name}")
