"""Calls, their legs, utterances and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the four tables."""
    _create_calls()
    _create_parts_of_calls()


def downgrade() -> None:
    """Drops them."""
    for table in ("events", "utterances", "legs", "calls"):
        op.drop_table(table)


def _call_id() -> sa.Column[str]:
    return sa.Column("call_id", sa.String(40), nullable=False)


def _keys(table: str, column: str) -> tuple[sa.Constraint, sa.Constraint]:
    return (
        sa.PrimaryKeyConstraint("call_id", column, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name=f"fk_{table}_calls", ondelete="CASCADE"),
    )


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(40), nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in (
                *("caller", "called", "flow", "version", "language", "codec", "sip_call_id", "termination"),
                "ended_by",
            )
        ),
        sa.Column("length_s", sa.Double, nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.Column("latency_median_ms", sa.Double),
        sa.Column("latency_max_ms", sa.Double),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_calls"),
    )
    op.create_index("ix_calls_started", "calls", ["started"])
    op.create_index("ix_calls_caller_started", "calls", ["caller", "started"])


def _create_parts_of_calls() -> None:
    op.create_table(
        "legs",
        _call_id(),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("rate_hz", sa.Integer, nullable=False),
        sa.Column("samples", sa.BigInteger, nullable=False),
        sa.Column("lost_samples", sa.BigInteger, nullable=False),
        *_keys("legs", "name"),
    )
    op.create_table(
        "utterances",
        _call_id(),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("start_s", sa.Double, nullable=False),
        sa.Column("end_s", sa.Double, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("confidence", sa.Double),
        *_keys("utterances", "seq"),
    )
    op.create_table(
        "events",
        _call_id(),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sample", sa.BigInteger),
        sa.Column("wall", sa.Double, nullable=False),
        sa.Column("leg", sa.Text),
        sa.Column("data", sa.JSON, nullable=False),
        *_keys("events", "seq"),
    )
    op.create_index("ix_events_kind_wall", "events", ["kind", "wall"])
