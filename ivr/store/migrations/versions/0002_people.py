"""Accounts, memberships of queues, skills."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the three tables."""
    op.create_table(
        "accounts",
        sa.Column("user", sa.String(40), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("realm", sa.Text, nullable=False),
        sa.Column("ha1_md5", sa.String(32), nullable=False),
        sa.Column("ha1_sha256", sa.String(64), nullable=False),
        sa.Column("display", sa.Text, nullable=False),
        sa.Column("pin_hash", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user", name="pk_accounts"),
    )
    _create_of_agent(
        "memberships",
        "queue",
        sa.Column("penalty", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("last_call", sa.Double, nullable=False),
    )
    _create_of_agent("agent_skills", "skill", sa.Column("level", sa.Integer, nullable=False))


def downgrade() -> None:
    """Drops them."""
    for table in ("agent_skills", "memberships", "accounts"):
        op.drop_table(table)


def _create_of_agent(table: str, key: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        table,
        sa.Column("agent", sa.String(40), nullable=False),
        sa.Column(key, sa.String(80), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("agent", key, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["agent"], ["accounts.user"], name=f"fk_{table}_accounts", ondelete="CASCADE"),
    )
