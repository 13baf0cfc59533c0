"""Workers are told apart by their names on the bus, not by process ids, which two hosts may have in common."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Rows of calls that are up lose their worker's id; their lease, or the worker's silence, settles them."""
    for table in ("waiting", "offers"):
        op.drop_column(table, "pid")
        op.add_column(table, sa.Column("worker", sa.String(40), nullable=False, server_default=""))


def downgrade() -> None:
    """Brings the process ids back, unknown."""
    for table in ("waiting", "offers"):
        op.drop_column(table, "worker")
        op.add_column(table, sa.Column("pid", sa.Integer, nullable=False, server_default="0"))
