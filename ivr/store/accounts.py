"""Accounts, memberships and skills in the store."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.accounts import Account, Role
from ivr.store.acdtables import bump
from ivr.store.database import Database
from ivr.store.people import accounts, agent_skills, memberships

_ACCOUNT = [accounts.c[each.name] for each in fields(Account)]


@dataclass(frozen=True, slots=True)
class Member:
    """An agent as entered: `queues` are penalties, in the order of adding; `skills` are levels."""

    account: Account
    queues: Mapping[str, int] = field(default_factory=dict)
    skills: Mapping[str, int] = field(default_factory=dict)


class Accounts:
    """All accounts. Every error is a StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Account]:
        """Every account, by name."""
        async with self._database.reading() as connection:
            return await _read(connection)

    async def get(self, user: str) -> Account | None:
        """One account."""
        async with self._database.reading() as connection:
            return next(iter(await _read(connection, accounts.c.user == user)), None)

    async def stamp(self) -> tuple[int, int]:
        """Changes whenever an account does: cheap to ask each second."""
        async with self._database.reading() as connection:
            counted = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(accounts.c.version), 0))
            count, version = (await connection.execute(counted.select_from(accounts))).one()
            return count, version

    async def members(self) -> list[Member]:
        """Every account with its queues and skills, by name."""
        async with self._database.reading() as connection:
            found = {account.user: account for account in await _read(connection)}
            served: dict[str, dict[str, int]] = {name: {} for name in found}
            able: dict[str, dict[str, int]] = {name: {} for name in found}
            for row in await connection.execute(sa.select(memberships).order_by(memberships.c.place)):
                served[row.agent][row.queue] = row.penalty
            for row in await connection.execute(sa.select(agent_skills).order_by(agent_skills.c.skill)):
                able[row.agent][row.skill] = row.level
            return [Member(account, served[name], able[name]) for name, account in found.items()]

    async def put(self, account: Account, wall: float) -> None:
        """Adds an account or replaces it; `wall` (Unix seconds) becomes its version."""
        async with self._database.writing() as connection:
            await bump(connection)
            version = await _next_version(connection, wall)
            await self._database.upsert(connection, accounts, [{**asdict(account), "version": version}])

    async def assign(self, user: str, queues: Mapping[str, int], skills: Mapping[str, int]) -> None:
        """Sets the queues an agent serves (and penalties) and its skills (and levels), in place of those of before."""
        async with self._database.writing() as connection:
            await bump(connection)
            mine = memberships.c.agent == user
            await connection.execute(memberships.delete().where(mine, memberships.c.queue.not_in(queues)))
            kept = set((await connection.execute(sa.select(memberships.c.queue).where(mine))).scalars())
            last = sa.select(sa.func.coalesce(sa.func.max(memberships.c.place), 0))
            place = int((await connection.execute(last)).scalar_one())
            fresh = {"agent": user, "paused": False, "calls": 0, "last_call": 0.0}
            for number, (queue, penalty) in enumerate(queues.items(), 1):
                change: sa.UpdateBase = (
                    memberships.update().where(mine, memberships.c.queue == queue).values(penalty=penalty)
                    if queue in kept
                    else memberships.insert().values(**fresh, queue=queue, penalty=penalty, place=place + number)
                )
                await connection.execute(change)
            await connection.execute(agent_skills.delete().where(agent_skills.c.agent == user))
            if skills:
                levels = [{"agent": user, "skill": skill, "level": level} for skill, level in skills.items()]
                await connection.execute(agent_skills.insert(), levels)

    async def remove(self, user: str) -> bool:
        """Forgets an account with its memberships and skills; False where there is none."""
        async with self._database.writing() as connection:
            await bump(connection)
            return (await connection.execute(accounts.delete().where(accounts.c.user == user))).rowcount > 0


async def _next_version(connection: AsyncConnection, wall: float) -> int:
    last = (await connection.execute(sa.select(sa.func.max(accounts.c.version)))).scalar() or 0
    return max(int(wall * 1000), last + 1)


async def _read(connection: AsyncConnection, *where: sa.ColumnElement[bool]) -> list[Account]:
    rows = await connection.execute(sa.select(*_ACCOUNT).where(*where).order_by(accounts.c.user))
    return [Account(**{**row, "role": Role(row["role"])}) for row in rows.mappings()]
