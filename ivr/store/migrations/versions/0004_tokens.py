"""Tokens of the REST API."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("agent", sa.String(40)),
        sa.PrimaryKeyConstraint("name", name="pk_tokens"),
        sa.ForeignKeyConstraint(["agent"], ["accounts.user"], name="fk_tokens_accounts", ondelete="CASCADE"),
    )
    op.create_index("ix_tokens_digest", "tokens", ["digest"], unique=True)


def downgrade() -> None:
    """Drops it."""
    op.drop_table("tokens")
