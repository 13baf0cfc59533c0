"""The ACD's state in the store. A turn is one transaction: the board as it is now, a piece of work on it, the changes.

Turns of all control processes come one after the other: on SQLite by BEGIN IMMEDIATE, on PostgreSQL by a lock on the
row of `acd`. The board stays in memory between turns and is read again when that row's generation says that another
process has changed something. So every change is compare-and-set against all of the state.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.accounts import Role
from ivr.acd.model import Agent, AgentState, Candidate, Decision, Membership, Offer, QueueSettings
from ivr.acdboard import Board, Caller, CallerState, LiveOffer, QueueMemory, Ticket, TicketState
from ivr.store.acdtables import (
    acd,
    agents,
    audit,
    bump,
    commands,
    decisions,
    offers,
    queue_log,
    queue_memory,
    tickets,
    waiting,
)
from ivr.store.database import Database
from ivr.store.people import accounts, agent_skills, memberships
from ivr.store.rows import Row

Answer = dict[str, Any]
Answers = Mapping[str, Answer]
T = TypeVar("T")
_AGENT = [column.name for column in agents.c if column.name != "name"]
_CALLER = [each.name for each in fields(Caller)]
_TICKET = [each.name for each in fields(Ticket)]
_CANDIDATE = [each.name for each in fields(Candidate)]
_OFFER = [each.name for each in fields(Offer)]
_COMMANDS_KEPT_S = 60.0


class AcdState:
    """One process's hold of the ACD's state. Every error is a StoreError; after one the board is read again."""

    def __init__(self, database: Database, queues: Mapping[str, QueueSettings]) -> None:
        self._database = database
        self._queues = queues
        self._generation = -1
        self._swept = 0.0
        self._alone_since = 0.0
        self.board: Board | None = None
        """As the last turn left it, to look at; None before the first turn and after an error."""

    async def turn(self, work: Callable[[Board, Answers], T], ids: Collection[str], now: float) -> T:
        """`work(board, answers)` in a transaction; `answers` are those to commands with these `ids` that were carried
        out before, by whichever process. What `work` returns is true of the store when this returns.
        """
        try:
            async with self._database.writing() as connection:
                generation = await self._my_turn(connection)
                if self.board is None or generation != self._generation:
                    self.board = await load(connection, self._queues)
                    self._alone_since = now
                others = now - self._alone_since < _COMMANDS_KEPT_S
                answers = await _answers(connection, ids) if others else {}
                result = work(self.board, answers)
                if self.board.changes:
                    await self._write(connection, self.board, now)
                    self._generation = generation + 1
                else:
                    self._generation = generation
        except BaseException:
            self.board = None
            raise
        return result

    async def _my_turn(self, connection: AsyncConnection) -> int:
        own = sa.select(acd.c.generation)
        return int((await connection.execute(own if self._database.sqlite else own.with_for_update())).scalar_one())

    async def _write(self, connection: AsyncConnection, board: Board, now: float) -> None:
        changes = board.changes
        upsert = self._database.upsert
        await upsert(connection, agents, [_agent_row(board.agents[name]) for name in changes.agents])
        await _write_members(connection, board)
        gone = [call_id for call_id in changes.callers if call_id not in board.callers]
        if gone:
            await connection.execute(waiting.delete().where(waiting.c.call_id.in_(gone)))
        here = [board.callers[call_id] for call_id in changes.callers if call_id in board.callers]
        await upsert(connection, waiting, [_row(caller, _CALLER) for caller in here])
        await upsert(connection, tickets, [_row(board.tickets[name], _TICKET) for name in changes.tickets])
        memory = [{"queue": name, **asdict(board.memory[name])} for name in changes.queues]
        await upsert(connection, queue_memory, memory)
        await _write_offers(self._database, connection, board)
        await _add(connection, queue_log, changes.log)
        await _add(connection, audit, changes.audit)
        await _add(connection, decisions, [_decision_row(decision, at) for decision, at in changes.decisions])
        if changes.answers:
            rows = [{"id": name, "at": now, "answer": answer} for name, answer in changes.answers.items()]
            await upsert(connection, commands, rows)
        if now - self._swept > _COMMANDS_KEPT_S:
            await connection.execute(commands.delete().where(commands.c.at < now - _COMMANDS_KEPT_S))
            self._swept = now
        await bump(connection)


async def load(connection: AsyncConnection, queues: Mapping[str, QueueSettings]) -> Board:
    """Reads everything that is not over."""
    board = Board(queues)
    await _load_agents(connection, board)
    for row in (await connection.execute(sa.select(waiting))).mappings():
        caller = Caller(**{**row, "state": CallerState(row["state"]), "tried": tuple(row["tried"])})
        board.callers[caller.call_id] = caller
    for row in (await connection.execute(sa.select(offers).where(offers.c.outcome == ""))).mappings():
        offer = Offer(*(row[name] for name in _OFFER))
        board.offers[offer.offer] = LiveOffer(offer, row["ringing"], row["attempt"], row["worker"])
    alive = tickets.c.state.in_([TicketState.OPEN, TicketState.CALLING])
    for row in (await connection.execute(sa.select(tickets).where(alive))).mappings():
        ticket = Ticket(**{**row, "state": TicketState(row["state"]), "tried": tuple(row["tried"])})
        board.tickets[ticket.ticket] = ticket
    for row in (await connection.execute(sa.select(queue_memory))).mappings():
        board.memory[row["queue"]] = QueueMemory(row["last_rung"], row["handle_s"])
    return board


async def _load_agents(connection: AsyncConnection, board: Board) -> None:
    places: dict[str, list[Membership]] = {}
    for row in await connection.execute(sa.select(memberships).order_by(memberships.c.place)):
        place = Membership(row.queue, row.penalty, row.place, row.paused, row.calls, row.last_call)
        places.setdefault(row.agent, []).append(place)
    skills: dict[str, dict[str, int]] = {}
    for row in await connection.execute(sa.select(agent_skills)):
        skills.setdefault(row.agent, {})[row.skill] = row.level
    kept = {row["name"]: row for row in (await connection.execute(sa.select(agents))).mappings()}
    people = sa.select(accounts.c.user, accounts.c.display).where(accounts.c.enabled, accounts.c.role != Role.TRUNK)
    for name, display in await connection.execute(people):
        state = {column: kept[name][column] for column in _AGENT} if name in kept else {}
        if state:
            state["state"] = AgentState(state["state"])
        board.agents[name] = Agent(name, memberships=tuple(places.get(name, ())), skills=skills.get(name, {}), **state)
        board.displays[name] = display


async def _answers(connection: AsyncConnection, ids: Collection[str]) -> Answers:
    if not ids:
        return {}
    known = sa.select(commands.c.id, commands.c.answer).where(commands.c.id.in_(ids))
    return {row.id: row.answer for row in await connection.execute(known)}


async def _write_members(connection: AsyncConnection, board: Board) -> None:
    rows = [
        {"_agent": name, "_queue": m.queue, "paused": m.paused, "calls": m.calls, "last_call": m.last_call}
        for name in board.changes.members
        for m in board.agents[name].memberships
    ]
    if rows:
        this = (memberships.c.agent == sa.bindparam("_agent"), memberships.c.queue == sa.bindparam("_queue"))
        new: dict[str, Any] = {name: sa.bindparam(name) for name in ("paused", "calls", "last_call")}
        await connection.execute(memberships.update().where(*this).values(**new), rows)


async def _write_offers(database: Database, connection: AsyncConnection, board: Board) -> None:
    """Ended ones first: an agent's next one must not meet the last."""
    ended = [{"_offer": name, "_outcome": outcome, "_at": at} for name, outcome, at in board.changes.ended]
    if ended:
        values: dict[str, Any] = {"outcome": sa.bindparam("_outcome"), "ended": sa.bindparam("_at")}
        this = (offers.c.offer == sa.bindparam("_offer"), offers.c.outcome == "")
        await connection.execute(offers.update().where(*this).values(**values), ended)
    live = [board.offers[name] for name in board.changes.offers if name in board.offers]
    rows = [
        {**_row(each.offer, _OFFER), **_row(each, ("ringing", "attempt", "worker")), "outcome": "", "ended": None}
        for each in live
    ]
    await database.upsert(connection, offers, rows)


async def _add(connection: AsyncConnection, table: sa.Table, rows: list[Row]) -> None:
    if rows:
        await connection.execute(table.insert(), rows)


def _decision_row(decision: Decision, at: float) -> Row:
    candidates = [_row(candidate, _CANDIDATE) for candidate in decision.candidates]
    return {
        **_row(decision, ("call_id", "queue", "why")), "at": at, "offers": list(decision.offers),
        "candidates": candidates,
    }  # fmt: skip


def _agent_row(agent: Agent) -> Row:
    return {"name": agent.name, **_row(agent, _AGENT)}


def _row(value: object, names: Collection[str]) -> Row:
    return {name: getattr(value, name) for name in names}
