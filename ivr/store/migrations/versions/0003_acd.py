"""The ACD: agents' states, callers in queues, offers, decisions, callbacks, logs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_IN_FORCE = sa.text("outcome = ''")
_TABLES = (
    *("acd", "agents", "waiting", "offers", "decisions", "tickets"),
    *("queue_memory", "queue_log", "audit", "commands"),
)


def upgrade() -> None:
    """Makes the tables, and the one row of `acd`."""
    _create_acd()
    _create_agents()
    _create_waiting()
    _create_offers()
    _create_decisions()
    _create_tickets()
    _create_queue_memory()
    _create_queue_log()
    _create_audit()
    _create_commands()
    op.execute("INSERT INTO acd (one, generation) VALUES (1, 0)")


def downgrade() -> None:
    """Drops them."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_acd() -> None:
    op.create_table(
        "acd",
        sa.Column("one", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("one", name="pk_acd"),
    )


def _create_agents() -> None:
    op.create_table(
        "agents",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("registered", sa.Boolean),
        sa.Column("idle_since", sa.Double, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.Double, nullable=False),
        sa.Column("pause_reason", sa.Text, nullable=False),
        sa.Column("pause_next", sa.Text),
        sa.Column("logout_next", sa.Boolean, nullable=False),
        sa.Column("call_id", sa.String(40)),
        sa.Column("queue", sa.String(80)),
        sa.Column("offer", sa.String(40)),
        sa.Column("answered_at", sa.Double),
        sa.Column("wrap_up_until", sa.Double),
        sa.Column("last_call_id", sa.String(40)),
        sa.Column("disposition", sa.Text, nullable=False),
        sa.Column("talk_s", sa.Double, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_agents"),
        sa.ForeignKeyConstraint(["name"], ["accounts.user"], name="fk_agents_accounts", ondelete="CASCADE"),
    )


def _create_waiting() -> None:
    op.create_table(
        "waiting",
        sa.Column("call_id", sa.String(40), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("queue", sa.String(80), nullable=False),
        sa.Column("joined", sa.Double, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("called", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("skills", sa.JSON, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("agent", sa.String(40)),
        sa.Column("tried", sa.JSON, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_waiting"),
    )


def _create_offers() -> None:
    op.create_table(
        "offers",
        sa.Column("offer", sa.String(40), nullable=False),
        sa.Column("call_id", sa.String(40), nullable=False),
        sa.Column("queue", sa.String(80), nullable=False),
        sa.Column("agent", sa.String(40), nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("ringing", sa.Double, nullable=False),
        sa.Column("attempt", sa.String(40), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("ended", sa.Double),
        sa.PrimaryKeyConstraint("offer", name="pk_offers"),
    )
    op.create_index("ix_offers_call_id_made", "offers", ["call_id", "made"])
    op.create_index("ix_offers_made", "offers", ["made"])
    op.create_index(
        "ix_offers_one_an_agent", "offers", ["agent"], unique=True, sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE
    )


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("call_id", sa.String(40), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("queue", sa.String(80), nullable=False),
        sa.Column("offers", sa.JSON, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("candidates", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_call_id_at", "decisions", ["call_id", "at"])


def _create_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("ticket", sa.String(40), nullable=False),
        sa.Column("call_id", sa.String(40), nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("queue", sa.String(80), nullable=False),
        sa.Column("joined", sa.Double, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("skills", sa.JSON, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("not_before", sa.Double, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("attempt", sa.String(40), nullable=False),
        sa.Column("tried", sa.JSON, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("ticket", name="pk_tickets"),
    )
    op.create_index("ix_tickets_state", "tickets", ["state"])


def _create_queue_memory() -> None:
    op.create_table(
        "queue_memory",
        sa.Column("queue", sa.String(80), nullable=False),
        sa.Column("last_rung", sa.String(40), nullable=False),
        sa.Column("handle_s", sa.Double),
        sa.PrimaryKeyConstraint("queue", name="pk_queue_memory"),
    )


def _create_queue_log() -> None:
    op.create_table(
        "queue_log",
        sa.Column("id", _ID, nullable=False),
        sa.Column("call_id", sa.String(40), nullable=False),
        sa.Column("queue", sa.String(80), nullable=False),
        sa.Column("joined", sa.Double, nullable=False),
        sa.Column("ended", sa.Double, nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("agent", sa.String(40)),
        sa.Column("wait_s", sa.Double, nullable=False),
        sa.Column("talk_s", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_queue_log"),
    )
    op.create_index("ix_queue_log_call_id", "queue_log", ["call_id"])
    op.create_index("ix_queue_log_queue_ended", "queue_log", ["queue", "ended"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def _create_commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
    )
    op.create_index("ix_commands_at", "commands", ["at"])
