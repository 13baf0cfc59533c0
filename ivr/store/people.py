"""The tables of people: accounts, the queues that agents serve, what they can. An agent is named as its account."""

import sqlalchemy as sa

from ivr.store.schema import metadata

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("user", sa.String(40), primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("realm", sa.Text, nullable=False),
    sa.Column("ha1_md5", sa.String(32), nullable=False),
    sa.Column("ha1_sha256", sa.String(64), nullable=False),
    sa.Column("display", sa.Text, nullable=False),
    sa.Column("pin_hash", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)


def _agent() -> sa.Column[str]:
    return sa.Column("agent", sa.ForeignKey("accounts.user", ondelete="CASCADE"), primary_key=True)


# `paused`, `calls` and `last_call` (Unix seconds, 0: never) are of this queue alone.
# `place` counts the members of all queues in the order in which they were added: the order of linear and rrordered.
memberships = sa.Table(
    "memberships",
    metadata,
    _agent(),
    sa.Column("queue", sa.String(80), primary_key=True),
    sa.Column("penalty", sa.Integer, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("calls", sa.Integer, nullable=False),
    sa.Column("last_call", sa.Double, nullable=False),
)

agent_skills = sa.Table(
    "agent_skills",
    metadata,
    _agent(),
    sa.Column("skill", sa.String(80), primary_key=True),
    sa.Column("level", sa.Integer, nullable=False),
)
