"""The tokens of the REST API in the store."""

from dataclasses import asdict, fields

import sqlalchemy as sa

from ivr.store.database import Database
from ivr.store.schema import metadata
from ivr.tokens import ApiRole, Token

# A token of the role agent goes with its agent's account: another of the same name later is another person.
tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("agent", sa.ForeignKey("accounts.user", ondelete="CASCADE")),
    sa.Index(None, "digest", unique=True),
)
_TOKEN = [tokens.c[each.name] for each in fields(Token)]


class Tokens:
    """All tokens. Every error is a StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Token]:
        """Every token, by name."""
        async with self._database.reading() as connection:
            rows = await connection.execute(sa.select(*_TOKEN).order_by(tokens.c.name))
            return [Token(**{**row, "role": ApiRole(row["role"])}) for row in rows.mappings()]

    async def find(self, digest: str) -> Token | None:
        """The token with this digest."""
        async with self._database.reading() as connection:
            found = await connection.execute(sa.select(*_TOKEN).where(tokens.c.digest == digest))
            row = found.mappings().one_or_none()
            return Token(**{**row, "role": ApiRole(row["role"])}) if row is not None else None

    async def add(self, token: Token) -> None:
        """Keeps it. Raises StoreRefusedError where the name is taken or the agent has no account."""
        async with self._database.writing() as connection:
            await connection.execute(tokens.insert(), [asdict(token)])

    async def remove(self, name: str) -> bool:
        """Revokes it; False where there is none."""
        async with self._database.writing() as connection:
            return (await connection.execute(tokens.delete().where(tokens.c.name == name))).rowcount > 0
