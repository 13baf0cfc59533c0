"""The ACD's tables. Times are Unix seconds. `acd` has one row: its generation changes with every change of the others,
so that a control process knows whether what it has in memory is still all there is.
"""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.store.schema import metadata

acd = sa.Table(
    "acd",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
)

agents = sa.Table(
    "agents",
    metadata,
    sa.Column("name", sa.ForeignKey("accounts.user", ondelete="CASCADE"), primary_key=True),
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
)

# Callers in a queue, or talking to the agent they got there. `worker`: whose call it is, by its name on the bus.
waiting = sa.Table(
    "waiting",
    metadata,
    sa.Column("call_id", sa.String(40), primary_key=True),
    sa.Column("worker", sa.String(40), nullable=False, server_default=""),
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
)

# `outcome` is empty while the offer is in force. `attempt`: the call that the idle `worker` was given
# for a callback.
offers = sa.Table(
    "offers",
    metadata,
    sa.Column("offer", sa.String(40), primary_key=True),
    sa.Column("call_id", sa.String(40), nullable=False),
    sa.Column("queue", sa.String(80), nullable=False),
    sa.Column("agent", sa.String(40), nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("lease_until", sa.Double, nullable=False),
    sa.Column("ringing", sa.Double, nullable=False),
    sa.Column("attempt", sa.String(40), nullable=False),
    sa.Column("worker", sa.String(40), nullable=False, server_default=""),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("ended", sa.Double),
    sa.Index(None, "call_id", "made"),
    sa.Index(None, "made"),
)
_in_force = offers.c.outcome == ""
sa.Index("ix_offers_one_an_agent", offers.c.agent, unique=True, sqlite_where=_in_force, postgresql_where=_in_force)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("call_id", sa.String(40), nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("queue", sa.String(80), nullable=False),
    sa.Column("offers", sa.JSON, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("candidates", sa.JSON, nullable=False),
    sa.Index(None, "call_id", "at"),
)

tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("ticket", sa.String(40), primary_key=True),
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
    sa.Index(None, "state"),
)

queue_memory = sa.Table(
    "queue_memory",
    metadata,
    sa.Column("queue", sa.String(80), primary_key=True),
    sa.Column("last_rung", sa.String(40), nullable=False),
    sa.Column("handle_s", sa.Double),
)

# One row for each wait that is over.
queue_log = sa.Table(
    "queue_log",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("call_id", sa.String(40), nullable=False),
    sa.Column("queue", sa.String(80), nullable=False),
    sa.Column("joined", sa.Double, nullable=False),
    sa.Column("ended", sa.Double, nullable=False),
    sa.Column("outcome", sa.String(40), nullable=False),
    sa.Column("agent", sa.String(40)),
    sa.Column("wait_s", sa.Double, nullable=False),
    sa.Column("talk_s", sa.Double),
    sa.Index(None, "queue", "ended"),
    sa.Index(None, "call_id"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index(None, "at"),
)

# Commands of the last minute and their answers: one that two control processes hear is carried out by one of them.
commands = sa.Table(
    "commands",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Index(None, "at"),
)


async def bump(connection: AsyncConnection) -> None:
    """Says that something has changed: the first or last act of every transaction that changes people or the ACD.

    Whoever begins with it waits for the turn of a control process to be over.
    """
    await connection.execute(acd.update().values(generation=acd.c.generation + 1))
